"""Analyses: any question that there is, also of a plugin, asked about what one looks at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.errors import StoreError
from store.timespan import TimeSpan
from tui.formatting import clean, count
from tui.messages import (
    OptionsLeft,
    OptionsPicked,
    OptionsTyped,
    ResultReady,
    RowOpened,
    SortPicked,
    StoreChanged,
)
from tui.screens.deck_screen import DeckScreen
from tui.store_door import Cancelled, Store
from tui.theme import look_of
from tui.view_state import Seen, View
from tui.views.answer_chart import answer_chart
from tui.views.answer_columns import SOURCE
from tui.views.answer_drill import behind
from tui.views.asking import Told, options_of, own_options, settings_of
from tui.views.asking_work import ASK, WITH, Found, asking_work
from tui.views.menu_columns import menu_columns
from tui.views.names import nothing_here
from tui.views.option_completion import OptionSuggestions
from tui.widgets.big_table import BigTable
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.definition_line import DefinitionLine, Said
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.fact_lines import FactLines
from tui.widgets.header import Tab
from tui.widgets.options_bar import OptionsBar

# What frame, padding and scrollbar take of the table, and the list beside it.
FRAME_WIDTH: Final = 6
LIST_WIDTH: Final = 20
OPTIONS_SAID_MAX: Final = 4
HELP_LIST: Final = (
    "All questions that there are, ours and those of plugins. enter asks one about the time and "
    "the filter above; esc comes back here."
)
HELP_ROWS: Final = (
    "The answer, as eventdeck query prints it. e writes its options, as on the command line; b "
    "breaks it down; s sorts; enter looks at the events behind a row."
)


class AnalysesScreen(DeckScreen):
    """A list of what can be asked; one that is chosen, and its options, are part of the view."""

    compares = False
    rests = 3
    AUTO_FOCUS = "#menu"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "options", tooltip="write its options", id="analyses.edit"),
        Binding("f", "maximise", "maximise", show=False, id="analyses.maximise"),
        Binding("tab", "panel(1)", "next panel", show=False, system=True, id="analyses.next"),
        Binding(
            "shift+tab", "panel(-1)", "panel before", show=False, system=True, id="analyses.before"
        ),
        Binding("escape", "back", "all analyses", id="analyses.back"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._found: Found | None = None
        self._suggestions: OptionSuggestions | None = None

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Horizontal(
            BigTable(id="menu", classes="panel"),
            Vertical(
                DefinitionLine(id="definition"),
                OptionsBar(),
                FactLines(),
                ChartPanel(id="course", classes="panel"),
                BigTable(id="answer", classes="panel"),
                id="asked",
            ),
            id="analyses",
        )

    def on_mount(self) -> None:
        self.menu.border_title = "analyses"
        self.menu.HELP, self.rows.HELP = HELP_LIST, HELP_ROWS  # type: ignore[misc]
        self.menu.columns = menu_columns()
        self._turn(asked=bool(self.deck.view.option(ASK)))

    @property
    def menu(self) -> BigTable:
        return self.query_one("#menu", BigTable)

    @property
    def course(self) -> ChartPanel:
        return self.query_one("#course", ChartPanel)

    @property
    def rows(self) -> BigTable:
        return self.query_one("#answer", BigTable)

    # Asking and showing

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        width = self.size.width - FRAME_WIDTH - (0 if self.has_class("-narrow") else LIST_WIDTH)
        return asking_work(seen, width, self._steps(seen.view))

    def _steps(self, view: View) -> Sequence[str]:
        """Steps that were proposed for what is still looked at."""
        drawn = self._drawn
        same = drawn and (drawn.where, drawn.span) == (view.where, view.span)
        return self._found.steps if self._found and same else ()

    def whole_view(self, view: View) -> View:
        """With the steps that are drawn, even where nobody wrote them."""
        found = self._found
        return view.with_option(WITH, found.text) if found and found.steps else view

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            self.menu.focus()

    def show(self, seen: Seen, answers: Any) -> None:
        found: Found = answers
        self._show_menu(found.menu, seen.view.option(ASK))
        self._turn(asked=bool(seen.view.option(ASK)))
        self._found = found
        if found.detail:
            self.deck.failed(found.fault, found.detail)
        if seen.view.option(ASK):
            self._say(seen, found)
            self._show_chart(seen, found)
            self._show_answer(seen, found)

    def _show_menu(self, told: Sequence[Told], name: str) -> None:
        """The cursor stands on what is asked."""
        rows = [each.row() for each in told]
        menu = self.menu
        if menu.version != told:
            menu.show(told, len(rows), dict(enumerate(rows)))
        under = menu.row(menu.cursor)
        if name and not menu.has_focus and under and under["name"] != name:
            places = (at for at, row in enumerate(rows) if row["name"] == name)
            menu.place_cursor(next(places, menu.cursor))

    def _turn(self, *, asked: bool) -> None:
        """Between the list alone and an answer."""
        if asked == self.has_class("-asked"):
            return
        self.set_class(asked, "-asked")
        (self.rows if asked else self.menu).focus()
        self.refresh_bindings()

    def _say(self, seen: Seen, found: Found) -> None:
        text = found.text or seen.view.option(WITH)
        settings = [] if found.fault else settings_of(text, proposed=bool(found.steps))
        if not settings and found.kind:
            own = [each.removeprefix("--") for each in own_options(found.kind)]
            settings = [("e", f"sets {', '.join(own[:OPTIONS_SAID_MAX])}")] if own else []
        self.query_one(DefinitionLine).said = Said("asks", (seen.view.option(ASK),), settings)

    def _show_chart(self, seen: Seen, found: Found) -> None:
        glyphs = look_of(self.app).glyphs
        picture = found.answer and answer_chart(found.answer, seen.span, seen.zone, glyphs)
        self.set_class(picture is not None, "-course")
        if picture:
            self.course.picture = picture
        elif self.course.has_focus:
            self.rows.focus()

    def _show_answer(self, seen: Seen, found: Found) -> None:
        table, sheet = self.rows, found.sheet
        self.query_one(FactLines).facts = sheet.facts if sheet else ()
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
        stored = self.deck.stored.span if self.deck.stored else None
        table.columns, table.sort = sheet.columns, sheet.sort
        table.reverse, table.descending = seen.view.reverse, sheet.descending
        table.advice = () if sheet.rows else _nothing(seen, found, stored)
        goes_on = table.version == sheet.identity
        rows = dict(enumerate(sheet.rows))
        table.show(sheet.identity, len(rows), rows, above=0 if goes_on else None)

    # What one does

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()
        if SOURCE not in message.row:
            self._ask(message.row["name"])
            return
        found, view = self._found, self.deck.view
        source = message.row[SOURCE]
        opened = found and behind(view, source, found.attributes, self.deck.now())
        if opened:
            self.deck.look_at(self.deck.on_screen("explore", opened))
        else:
            self.deck.notify("no events can be named for this row", timeout=3)

    def _ask(self, name: str) -> None:
        view = self.deck.view
        if name != view.option(ASK):
            view = replace(view.with_option(WITH, ""), sort="", reverse=False)
            self.deck.look_at(view.with_option(ASK, name))
        elif self.has_class("-asked"):
            self.rows.focus()

    def on_sort_picked(self, message: SortPicked) -> None:
        """The list stands in its order."""
        if self.menu.has_focus:
            message.stop()

    def action_back(self) -> None:
        self.deck.look_at(self.deck.view.with_option(ASK, "").with_option(WITH, ""))

    def action_panel(self, by: int) -> None:
        order = [panel for panel in (self.menu, self.course, self.rows) if panel.display]
        place = order.index(self.focused) if self.focused in order else 0
        order[(place + by) % len(order)].focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`esc` on the list is left to what else it may mean."""
        asked = bool(self.deck.view.option(ASK))
        if action == "back":
            return asked and not self.waiting
        return not (action == "edit" and not asked)

    # The options

    def action_edit(self) -> None:
        bar = self.query_one(OptionsBar)
        bar.fault_of = self._fault
        found, view = self._found, self.deck.view
        if found and found.kind:
            name = view.option(ASK)
            self._suggestions = OptionSuggestions(self.deck.seen(), name, found.kind)
        bar.open((found.text if found else "") or view.option(WITH))

    def on_options_typed(self, message: OptionsTyped) -> None:
        if self._suggestions:
            work = self._suggestions.work(message.text, message.cursor)
            self.deck.runner.ask("analyses.completion", work, self)

    def on_options_left(self, message: OptionsLeft) -> None:
        message.stop()
        self.deck.runner.cancel("analyses.completion")

    def on_result_ready(self, message: ResultReady) -> None:
        if message.asker == "analyses.completion":
            self.query_one(OptionsBar).show_completion(message.result)

    def _fault(self, text: str) -> str:
        found, name = self._found, self.deck.view.option(ASK)
        try:
            if found and found.kind:
                options_of(name, found.kind, text)
        except StoreError as error:
            # Whose options they are is seen: the room is for what is wrong.
            return str(error).removeprefix(f"{name}: ")
        return ""

    def on_options_picked(self, message: OptionsPicked) -> None:
        self.deck.look_at(self.deck.view.with_option(WITH, message.text))


def _nothing(seen: Seen, found: Found, stored: TimeSpan | None) -> tuple[str, ...]:
    """An answer without rows: what was looked at, and what to do."""
    scanned = found.answer.events_scanned if found.answer else 0
    if not scanned:
        return ("", nothing_here(seen.view, stored, seen.now, seen.zone))
    events = f"{count(scanned)} event{'s' if scanned != 1 else ''}"
    return ("", f"nothing of that kind among {events}", "", "e writes its options, - more time")
