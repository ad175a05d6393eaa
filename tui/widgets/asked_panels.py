"""The panels of an answer: what was asked, facts, a chart of points, the rows, and a list beside."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Final

from textual.containers import Vertical
from textual.widget import Widget

from tui.formatting import clean, count
from tui.theme import look_of
from tui.told import Told, told_of
from tui.view_state import Seen
from tui.views.answer_columns import SOURCE
from tui.views.answer_sheet import Listing
from tui.views.asking import own_options, settings_of
from tui.views.asking_work import ASK, WITH, Found
from tui.widgets.big_table import BigTable
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.definition_line import DefinitionLine, Said
from tui.widgets.fact_lines import FactLines
from tui.widgets.options_bar import OptionsBar

FRAME_WIDTH: Final = 6
"""What frame, padding and scrollbar take of a table."""
OPTIONS_SAID_MAX: Final = 4
HELP_ROWS: Final = (
    "The answer, as eventdeck query prints it. e writes its options, as on the command line; b "
    "breaks it down; s sorts; enter looks at the events behind a row."
)


class AnswerTable(BigTable):
    """A table of Cells, which tells their values."""

    def told(self) -> Told:
        found = (self.row(place) or {} for place in range(self.total))
        return told_of(
            {name: list(cell.trend) or cell.value for name, cell in row.items() if name != SOURCE}
            for row in found
        )


class AskedPanels(Vertical):
    """Shows what `asking_work` found; the screen's classes `-course` and `-also` say which of the
    panels are there.
    """

    def __init__(self) -> None:
        super().__init__(id="asked")

    def compose(self) -> Iterable[Widget]:
        yield DefinitionLine(id="definition")
        yield OptionsBar()
        yield FactLines()
        yield ChartPanel(id="course", classes="panel")
        yield AnswerTable(id="answer", classes="panel")
        yield AnswerTable(id="also", classes="panel")

    def on_mount(self) -> None:
        self.rows.HELP = HELP_ROWS  # type: ignore[misc]

    @property
    def course(self) -> ChartPanel:
        return self.query_one("#course", ChartPanel)

    @property
    def also(self) -> BigTable:
        """The list that an answer has beside its rows, such as the ways of `paths`."""
        return self.query_one("#also", BigTable)

    @property
    def rows(self) -> BigTable:
        return self.query_one("#answer", BigTable)

    @property
    def shown(self) -> Sequence[Widget]:
        """Those that can be gone to, from the top down."""
        return [panel for panel in (self.course, self.rows, self.also) if panel.display]

    def ask(self, name: str) -> None:
        """Says at once what is asked, before the answer is there."""
        self.query_one(DefinitionLine).said = Said("asks", (name,))

    def show(self, seen: Seen, found: Found, note: str) -> None:
        """Draws what was found; `note` is what to do where there is nothing to be looked at."""
        self._say(seen, found)
        self._show_chart(found)
        self._show_rows(seen, found, note)

    def _say(self, seen: Seen, found: Found) -> None:
        text = found.text or seen.view.option(WITH)
        settings: list[tuple[str, ...]] = []
        if not found.fault:
            settings = settings_of(text, proposed=bool(found.steps))
        if not settings and found.kind:
            own = [each.removeprefix("--") for each in own_options(found.kind)]
            settings = [("e", f"sets {', '.join(own[:OPTIONS_SAID_MAX])}")] if own else []
        arrow = look_of(self.app).glyphs.folded
        readable = [tuple(text.replace("▸", arrow) for text in setting) for setting in settings]
        self.query_one(DefinitionLine).said = Said("asks", (seen.view.option(ASK),), readable)

    def _show_chart(self, found: Found) -> None:
        self.screen.set_class(found.chart is not None, "-course")
        if found.chart:
            self.course.picture = found.chart

    def _show_rows(self, seen: Seen, found: Found, note: str) -> None:
        table, sheet = self.rows, found.sheet
        self.query_one(FactLines).facts = sheet.facts if sheet else ()
        self._show_also(sheet.listing if sheet else None)
        name = seen.view.option(ASK)
        says = next((each.says for each in found.menu if each.name == name), "")
        table.border_title = clean(says or name)
        table.border_subtitle = f" {clean(sheet.note)} " if sheet and sheet.note else ""
        if sheet is None:
            table.columns = ()
            width = max(FRAME_WIDTH, table.size.width - FRAME_WIDTH)
            said = [row for part in clean(found.fault).split("; ") for row in wrap(part, width)]
            table.advice = ("", *said, "", "e writes its options, esc shows all analyses")
            table.show(None, 0, {})
            return
        table.columns, table.sort = sheet.columns, sheet.sort
        table.reverse, table.descending = seen.view.reverse, sheet.descending
        table.advice = () if sheet.rows else _nothing(found, note)
        goes_on = table.version == sheet.identity
        rows = dict(enumerate(sheet.rows))
        table.show(sheet.identity, len(rows), rows, above=0 if goes_on else None)

    def _show_also(self, listing: Listing | None) -> None:
        self.screen.set_class(listing is not None, "-also")
        if listing is None:
            return
        table, rows = self.also, dict(enumerate(listing.rows))
        goes_on = table.border_title == listing.title
        table.border_title, table.columns = listing.title, listing.columns
        table.show(listing, len(rows), rows, above=0 if goes_on else None)


def _nothing(found: Found, note: str) -> tuple[str, ...]:
    """An answer without rows: what was looked at, and what to do."""
    scanned = found.answer.events_scanned if found.answer else 0
    if not scanned:
        return ("", note)
    events = f"{count(scanned)} event{'s' if scanned != 1 else ''}"
    return ("", f"nothing of that kind among {events}", "", "e writes its options, - more time")
