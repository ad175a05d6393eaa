"""Journeys: what people do next, and after that; or what came before."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from store.analytics.paths.markers import OTHER
from store.analytics.shapes import Answer
from tui.formatting import clean, count
from tui.messages import (
    BranchOpened,
    BranchTurned,
    ResultReady,
    StartPicked,
    StartTyped,
    StoreChanged,
)
from tui.screens.deck_screen import DeckScreen
from tui.store_door import Cancelled, Store
from tui.view_state import Seen, View
from tui.views import journeys
from tui.views.journey_text import text_of_names
from tui.views.journeys import EVERY, Tree, shown_of
from tui.views.names import nothing_here
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.header import Tab
from tui.widgets.journey_tree import JourneyTree
from tui.widgets.start_bar import StartBar

NAMES_MAX: Final = 1_000
BACK: Final = "back"


class JourneysScreen(DeckScreen):
    """A tree that unfolds, from an event or from where sessions start."""

    compares = False
    rests = 5
    AUTO_FOCUS = "JourneyTree"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "start", "start", tooltip="start from another event", id="journeys.start"),
        Binding("r", "turn", "turn round", tooltip="what came before, or next", id="journeys.turn"),
        Binding(
            "c", "count", "count all", tooltip="all events, or what people do", id="journeys.count"
        ),
        Binding("f", "maximise", "maximise", show=False, id="journeys.maximise"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._shown = Tree()
        self._answer: Answer | None = None

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(StartBar(), JourneyTree(id="tree", classes="panel"), id="journeys")

    def on_mount(self) -> None:
        self.tree_panel.border_title = "journeys"

    @property
    def tree_panel(self) -> JourneyTree:
        return self.query_one(JourneyTree)

    # Asking and showing

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        """What people do; all events where nothing is known of people, or where those are wanted."""
        every = seen.view.option("of") == EVERY
        wider = seen.view.option("of") == ""
        same = self._seen is not None and _is_alike(self._seen.view, seen.view)
        ahead = journeys.ahead_of(self._shown) if same and seen.view.option("unfold") else ()

        def ask(store: Store, cancelled: Cancelled) -> tuple[Answer, bool]:
            answer = store.run(
                journeys.question(seen, every=every, ahead=ahead), cancelled=cancelled
            )
            if every or not wider or journeys.holds_something(answer):
                return answer, every
            return store.run(journeys.question(seen, every=True), cancelled=cancelled), True

        return ask

    def store_changed(self, change: StoreChanged) -> None:
        if empty := not change.events:
            self.query_one(EmptyState).advice = first_event(
                self.deck.collector, failed=bool(self.deck.failures)
            )
        self.set_class(empty, "-empty")
        if not empty and self.focused is None:
            self.tree_panel.focus()

    def show(self, seen: Seen, answers: Any) -> None:
        self._answer, every = answers
        self._shown = replace(self._shown, every=every)
        self._draw(self._answer, seen.view)
        shown, panel = self._shown, self.tree_panel
        panel.advice = self._advice(seen, shown) if not shown.branches else ()
        panel.border_title = _title(shown)

    def _draw(self, answer: Answer, view: View) -> None:
        self._shown = journeys.tree(answer, view, every=self._shown.every)
        self.tree_panel.tree_shown = self._shown

    def _advice(self, seen: Seen, shown: Tree) -> tuple[str, ...]:
        if shown.sessions:
            said = f"none of {count(shown.sessions)} sessions has {clean(shown.start)}"
            return ("", said, "", "a starts from another event, - looks at more time")
        stored = self.deck.stored.span if self.deck.stored else None
        return (
            "",
            "no session starts in this time",
            "",
            nothing_here(seen.view, stored, seen.now, seen.zone),
            "",
            "a session is what has one session_id, or else what one user_id or install_id did",
            "with no silence longer than 30m: events with none of the three are in none",
        )

    # What the widgets say

    def on_branch_turned(self, message: BranchTurned) -> None:
        view = self.deck.view
        if message.way and message.way[-1] == OTHER:
            self.deck.look_at(view.with_option("show", str(shown_of(view) * 2)))
        elif message.way:
            there = journeys.turned(self._shown, view, message.way, unfolded=message.unfolded)
            if self._answer:
                self._draw(self._answer, there)
            self.deck.look_at(there)
        else:
            self.action_start()

    def on_branch_opened(self, message: BranchOpened) -> None:
        view = self.deck.view
        options = {
            "start": view.option("start"),
            "turn": view.option("turn"),
            "of": EVERY if self._shown.every else "people",
            "way": text_of_names(message.way),
        }
        there = replace(view, screen="sessions", options=(), sort="", reverse=False)
        for name, text in options.items():
            there = there.with_option(name, text)
        self.deck.look_at(there)

    def on_start_typed(self, message: StartTyped) -> None:
        message.stop()
        bar = self.query_one(StartBar)
        bar.complete(message.text)
        if self._seen and not bar.knows_names:
            work = journeys.names_work(self._seen, every=self._shown.every, limit=NAMES_MAX)
            self.deck.runner.ask("journeys.names", work, self)

    def on_start_picked(self, message: StartPicked) -> None:
        view = self.deck.view.with_option("start", message.name)
        self.deck.look_at(view.with_option("unfold", ""))

    def on_result_ready(self, message: ResultReady) -> None:
        if message.asker == "journeys.names":
            message.stop()
            self.query_one(StartBar).offer(message.result)
        else:
            super().on_result_ready(message)

    # Keys

    def action_start(self) -> None:
        self.query_one(StartBar).open(self.deck.view.option("start"))

    def action_turn(self) -> None:
        view = self.deck.view
        turned = "" if view.option("turn") == BACK else BACK
        self.deck.look_at(view.with_option("turn", turned).with_option("unfold", ""))

    def action_count(self) -> None:
        text = "people" if self._shown.every else EVERY
        self.deck.look_at(self.deck.view.with_option("of", text).with_option("unfold", ""))


def _is_alike(one: View, other: View) -> bool:
    """Whether both show the same tree, perhaps unfolded elsewhere."""
    names = ("start", "turn", "of")
    return one.where == other.where and all(one.option(n) == other.option(n) for n in names)


def _title(shown: Tree) -> str:
    first = f"the first {clean(shown.start)}" if shown.start else ""
    if shown.every and shown.backwards:
        return f"what came before {first} of a session" if first else "what came last in a session"
    if shown.every:
        return f"what comes after {first} of a session" if first else "what comes next"
    if shown.backwards:
        return f"what people did before {first}" if first else "what people did last"
    return f"what people do after {first}" if first else "what people do next"
