"""Explore: the events themselves. A histogram to brush, a table of all of them, one in full."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.analytics.query import Query
from store.analytics.shapes import Timeline
from tui.formatting import clean, count
from tui.messages import (
    PageWanted,
    QueryFailed,
    ResultReady,
    RowOpened,
    RowReached,
    StoreChanged,
    ValueOpened,
)
from tui.plots.chart import GUTTER, Mark
from tui.screens.asking_sql import AskingSql
from tui.screens.deck_screen import Answers, together
from tui.store_door import Cancelled, Store
from tui.theme import look_of
from tui.view_state import Seen, View
from tui.views.event_columns import event_columns
from tui.views.event_table import (
    LARGEST_FIRST,
    Found,
    Shown,
    find,
    neighbours,
    next_error,
    page_of,
    whole,
)
from tui.views.findings import marks_of
from tui.views.intervals import interval_for
from tui.views.names import nothing_here
from tui.views.questions import severity_questions
from tui.views.session_events import opening_event
from tui.views.timeline import Frame, breakdown_layers, severity_layers, stack_chart
from tui.views.value_uses import Use, value_uses
from tui.widgets.big_table import BigTable
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.event_detail import EventDetail
from tui.widgets.header import Tab
from tui.widgets.picker import Picker

FRAME_WIDTH: Final = 4


class ExploreScreen(AskingSql):
    """The events themselves, newest first."""

    compares = False
    AUTO_FOCUS = "BigTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "brush", "brush", id="explore.brush"),
        Binding("i", "whole('session_id')", "session", id="explore.session"),
        Binding(
            "l", "timeline", "timeline", tooltip="its session's timeline", id="explore.timeline"
        ),
        Binding("c", "whole('trace_id')", "trace", id="explore.trace"),
        Binding("u", "user", "all that its user did", show=False, id="explore.user"),
        Binding("n", "neighbours", "neighbours", id="explore.neighbours"),
        Binding("e", "error(False)", "next error, back in time", show=False, id="explore.error"),
        Binding("E", "error(True)", "error after this one", show=False, id="explore.error_after"),
        Binding("f", "maximise", "maximise", show=False, id="explore.maximise"),
        Binding("tab", "panel(1)", "next panel", show=False, id="explore.next"),
        Binding("shift+tab", "panel(-1)", "panel before", show=False, id="explore.previous"),
        Binding("escape", "back", "back", show=False, id="explore.back"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._shown = Shown()
        self._row: Mapping[str, Any] | None = None
        self._event: Mapping[str, Any] | None = None
        self._releases: Sequence[Mark] = ()
        self._go_to: Mapping[str, Any] | None = None
        """The row that the cursor is put on once the next rows are here."""

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(
            ChartPanel(id="histogram", classes="panel"),
            Horizontal(
                BigTable(id="rows", classes="panel"),
                EventDetail(id="detail", classes="panel"),
                id="events",
            ),
            id="explore",
        )

    def on_mount(self) -> None:
        self.histogram.border_title = "events per second"
        self.table.border_title = "events"
        self.detail.border_title = "event"

    @property
    def histogram(self) -> ChartPanel:
        return self.query_one("#histogram", ChartPanel)

    @property
    def table(self) -> BigTable:
        return self.query_one("#rows", BigTable)

    @property
    def detail(self) -> EventDetail:
        return self.query_one(EventDetail)

    # Asking

    def questions(self, seen: Seen) -> Mapping[str, Query]:
        columns = self.size.width - FRAME_WIDTH - GUTTER
        return severity_questions(seen, interval_for(seen.span.length, columns))

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        """The histogram and the rows, in one go: they are to show the same instant."""
        ask = together(self.questions(seen))
        table = self.table
        seen_rows = table.seen or range(table.rows_seen)
        shown = replace(self._shown, seen=seen_rows, anchor=table.row(seen_rows.start))

        def explore(store: Store, cancelled: Cancelled) -> tuple[Answers, Found]:
            return ask(store, cancelled), find(store, seen.view, seen.span, shown)

        return explore

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            self.table.focus()

    # Showing

    def show(self, seen: Seen, answers: Any) -> None:
        self._show_histogram(seen, answers[0])
        self._show_rows(seen, answers[1])

    def _show_histogram(self, seen: Seen, answers: Answers) -> None:
        look = look_of(self.app)
        split = answers.get("breakdown") or answers["severities"]
        self._releases = marks_of(answers["releases"])
        assert isinstance(split.result, Timeline)
        frame = Frame.of(split.result, seen.span)
        if seen.view.by:
            layers = breakdown_layers(frame, seen.span)
        else:
            layers = severity_layers(frame, seen.span)
        self.histogram.picture = stack_chart(
            frame, layers, marks=self._marks(), zone=seen.zone, glyphs=look.glyphs
        )

    def _marks(self) -> tuple[Mark, ...]:
        """The deploys, and where the row under the cursor stands in time."""
        here = (Mark(self._row["event_time"], "", "primary"),) if self._row else ()
        return (*self._releases, *here)

    def _show_rows(self, seen: Seen, found: Found) -> None:
        table, view, rows = self.table, seen.view, found.rows
        table.columns = event_columns(seen.span, seen.zone)
        table.sort = rows.order.column
        table.reverse = rows.order.descending != (rows.order.column in LARGEST_FIRST)
        table.descending = rows.order.descending
        table.border_title = f"{count(rows.total)} event{'s' * (rows.total != 1)}"
        if not rows.total:
            self._row = self._event = None
            self.detail.show(None, seen.zone)
            stored = self.deck.stored.span if self.deck.stored else None
            table.advice = ("", nothing_here(seen.view, stored, seen.now, seen.zone))
        table.show(rows, rows.total, found.page, above=found.above)
        before, self._go_to = self._go_to, None
        if before is not None:
            self.deck.runner.ask("explore.place", lambda *_: rows.place(before), self)
        self._shown = Shown(rows, view.where, rests_until=found.rests_until)

    # What the widgets say

    def on_page_wanted(self, message: PageWanted) -> None:
        rows: Any = message.version

        def page(_store: Store, _cancelled: Cancelled) -> tuple[object, Any]:
            return rows, page_of(rows, message.places)

        self.deck.runner.ask("explore.page", page, self)

    def on_row_reached(self, message: RowReached) -> None:
        rows: Any = self.table.version
        self._row = message.row
        if picture := self.histogram.picture:
            self.histogram.picture = replace(picture, marks=self._marks())
        if self.detail.display:
            self.deck.runner.ask("explore.event", lambda *_: rows.event(message.row), self)

    def on_row_opened(self, message: RowOpened) -> None:
        self.add_class("-detail")
        self.on_row_reached(RowReached(message.place, message.row))
        self.detail.focus()

    def on_value_opened(self, message: ValueOpened) -> None:
        name, value = message.attribute, message.value
        uses = value_uses(self.deck.view, name, value)
        self.app.push_screen(Picker(clean(f"{name} {value}")[:60], uses), self._use)

    def _use(self, use: Use | None) -> None:
        if isinstance(use, View):
            self._look_at(use)
        elif use is not None:
            self.deck.copy_text(use)

    def on_result_ready(self, message: ResultReady) -> None:
        match message.asker:
            case "explore.page":
                version, rows = message.result
                self.table.fill(version, rows)
            case "explore.event":
                self._event = message.result
                self.detail.show(message.result, self.deck.zone)
            case "explore.jump":
                self._jumped(message.result)
            case "explore.place" | "explore.error" if message.result is not None:
                self.table.place_cursor(message.result)
            case "explore.error":
                self.deck.notify("no further error in this span", timeout=3)

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker != self.mode and message.asker.startswith("explore."):
            # A merge took parts away: asking again opens the rows anew.
            self._shown = Shown()
            self.ask_again()

    # Keys

    def _look_at(self, view: View) -> None:
        """Goes to a view, and then to the row that the cursor stands on now."""
        self._go_to = self._row
        self.remove_class("-detail")
        self.table.focus()
        self.deck.look_at(view)

    def _jumped(self, view: View | None) -> None:
        if view is None:
            self.deck.notify("nothing of it is stored", timeout=3)
        else:
            self._look_at(view)

    def action_whole(self, attribute: str) -> None:
        event = self._event or {}
        if not event.get(attribute):
            self.deck.notify(f"this event has no {attribute}", timeout=3)
            return
        self.deck.runner.ask("explore.jump", whole(self.deck.view, attribute, event), self)

    def action_user(self) -> None:
        self.action_whole("user_id" if (self._event or {}).get("user_id") else "install_id")

    def action_timeline(self) -> None:
        rows: Any = self.table.version
        if (row := self._row) is not None:
            view = self.deck.view
            jump = lambda *_: opening_event(view, rows.event(row))  # noqa: E731
            self.deck.runner.ask("explore.jump", jump, self)

    def action_neighbours(self) -> None:
        if self._row:
            self._look_at(neighbours(self.deck.view, self._row))

    def action_error(self, newer: bool) -> None:
        rows: Any = self.table.version
        if self._row and rows is not None:
            self.deck.runner.ask("explore.error", next_error(rows, self._row, newer=newer), self)

    def action_brush(self) -> None:
        if self.histogram.picture:
            self.histogram.focus()
            self.histogram.action_brush()

    def action_panel(self, by: int) -> None:
        order = [p for p in (self.table, self.detail, self.histogram) if p.display]
        place = order.index(self.focused) if self.focused in order else 0
        order[(place + by) % len(order)].focus()

    def action_back(self) -> None:
        self.remove_class("-detail")
        self.table.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """`esc` is left to what else it may mean while the table is in front."""
        is_known = action != "back" or not self.table.has_focus
        return is_known and super().check_action(action, parameters)
