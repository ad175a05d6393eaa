"""Analyses: any question that there is, also of a plugin, asked about what one looks at."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from store.errors import StoreError
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
from tui.views.answer_columns import SOURCE
from tui.views.answer_drill import behind
from tui.views.asking import Told, menu, options_of
from tui.views.asking_work import ASK, WITH, Found, asking_work
from tui.views.menu_columns import menu_columns
from tui.views.names import nothing_here
from tui.views.option_completion import OptionSuggestions
from tui.widgets.asked_panels import FRAME_WIDTH, AskedPanels
from tui.widgets.big_table import BigTable
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.header import Tab
from tui.widgets.options_bar import OptionsBar

LIST_WIDTH: Final = 20
"""What the list takes beside an answer."""
HELP_LIST: Final = (
    "All questions that there are, ours and those of plugins. enter asks one about the time and "
    "the filter above; esc comes back here."
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
            AskedPanels(),
            id="analyses",
        )

    def on_mount(self) -> None:
        self.menu.border_title = "analyses"
        self.menu.HELP = HELP_LIST  # type: ignore[misc]
        self.menu.columns = menu_columns()
        self._turn(asked=bool(self.deck.view.option(ASK)))

    @property
    def menu(self) -> BigTable:
        return self.query_one("#menu", BigTable)

    @property
    def panels(self) -> AskedPanels:
        return self.query_one(AskedPanels)

    # Asking and showing

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        width = self.size.width - FRAME_WIDTH - (0 if self.has_class("-narrow") else LIST_WIDTH)
        if seen.view.option(ASK) and seen.view != self._drawn:
            self.panels.ask(seen.view.option(ASK))
        return asking_work(seen, width, look_of(self.app).glyphs, self._steps(seen.view))

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
        if self._found is None:  # the list need not wait for an answer
            self.deck.runner.ask("analyses.menu", lambda store, _: menu(store.analyses), self)

    def show(self, seen: Seen, answers: Any) -> None:
        found: Found = answers
        self._show_menu(found.menu, seen.view.option(ASK))
        self._turn(asked=bool(seen.view.option(ASK)))
        self._found = found
        if found.detail:
            self.deck.failed(found.fault, found.detail)
        if seen.view.option(ASK):
            stored = self.deck.stored.span if self.deck.stored else None
            self.panels.show(seen, found, nothing_here(seen.view, stored, seen.now, seen.zone))
            if self.focused is not None and not self.focused.display:
                self.panels.rows.focus()

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
        (self.panels.rows if asked else self.menu).focus()
        self.refresh_bindings()

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
            self.panels.rows.focus()

    def on_sort_picked(self, message: SortPicked) -> None:
        """The list stands in its order."""
        if self.menu.has_focus:
            message.stop()

    def action_back(self) -> None:
        self.deck.look_at(self.deck.view.with_option(ASK, "").with_option(WITH, ""))

    def action_panel(self, by: int) -> None:
        order = [panel for panel in (self.menu, *self.panels.shown) if panel.display]
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
        elif message.asker == "analyses.menu":
            self._show_menu(message.result, self.deck.view.option(ASK))

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
