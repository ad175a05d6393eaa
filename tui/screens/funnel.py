"""Funnel: how many go from step to step, who does not, and how that goes over time."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.messages import (
    ExclusionsPicked,
    QueryFailed,
    ResultReady,
    RowOpened,
    RowsWanted,
    StepOpened,
    StepsLeft,
    StepsPicked,
    StepsTyped,
    StoreChanged,
)
from tui.plots.chart import GUTTER
from tui.screens.deck_screen import DeckScreen
from tui.store_door import Cancelled, Store
from tui.view_state import Seen, View
from tui.views.funnel_work import funnel_work
from tui.views.intervals import interval_for
from tui.views.names import nothing_here
from tui.views.people import stop_text
from tui.views.settings import (
    count_choices,
    order_choices,
    per_choices,
    read_window,
    value_choices,
    window_choices,
)
from tui.views.step_completion import AFTER_EXCLUDED, StepSuggestions
from tui.views.step_text import joined
from tui.views.steps import Stop
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.entry_bar import EntryBar
from tui.widgets.exclude_bar import ExcludeBar
from tui.widgets.funnel_panels import FRAME_WIDTH, FunnelPanels
from tui.widgets.header import Tab
from tui.widgets.picker import Picker
from tui.widgets.steps_bar import StepsBar

# Shares of few jump: fewer points than a chart of counts has.
COLUMNS_A_POINT: Final = 3
CHANGES: Final = ("edit", "window", "order", "per", "exclude", "count", "value", "why")
DRILLED: Final = ("user", "who", "why")
"""What one may have opened, the innermost first."""


class FunnelScreen(DeckScreen):
    """How many go from step to step. What one drilled into is part of the view: `who` is a number
    of the funnel, `user` one of those it counts, `why` the step whose reasons are shown.
    """

    compares = False
    AUTO_FOCUS = "StepsPanel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "steps", tooltip="write the steps", id="funnel.edit"),
        Binding("w", "why", "why", tooltip="what sets those who came apart", id="funnel.why"),
        Binding("l", "window", "within", tooltip="in what time they count", id="funnel.window"),
        Binding("o", "order", "what may lie between the steps", show=False, id="funnel.order"),
        Binding("u", "per", "whose steps: users, sessions, …", show=False, id="funnel.per"),
        Binding("X", "exclude", "what must not happen between", show=False, id="funnel.exclude"),
        Binding("c", "count", "once each, or all attempts", show=False, id="funnel.count"),
        Binding("a", "value", "whose value a breakdown is by", show=False, id="funnel.value"),
        Binding("f", "maximise", "maximise", show=False, id="funnel.maximise"),
        Binding("tab", "panel(1)", "next panel", show=False, system=True, id="funnel.next"),
        Binding(
            "shift+tab", "panel(-1)", "panel before", show=False, system=True, id="funnel.previous"
        ),
        Binding("escape", "back", "back", id="funnel.back"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._suggestions: StepSuggestions | None = None

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield FunnelPanels()

    @property
    def panels(self) -> FunnelPanels:
        return self.query_one(FunnelPanels)

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        columns = self.size.width - FRAME_WIDTH - GUTTER
        interval = interval_for(seen.span.length, columns // COLUMNS_A_POINT)
        return funnel_work(seen, interval, self.panels.definition)

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            self.panels.innermost.focus()

    def show(self, seen: Seen, answers: Any) -> None:
        stored = self.deck.stored.span if self.deck.stored else None
        panels, before = self.panels, self.panels.innermost
        panels.show(seen, answers, nothing_here(seen.view, stored, seen.now, seen.zone))
        if panels.innermost is not before:
            panels.innermost.focus()

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker == self.mode:
            self.panels.fail(message.sentence)

    # Drilling in

    def on_step_opened(self, message: StepOpened) -> None:
        self._drill("who", stop_text(Stop(message.step, message.gone)))

    def on_row_opened(self, message: RowOpened) -> None:
        row = message.row
        match self.focused.id if self.focused else None:
            case "people" | "few" if row["user"]:
                self._drill("user", row["user"])
            case "groups" if not row["group"].folded:
                self._narrow(row["group"].key)
            case "why" if row["did"]:
                self.post_message(RowsWanted((row["term"],)))
            case "why":
                self._narrow(dict([row["term"]]))
            case "journey" if (journey := self.panels.journey) and self.panels.definition:
                who = (self.panels.definition.per, journey.user)
                self.post_message(RowsWanted((who,), journey.span))

    def _drill(self, name: str, text: str) -> None:
        self.deck.look_at(self.whole_view(self.deck.view).with_option(name, text))

    def _narrow(self, key: Any) -> None:
        """To those of one breakdown value."""
        from store.analytics.filters import term

        ((name, value),) = key.items()
        narrowed = self.deck.view.narrowed(term(name, "=", value).text())
        self.deck.look_at(replace(narrowed.with_option("why", ""), by=""))

    def whole_view(self, view: View) -> View:
        """With the steps that are drawn, even where nobody wrote them."""
        drawn = self.panels.definition
        return drawn.in_view(view) if drawn and drawn.proposed and drawn.steps else view

    def action_back(self) -> None:
        view = self.deck.view
        innermost = next(name for name in DRILLED if view.option(name))
        self.deck.look_at(view.with_option(innermost, ""))

    def action_why(self) -> None:
        """Of the step under the cursor; of the first one, the last."""
        drawn, stop = self.panels.definition, self.panels.steps.stop
        if drawn is None or stop is None or len(drawn.steps) < 2:
            self.deck.notify("one step alone has no why; e writes more", timeout=3)
            return
        view = self.whole_view(_undrilled(self.deck.view))
        self.deck.look_at(
            view.with_option("why", str(stop.step + 1 if stop.step else len(drawn.steps)))
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`esc` is left to what else it may mean while nothing is open; over an empty store there
        is no funnel to change.
        """
        if action == "back":
            view = self.deck.view
            return any(map(view.option, DRILLED)) and not self.waiting
        return not (self.has_class("-empty") and action in CHANGES)

    # What is counted

    def action_exclude(self) -> None:
        self._suggestions = StepSuggestions(self.deck.seen(), AFTER_EXCLUDED)
        bar, drawn = self.query_one(ExcludeBar), self.panels.definition
        bar.definition = drawn
        bar.open(joined(drawn.exclude) if drawn else "")

    def on_exclusions_picked(self, message: ExclusionsPicked) -> None:
        view = self.whole_view(_undrilled(self.deck.view))
        self.deck.look_at(view.with_option("exclude", message.text))

    def action_edit(self) -> None:
        self._suggestions = StepSuggestions(self.deck.seen())
        drawn = self.panels.definition
        self.query_one(StepsBar).open(joined(drawn.steps) if drawn else "")

    def on_steps_typed(self, message: StepsTyped) -> None:
        if self._suggestions:
            work = self._suggestions.work(message.text, message.cursor)
            self.deck.runner.ask("funnel.completion", work, self)

    def on_steps_left(self, message: StepsLeft) -> None:
        message.stop()
        self.deck.runner.cancel("funnel.completion")

    def on_steps_picked(self, message: StepsPicked) -> None:
        self.deck.look_at(_undrilled(self.deck.view).with_option("steps", message.text))

    def _pick(self, name: str) -> Callable[[str | None], None]:
        """Takes what a picker gives for one of the settings; None is no choice."""

        def pick(text: str | None) -> None:
            if text is not None:
                self.deck.look_at(self.deck.view.with_option(name, text))

        return pick

    def action_window(self) -> None:
        choices = window_choices(self.deck.view.length)
        picker = Picker("within what time", choices, placeholder="7d, 90m, …", read=read_window)
        self.app.push_screen(picker, self._pick("window"))

    def action_order(self) -> None:
        picker = Picker("what may lie between the steps", order_choices())
        self.app.push_screen(picker, self._pick("order"))

    def action_count(self) -> None:
        self.app.push_screen(Picker("what is counted", count_choices()), self._pick("count"))

    def action_value(self) -> None:
        drawn = self.panels.definition
        choices = value_choices(drawn.steps if drawn else ())
        self.app.push_screen(Picker("by whose value", choices), self._pick("value"))

    def action_per(self) -> None:
        """The attributes are asked for first: the store knows them."""
        self.deck.runner.ask(
            "funnel.attributes", lambda store, _: sorted(store.column_types()), self
        )

    def on_result_ready(self, message: ResultReady) -> None:
        match message.asker:
            case "funnel.completion":
                for bar in self.panels.query(EntryBar):
                    if bar.is_open:
                        bar.show_completion(message.result)
            case "funnel.attributes":
                picker = Picker("whose steps", per_choices(message.result))
                self.app.push_screen(picker, self._pick("per"))

    def action_panel(self, by: int) -> None:
        order = list(self.panels.shown)
        place = order.index(self.focused) if self.focused in order else 0
        order[(place + by) % len(order)].focus()


def _undrilled(view: View) -> View:
    for name in DRILLED:
        view = view.with_option(name, "")
    return view
