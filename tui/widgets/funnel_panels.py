"""The panels of the funnel screen: steps, what stands below them, and what one drilled into."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from textual.containers import Vertical
from textual.widget import Widget

from store.analytics.shapes import Answer, Steps, Timeline
from tui.formatting import clean
from tui.theme import look_of
from tui.view_state import Seen
from tui.views.conversion import conversion_chart
from tui.views.few import few_columns
from tui.views.funnel_question import Definition
from tui.views.funnel_work import said
from tui.views.groups import group_columns, group_rows
from tui.views.journey import Journey, journey_columns
from tui.views.people import People, people_columns
from tui.views.reasons import Reasons, reason_columns
from tui.views.steps import windows_text
from tui.views.timeline import Frame
from tui.widgets.big_table import BigTable
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.columns import Row
from tui.widgets.definition_line import DefinitionLine
from tui.widgets.exclude_bar import ExcludeBar
from tui.widgets.steps_bar import StepsBar
from tui.widgets.steps_panel import StepsPanel

FRAME_WIDTH: Final = 4
TABLES: Final = ("groups", "few", "why", "people", "journey")
NOBODY: Final = " nobody came to the first step in this time "
HOW_TO_EDIT: Final = ("e writes the steps: page_view, signup where plan=pro, pay optional", "dim")


class FunnelPanels(Vertical):
    """Shows answers; which panels are seen is told by classes of its own: `-groups`, `-few`, `-why`,
    `-people`, `-journey`, `-no-trend`.
    """

    def __init__(self) -> None:
        super().__init__(id="funnel")
        self.definition: Definition | None = None
        """What is drawn."""
        self.journey: Journey | None = None

    def compose(self) -> Iterable[Widget]:
        yield DefinitionLine(id="definition")
        yield StepsBar()
        yield ExcludeBar()
        yield StepsPanel(id="steps", classes="panel")
        yield ChartPanel(id="trend", classes="panel")
        for name in TABLES:
            yield BigTable(id=name, classes="panel listing")

    def on_mount(self) -> None:
        self.steps.border_title = "funnel"
        self.trend.border_title = "conversion"

    @property
    def steps(self) -> StepsPanel:
        return self.query_one(StepsPanel)

    @property
    def trend(self) -> ChartPanel:
        return self.query_one(ChartPanel)

    def table(self, name: str) -> BigTable:
        return self.query_one(f"#{name}", BigTable)

    @property
    def shown(self) -> Sequence[Widget]:
        """Those that can be gone to, from the top down."""
        panels = [self.steps, self.trend, *map(self.table, TABLES)]
        return [panel for panel in panels if panel.display]

    @property
    def innermost(self) -> Widget:
        """What one drilled into last, or the steps."""
        opened = [name for name in ("why", "people", "journey") if self.has_class(f"-{name}")]
        return self.table(opened[-1]) if opened else self.steps

    def show(self, seen: Seen, answers: Mapping[str, Any], note: str) -> None:
        """Draws what `funnel_work` gave; `note` is what to do where nothing is found."""
        self.definition = definition = answers["definition"]
        self.query_one(DefinitionLine).said = said(definition)
        answer: Answer | None = answers.get("steps")
        found = answer.result if answer else None
        assert found is None or isinstance(found, Steps)
        self._show_steps(found, definition, note, answers.get("windows", ()))
        self._show_trend(seen, definition, answers.get("trend"))
        self._show_groups(seen, found)
        self._show_few(seen, definition, answers.get("few", ()))
        self._show_why(answers.get("why"))
        self._show_people(seen, definition, answers.get("people"))
        self._show_journey(seen, answers.get("journey"))

    def fail(self, sentence: str) -> None:
        """Says what makes no sense where the picture would be."""
        self.steps.steps = None
        self.steps.advice = ((clean(sentence), "warning"), ("", "dim"), HOW_TO_EDIT)

    def _show_steps(
        self,
        found: Steps | None,
        definition: Definition,
        note: str,
        windows: Sequence[tuple[float, float]],
    ) -> None:
        panel = self.steps
        panel.subjects = definition.counted
        panel.steps = found
        panel.advice = (
            ("nobody can be followed: no event of this time has a user or a session", "text"),
            *(("", "dim"), (note, "dim"), HOW_TO_EDIT),
        )
        nobody = found is not None and not found.steps[0].count
        told = windows_text(windows, self.size.width - FRAME_WIDTH * 2)
        panel.border_subtitle = NOBODY if nobody else f" {told} " if told else ""

    def _show_trend(self, seen: Seen, definition: Definition, answer: Answer | None) -> None:
        self.set_class(answer is None, "-no-trend")
        if answer is None:
            return
        assert isinstance(answer.result, Timeline)
        self.trend.picture = conversion_chart(
            Frame.of(answer.result, seen.span),
            window=definition.window,
            now=seen.now,
            zone=seen.zone,
            glyphs=look_of(self.app).glyphs,
        )

    def _show_groups(self, seen: Seen, found: Steps | None) -> None:
        rows = group_rows(found) if found else []
        self.set_class(bool(rows), "-groups")
        if found and rows:
            table, by = self.table("groups"), seen.view.by
            table.border_title = f"by {clean(by)}"
            table.columns = group_columns(found, by, self.size.width - FRAME_WIDTH)
            _fill(table, rows, "value")

    def _show_few(self, seen: Seen, definition: Definition, rows: Sequence[Row]) -> None:
        """In the place of the conversion over time: of so few, each of them tells more."""
        self.set_class(bool(rows), "-few")
        if rows:
            table = self.table("few")
            table.border_title = f"{len(rows)} {definition.subjects}, one by one"
            table.columns = few_columns(seen.view.by if rows[0]["key"] else "")
            _fill(table, rows, "user")

    def _show_why(self, why: Reasons | None) -> None:
        self.set_class(why is not None, "-why")
        if why is None:
            return
        table = self.table("why")
        table.border_title = why.title()
        table.columns = reason_columns(self.size.width - FRAME_WIDTH)
        table.advice = ("", why.advice)
        _fill(table, why.rows, "what")

    def _show_people(self, seen: Seen, definition: Definition, people: People | None) -> None:
        self.set_class(people is not None, "-people")
        if people is None:
            return
        table = self.table("people")
        table.border_title = people.title(definition.subjects)
        table.border_subtitle = (
            f" {people.note(self.size.width - FRAME_WIDTH * 2)} " if people.rows else ""
        )
        table.columns = people_columns(seen.span, seen.zone)
        table.advice = ("", "nobody; esc goes back")
        _fill(table, people.rows, "user")

    def _show_journey(self, seen: Seen, journey: Journey | None) -> None:
        self.set_class(journey is not None, "-journey")
        same = journey and self.journey and journey.user == self.journey.user
        self.journey = journey
        if journey is None:
            return
        table = self.table("journey")
        table.border_title = journey.title()
        table.border_subtitle = f" {journey.note(seen.zone)} "
        table.columns = journey_columns(journey.span, seen.zone)
        table.advice = ("", "no event of theirs is stored here; esc goes back")
        rows = dict(enumerate(journey.rows))
        table.show(journey, len(rows), rows, above=0 if same else None)


def _fill(table: BigTable, rows: Sequence[Row], name: str) -> None:
    """All rows at once; the cursor stays on the row of the same `name`."""
    under = table.row(table.cursor)
    places = {row[name]: place for place, row in enumerate(rows)}
    table.cursor = places.get(under[name], table.cursor) if under else 0
    table.show(rows, len(rows), dict(enumerate(rows)), above=None if under is None else 0)
