"""Overview: five numbers, two charts, the events by name, and what changed."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.analytics.query import Query
from store.analytics.shapes import Timeline
from store.timespan import duration_text
from tui.messages import StoreChanged
from tui.plots.chart import GUTTER
from tui.screens.deck_screen import Answers, DeckScreen
from tui.theme import look_of
from tui.view_state import Seen
from tui.views.findings import findings_of, marks_of
from tui.views.intervals import interval_for
from tui.views.names import name_rows, nothing_here
from tui.views.questions import overview_questions
from tui.views.stats import stats
from tui.views.timeline import (
    Frame,
    breakdown_layers,
    duration_chart,
    severity_layers,
    stack_chart,
)
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.empty_state import EmptyState, curl_line, first_event
from tui.widgets.findings_panel import FindingsPanel
from tui.widgets.footer import Footer
from tui.widgets.names_table import NamesTable
from tui.widgets.stat_panel import StatPanel

STATS: Final = ("events", "errors", "p95 duration", "users", "sessions")
STATS_NARROW: Final = 4
# How many bars a trend has, and from how many columns on there is room for more.
TREND: Final = 8
TREND_WIDE: Final = 20
VERY_WIDE: Final = 160
# What borders and padding take of a panel's width.
FRAME_WIDTH: Final = 4


class OverviewScreen(DeckScreen):
    """What is going on, and since when."""

    AUTO_FOCUS = "NamesTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "brush", "brush", tooltip="brush a stretch of time", id="overview.brush"),
        Binding("y", "copy_curl", "copy the line", id="overview.copy"),
        Binding("f", "maximise", "maximise", tooltip="this panel alone", id="overview.maximise"),
        Binding(
            "tab",
            "panel(1)",
            "next",
            show=False,
            system=True,
            tooltip="next panel",
            id="overview.next",
        ),
        Binding(
            "shift+tab",
            "panel(-1)",
            "panel before",
            show=False,
            system=True,
            id="overview.previous",
        ),
    ]

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(
            Horizontal(*map(StatPanel, STATS), id="stats"),
            Horizontal(
                ChartPanel(id="rate", classes="panel"),
                ChartPanel(id="duration", classes="panel"),
                id="charts",
            ),
            Horizontal(
                NamesTable(id="names", classes="panel"),
                FindingsPanel(id="findings", classes="panel"),
                id="tables",
            ),
            id="panels",
        )

    def on_mount(self) -> None:
        self.query_one("#rate", ChartPanel).border_title = "events per second"
        self.query_one("#duration", ChartPanel).border_title = "duration"
        self.query_one(NamesTable).border_title = "events"
        self.query_one(FindingsPanel).border_title = "what changed"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Over an empty store there is one thing to do."""
        empty = self.has_class("-empty")
        if action == "copy_curl":
            return empty and self.deck.collector is not None
        return not (empty and action in ("brush", "maximise", "panel"))

    def action_copy_curl(self) -> None:
        if self.deck.collector:
            self.deck.copy_text(curl_line(self.deck.collector))

    def on_resize(self) -> None:
        """Where there is room for one chart, the key that brings the next one is told."""
        self.query_one(Footer).show_also(frozenset({"overview.next"} if self.narrow else ()))

    @property
    def narrow(self) -> bool:
        return self.size.width < 100

    def questions(self, seen: Seen) -> Mapping[str, Query]:
        width = self.size.width if self.narrow else self.size.width // 2
        interval = interval_for(seen.span.length, width - FRAME_WIDTH - GUTTER)
        points = TREND_WIDE if self.size.width >= VERY_WIDE else TREND
        return overview_questions(seen, interval, trend_points=points)

    def store_changed(self, change: StoreChanged) -> None:
        """Without any event, the screen says how to send the first one."""
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        self.refresh_bindings()
        if not empty and self.focused is None:
            self.query_one(NamesTable).focus()

    def show(self, seen: Seen, answers: Answers) -> None:
        self._show_stats(answers)
        self._show_charts(seen, answers)
        stored = self.deck.stored and self.deck.stored.span
        note = nothing_here(seen.view, stored or None, seen.now, seen.zone)
        self.query_one(NamesTable).names = name_rows(answers["names"], seen.view, note)
        self._show_findings(seen, answers)

    def _show_stats(self, answers: Answers) -> None:
        found = stats(answers["totals"], answers["severities"])
        shown = found[: STATS_NARROW if self.narrow else len(STATS)]
        for place, panel in enumerate(self.query(StatPanel)):
            panel.display = place < len(shown)
            if panel.display:
                panel.stat = shown[place]

    def _show_charts(self, seen: Seen, answers: Answers) -> None:
        look = look_of(self.app)
        marks = marks_of(answers["releases"])
        totals, split = answers["totals"], answers.get("breakdown", answers["severities"])
        assert isinstance(totals.result, Timeline)
        assert isinstance(split.result, Timeline)
        frame = Frame.of(split.result, seen.span)
        if seen.view.by:
            layers = breakdown_layers(frame, seen.span)
        else:
            layers = severity_layers(frame, seen.span)
        self.query_one("#rate", ChartPanel).picture = stack_chart(
            frame, layers, marks=marks, zone=seen.zone, glyphs=look.glyphs
        )
        before = totals.previous
        assert before is None or isinstance(before, Timeline)
        chart = duration_chart(
            Frame.of(totals.result, seen.span),
            before,
            measure="duration_ms",
            marks=marks,
            zone=seen.zone,
            glyphs=look.glyphs,
        )
        self.query_one("#duration", ChartPanel).picture = chart
        self.set_class(not any(any(curve.values) for curve in chart.curves), "-no-durations")

    def _show_findings(self, seen: Seen, answers: Answers) -> None:
        panel = self.query_one(FindingsPanel)
        self.set_class("changes" not in answers, "-no-comparison")
        if "changes" in answers:
            length = duration_text(seen.view.length)
            title = f"what changed, against the previous {length}"
            fits = len(title) + FRAME_WIDTH + 2 <= panel.outer_size.width
            panel.border_title = title if fits else "what changed"
            glyphs = look_of(self.app).glyphs
            panel.findings = findings_of(answers["changes"], zone=seen.zone, glyphs=glyphs)

    # Panels

    def action_brush(self) -> None:
        """Brushes the chart that is focused, else the one that is shown first."""
        charts = [chart for chart in self.query(ChartPanel) if chart.display]
        chart = next((c for c in charts if c.has_focus), charts[0] if charts else None)
        if chart and chart.picture:
            chart.focus()
            chart.action_brush()

    def action_panel(self, by: int) -> None:
        """The next panel gets the focus; where there is no room for all, it comes into view."""
        order = [self.query_one("#names"), *self.query(ChartPanel), self.query_one("#findings")]
        hidden = {"duration": "-no-durations", "findings": "-no-comparison"}
        order = [p for p in order if not self.has_class(hidden.get(p.id or "", "-"))]
        place = order.index(self.focused) if self.focused in order else 0
        wanted = order[(place + by) % len(order)]
        self.set_class(wanted.id == "duration", "-second-chart")
        self.set_class(wanted.id == "findings", "-changes")
        wanted.focus()
