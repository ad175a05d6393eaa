"""What every screen has: the two rows on top, the keys at the bottom, one question at a time."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import ClassVar, Final, cast

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget

from store.analytics.query import Query
from store.analytics.shapes import Answer
from tui.deck import Deck
from tui.formatting import clean
from tui.messages import QueryFailed, ResultReady, StoreChanged
from tui.store_door import Cancelled, Store
from tui.theme import look_of
from tui.view_state import Seen, View
from tui.views.waiting import cancelled, reading
from tui.widgets.completions import Completions
from tui.widgets.drawn import Drawn
from tui.widgets.empty_state import EmptyState
from tui.widgets.filter_bar import FilterBar
from tui.widgets.footer import Footer
from tui.widgets.header import Header, Rates, SpanRow, Status, Tab
from tui.widgets.lines import Advice

Answers = Mapping[str, Answer]
LONG_SECONDS: Final = 0.25


class DeckScreen(Screen[None]):
    """One screen of the dashboard; SCREENS lists them.

    A subclass says what it shows (`body`), what it asks (`questions`) and what it does with the
    answers (`show`). It asks again at every change of the view and, live, as time goes on.
    """

    ALLOW_IN_MAXIMIZED_VIEW = "#top, #footer, Completions"
    compares: bool = True
    """Whether it shows the span before as well, where the view wants it."""
    rests: ClassVar[int] = 0
    """A live answer that took long is not asked for again for so many times as long; a change of
    the view is. 0: whenever something is new."""
    scope: ClassVar[str] = ""
    """What it shows, when that is not the view's span and filter."""
    # On every size class there is a layout of its own; app.tcss has them.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's type
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        """`mode` is its name in the text of a view; `tabs` are all screens'."""
        super().__init__()
        self.mode = mode
        # The style sheet is up to date: Textual would read all of it again for a new screen.
        self._css_update_count = self.app._css_update_count  # noqa: SLF001
        self.ready = False
        """Its widgets stand and can be told things."""
        self.unreadable = 0
        """Parts whose events are missing from what is drawn, since they could not be read."""
        self._tabs = tabs
        self._asked: object = None
        self._seen: Seen | None = None
        self._drawn: View | None = None
        self._given_up: View | None = None
        self._says_that_it_reads = False
        self._ticket = -1
        self._rests_until = 0.0

    @property
    def deck(self) -> Deck:
        """The app, as far as screens go."""
        return cast(Deck, self.app)

    def compose(self) -> ComposeResult:
        yield Vertical(Header(self._tabs, self.mode), SpanRow(), FilterBar(), id="top")
        yield from self.body()
        yield Footer()
        yield Completions()

    def body(self) -> Iterable[Widget]:
        """The widgets between the span row and the footer."""
        raise NotImplementedError

    def questions(self, seen: Seen) -> Mapping[str, Query]:
        """What to ask the store, by names of the screen's own; called once the store is open."""
        raise NotImplementedError

    def show(self, seen: Seen, answers: Answers) -> None:
        """Draws the answers to `questions`; `seen` is the view that they were asked for."""
        raise NotImplementedError

    def whole_view(self, view: View) -> View:
        """The view with all that the screen filled in."""
        return view

    def store_changed(self, change: StoreChanged) -> None:
        """The store holds other parts than before; the questions are asked again anyway."""

    def store_failed(self, sentence: str) -> None:
        """There is nothing to show, and why."""
        for panel in self.query(EmptyState):
            panel.advice = tuple((part, "error") for part in clean(sentence).split("; "))
        self.add_class("-empty")

    def ticked(self, seen: Seen) -> None:
        """A second went by."""

    def ask(self, seen: Seen, *, forced: bool) -> bool:
        """Asks when something is new, and says whether it did; a tick never overtakes a question
        that still runs, a change of the view (`forced`) does.
        """
        asked = (seen.view, seen.span, self.size, self.deck.generation)
        if asked == self._asked or not self.size or seen.view == self._given_up:
            return False
        rests = time.monotonic() < self._rests_until
        if not forced and (rests or self.deck.runner.busy(self.mode)):
            return False
        self._asked, self._given_up = asked, None
        self._seen = seen
        self._ticket = self.deck.runner.ask(self.mode, self.work(seen), self)
        return True

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        """What is done off the event loop for `show`: the questions, unless a screen adds to it."""
        return together(self.questions(seen))

    @property
    def waiting(self) -> bool:
        """True while the answer to another view than the one that is drawn is awaited; the next
        tick of the same view is nothing that one waits for.
        """
        return self._seen is not None and self._seen.view != self._drawn

    def ask_again(self) -> None:
        """Asks even though nothing is new, such as after a panel asks for other data."""
        self._asked = self._given_up = None
        self.deck.ask(forced=True)

    def on_result_ready(self, message: ResultReady) -> None:
        message.stop()
        # The runner drops outdated answers; one may still be on its way in the message queue.
        is_newest = message.asker == self.mode and message.ticket == self._ticket
        if is_newest and self._seen and self.children:
            self._drawn = self._seen.view
            self.unreadable = _unreadable(message.result)
            is_long = message.seconds >= LONG_SECONDS
            self._rests_until = time.monotonic() + self.rests * message.seconds * is_long
            self.set_stale(stale=False)
            self.say_instead()
            self.show(self._seen, message.result)

    def on_query_failed(self, message: QueryFailed) -> None:
        message.stop()
        if message.ticket == self._ticket and self._seen:
            self._drawn = self._seen.view
            self.set_stale(stale=False)
            self.say_instead()
            self.deck.failed(message.sentence, message.detail)

    def set_stale(self, *, stale: bool) -> None:
        """Dims the last good answer, or not."""
        if stale and self._drawn is None:
            return  # there is none yet, and blank panels in another grey are 4 kB
        for panel in self.query(Drawn).exclude("Header, SpanRow, Footer, Completions"):
            panel.set_stale(stale)

    def say_that_it_reads(self) -> None:
        """The first answer takes long: says what is done for it, in the same words until then."""
        if self._drawn is None and self._seen and not self._says_that_it_reads:
            glyphs = look_of(self.app).glyphs
            self.say_instead(reading(self._seen, self.deck.stored, glyphs))
            self._says_that_it_reads = True

    def say_instead(self, advice: Advice = ()) -> None:
        """What the largest panel says in place of a picture; nothing, as soon as there is one."""
        self._says_that_it_reads = False
        panels = [panel for panel in self.query(".panel").results(Drawn) if panel.is_on_screen]
        largest = max(panels, key=lambda panel: panel.size.area, default=None)
        for panel in self.query(Drawn):
            panel.say_instead(advice if panel is largest else ())

    def key_escape(self) -> None:
        """Nobody waits any longer: back to the view that is drawn; without one, the view stands.
        Else back to the screen that one drilled in from. A row that is written in is left first.
        """
        if self.has_class("-writing"):
            return
        if self.waiting:
            self.deck.runner.cancel(self.mode)
            self._asked = None
            self.set_stale(stale=False)
            if self._drawn:
                self.deck.look_at(self._drawn)
            else:
                self._give_up()
            self.deck.notify("cancelled", timeout=3)
        elif (before := self.deck.history.before) and before[-1].screen != self.mode:
            self.deck.action_undo()

    def _give_up(self) -> None:
        """Asks for nothing until one looks at something else; what is live is paused."""
        view = self.deck.view
        if view.live and not view.paused:
            self.deck.action_pause()
        self._given_up, self._seen = self.deck.view, None
        self.say_instead(cancelled(live=view.live))

    def on_mount(self) -> None:
        # Textual calls this in every class of the chain: a subclass has its own beside it.
        self.ready = True
        if self.deck.stored:
            self.store_changed(self.deck.stored)

    def on_resize(self) -> None:
        self.deck.ask(forced=False)

    def action_maximise(self) -> None:
        """The focused panel alone, or all of them again."""
        if self.maximized:
            self.minimize()
        elif self.focused:
            self.maximize(self.focused, container=False)

    def set_compares(self, compares: bool) -> None:
        """For a screen that compares some of what it shows; the span row says it at once."""
        self.compares = compares
        for row in self.query(SpanRow):
            row.status = row.status and replace(row.status, compares=compares)

    def set_status(self, status: Status, rates: Rates) -> None:
        """Data goes down: what the rows on top say."""
        # A loop, not query_one: the last beat may find the widgets gone.
        for header in self.query(Header):
            header.status = status
        for span_row in self.query(SpanRow):
            span_row.status = status
            span_row.rates = rates


def together(questions: Mapping[str, Query]) -> Callable[[Store, Cancelled], Answers]:
    """All questions in one pass over the store, the answers by their names."""

    def work(store: Store, cancelled: Cancelled) -> Answers:
        answers = store.run_all(tuple(questions.values()), cancelled=cancelled)
        return dict(zip(questions, answers, strict=True))

    return work


def _unreadable(result: object) -> int:
    """How many parts the answers lack: all are about one instant, and about one span or two."""
    found = result.values() if isinstance(result, Mapping) else ()
    return max((getattr(each, "unreadable_parts", 0) for each in found), default=0)
