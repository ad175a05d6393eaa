"""The dashboard: one view, drawn by the screens; keys, tabs and palette are made out of SCREENS."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.reactive import reactive
from textual.screen import Screen

from tui.cell_diff import CellDiff
from tui.deck import Deck
from tui.formatting import clean
from tui.messages import StoreChanged, StoreFailed, StoreOpened
from tui.meter import Meter
from tui.pauses import keep_pauses_short
from tui.query_runner import QueryRunner
from tui.screens import SCREENS, Entry
from tui.screens.deck_screen import DeckScreen
from tui.store_door import OpenStore, Store
from tui.store_watch import StoreWatch
from tui.theme import THEMES, css_variables
from tui.view_state import History, Seen, View, remember
from tui.viewing import Viewing
from tui.widgets.header import Rates, Status, Tab

log = logging.getLogger(__name__)

TICK: Final = timedelta(seconds=1)
# A little less than a tick, so that a change just before one does not wait for the one after.
ASK_INTERVAL_MIN: Final = timedelta(milliseconds=900)
# An answer younger than this is not dimmed: most arrive sooner, and dimming costs a whole frame.
STALE_AFTER: Final = timedelta(milliseconds=400)
# The same holds for saying what is done for the first one.
SAID_AFTER: Final = timedelta(milliseconds=500)
RATE_WINDOW: Final = timedelta(seconds=5)
# By then the first answers are on screen.
SCREENS_AFTER: Final = timedelta(seconds=2)
DEFAULT_THEME: Final = "eventdeck-dark"

_TABS: Final[tuple[Tab, ...]] = tuple((s.key, s.label, s.mode) for s in SCREENS)


def _screen_factory(entry: Entry) -> Callable[[], Screen[Any]]:
    return lambda: entry.load()(entry.mode, _TABS)


class DeckApp(CellDiff, Viewing):
    """The dashboard on one store.

    Text from events reaches the terminal through formatting.clean only, and is never markup.
    """

    CSS_PATH = "app.tcss"
    TITLE = "eventdeck"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {
        screen.mode: _screen_factory(screen) for screen in SCREENS
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(s.key, f"go('{s.mode}')", f"go to {s.label}", show=False, id=f"screen.{s.mode}")
            for s in SCREENS
        ),
    ]

    collector: reactive[str | None] = reactive(None, init=False)
    """The address of the collector that serves this store; may be set once it is known."""

    def __init__(
        self,
        open_store: OpenStore,
        *,
        collector: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
        view: View | None = None,
        view_file: Path | None = None,
        ascii_glyphs: bool = False,
        theme: str = DEFAULT_THEME,
        keys: Mapping[str, str] | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """`open_store` is called in the query thread, after the first frame; `collector` is the
        address of the one that serves this store (None: none does); `view_file` is where the
        view is kept for the next start; `keys` are those that act instead of a binding's own,
        by its id.
        """
        view = view or View()
        # Else Textual begins with an empty screen, and styles everything twice.
        is_known = view.screen in self.MODES
        self.DEFAULT_MODE = view.screen if is_known else SCREENS[0].mode  # type: ignore[misc]
        super().__init__(driver_class=driver_class)
        self.set_reactive(DeckApp.collector, collector)
        self.zone = zone
        self.ascii_glyphs = ascii_glyphs
        self.history = History(view)
        self.stored: StoreChanged | None = None
        self.failures: deque[tuple[datetime, str, str]] = deque(maxlen=100)
        self.runner = QueryRunner(open_store, self.post_message)
        for known in THEMES:
            self.register_theme(known)
        # Before the style sheet is read: changing it later would read the sheet again.
        self.set_reactive(DeckApp.theme, theme)
        self.stylesheet.set_variables(self.get_css_variables())
        self._clock = clock
        self._view_file = view_file
        self._keys = dict(keys or {})
        self._watch: StoreWatch | None = None
        self._store: Store | None = None
        self._held: datetime | None = None
        self._left_at: int | None = None
        self._last_ask: datetime | None = None
        self._ticked: datetime | None = None
        self._waiting_since: datetime | None = None
        self._arrivals = Meter(RATE_WINDOW)
        self._sent = Meter(RATE_WINDOW)

    # What one looks at

    @property
    def store(self) -> Store | None:
        """The store once it is open; ask it through `runner` only."""
        return self._store

    @property
    def generation(self) -> str:
        return self.stored.generation if self.stored else ""

    @property
    def deck_screen(self) -> DeckScreen | None:
        """The screen, when it is one of SCREENS (not a box over it) and stands."""
        # The last beats while the app closes find no screen, or one that lost its widgets.
        if not (self.is_running and self.screen_stack):
            return None
        screen = self.screen
        return screen if isinstance(screen, DeckScreen) and screen.ready else None

    def now(self) -> datetime:
        """The instant that the view takes for now: a paused one stands still."""
        return self._held or self._clock()

    def view_to_copy(self) -> View:
        screen = self.deck_screen
        return screen.whole_view(self.view) if screen else self.view

    def seen(self) -> Seen:
        now = self.now()
        return Seen(self.view, self.view.at(now), now, self.zone)

    def view_changed(self, before: View) -> None:
        view = self.view
        self._ticked = None
        if view.paused != before.paused:
            self._held = self._clock() if view.paused else None
        at_edge = view.live and not view.paused
        self._left_at = None if at_edge else self._left_at or self._events()
        if view.screen != self.current_mode:
            self._waiting_since = None
            self.switch_mode(view.screen)
        if self._view_file:
            remember(self._view_file, view)
        self._show_status()
        self.call_after_refresh(self.ask, forced=True)

    # The beat

    def on_mount(self) -> None:
        if self._keys:
            self.set_keymap(self._keys)
        self.set_class(self.ascii_glyphs, "-ascii")
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """The first frame is out: now the store is opened, which imports Polars."""
        self._show_status()
        keep_pauses_short(self)
        self.set_timer(0.01, self.runner.start)
        self.set_interval(TICK.total_seconds() / 4, self._beat)

    def _beat(self) -> None:
        """Four times a second looks whether a second began; so the clock never skips one."""
        now = self._clock()
        self._tick(now)
        self._show_status()
        self._dim_late_answers(now)
        if not self.view.paused:
            self.ask(forced=False)

    def _tick(self, now: datetime) -> None:
        """Tells the screen that a second went by, once for each."""
        second = now.replace(microsecond=0)
        if second != self._ticked and (screen := self.deck_screen):
            self._ticked = second
            self._measure(now)
            screen.ticked(self.seen())

    def ask(self, *, forced: bool) -> None:
        """Lets the screen ask: at once when `forced`, else at most once a tick."""
        screen, now = self.deck_screen, self._clock()
        if self._store is None or screen is None:
            return
        recent = self._last_ask and timedelta() <= now - self._last_ask < ASK_INTERVAL_MIN
        if recent and not forced:
            return
        if screen.ask(self.seen(), forced=forced):
            self._last_ask = now
            self._waiting_since = self._waiting_since or now

    def _measure(self, now: datetime) -> None:
        if self.stored:
            self._arrivals.take(now, self.stored.events)
        self._sent.take(now, self.bytes_sent)

    def _show_status(self) -> None:
        screen = self.deck_screen
        if screen is None:
            return
        now = self.now().replace(microsecond=0)
        waited = self._clock() - self._waiting_since if self._waiting_since else timedelta()
        status = Status(
            now=now,
            view=self.view,
            zone=self.zone,
            new_events=max(self._events() - self._left_at, 0) if self._left_at is not None else 0,
            waiting_seconds=int(waited.total_seconds()),
            store_open=self._store is not None,
            scope=screen.scope,
            compares=screen.compares,
            unreadable=screen.unreadable,
        )
        screen.set_status(status, Rates(self._arrivals.rate(), self._sent.rate()))

    def _dim_late_answers(self, now: datetime) -> None:
        screen = self.deck_screen
        if screen is None or not screen.waiting:
            self._waiting_since = None
            return
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since >= STALE_AFTER:
            screen.set_stale(stale=True)
        if now - self._waiting_since >= SAID_AFTER:
            screen.say_that_it_reads()

    def _events(self) -> int:
        return self.stored.events if self.stored else 0

    def on_store_opened(self, message: StoreOpened) -> None:
        self._store = message.store
        self._watch = StoreWatch(message.store, self.post_message)
        self._watch.start()
        self._show_status()
        self.set_timer(SCREENS_AFTER.total_seconds(), self._load_screens)

    def _load_screens(self) -> None:
        """In a thread: so that the first key to another screen need not wait for its module."""
        self.run_worker(lambda: [entry.load() for entry in SCREENS], thread=True)

    def on_store_failed(self, message: StoreFailed) -> None:
        self.failed(message.sentence)
        if self.deck_screen:
            self.deck_screen.store_failed(message.sentence)

    def on_store_changed(self, message: StoreChanged) -> None:
        # Of an empty store the first event is shown at once, and not with the next tick.
        first = self.stored is None or not self.stored.events
        self.stored = message
        if self.deck_screen:
            self.deck_screen.store_changed(message)
        if first or not self.view.paused:
            self.ask(forced=first)

    def watch_collector(self) -> None:
        if self.stored and self.deck_screen:
            self.deck_screen.store_changed(self.stored)

    def failed(self, sentence: str, detail: str = "") -> None:
        """Says what failed in a toast; the full text is kept for Health."""
        if self.failures and self.failures[-1][1] == sentence:
            return  # the same at every tick
        log.warning("%s\n%s", sentence, detail)
        self.failures.append((self._clock(), sentence, detail))
        self.notify(clean(sentence), severity="error", markup=False, timeout=8)

    async def on_unmount(self) -> None:
        self.runner.close()
        if self._watch:
            self._watch.stop()

    def get_css_variables(self) -> dict[str, str]:
        return {**super().get_css_variables(), **css_variables(self.current_theme)}


if TYPE_CHECKING:  # what screens are promised
    _: type[Deck] = DeckApp
