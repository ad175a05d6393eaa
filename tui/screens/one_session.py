"""The half of Sessions that shows one of them: its parts over time, its events, one in full."""

from collections.abc import Mapping
from typing import Any, Final

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.analytics.shapes import Timeline
from store.timespan import TimeSpan
from tui.formatting import clean, count
from tui.messages import PageWanted, ResultReady, RowReached, SpanPicked, ValueOpened
from tui.plots.chart import Mark
from tui.screens.deck_screen import DeckScreen
from tui.view_state import Seen, View
from tui.views import session_events
from tui.views.session_events import Opened
from tui.views.session_lanes import lanes_of
from tui.views.value_uses import Use, value_uses
from tui.widgets.big_table import BigTable
from tui.widgets.event_detail import EventDetail
from tui.widgets.header import Tab
from tui.widgets.lanes import Lanes, LanesShown
from tui.widgets.picker import Picker

LANES_MAX: Final = 6
LANES_LOW: Final = 4


class OneSession(DeckScreen):
    """What there is to an opened session; a subclass opens and closes it."""

    rests = 3

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._opened: Opened | None = None

    def session_body(self) -> Widget:
        """The widgets of an opened session."""
        return Vertical(
            Lanes(id="lanes", classes="panel"),
            Horizontal(
                BigTable(id="timeline", classes="panel"),
                EventDetail(id="session-event", classes="panel"),
                id="session-events",
            ),
            id="one-session",
        )

    @property
    def timeline(self) -> BigTable:
        return self.query_one("#timeline", BigTable)

    @property
    def lanes(self) -> Lanes:
        return self.query_one(Lanes)

    @property
    def detail(self) -> EventDetail:
        return self.query_one(EventDetail)

    def show_session(self, seen: Seen, opened: Opened) -> None:
        """Another session, or the same with what came in since."""
        timeline = self.timeline
        is_same = self._opened is not None and _same(self._opened, opened)
        self._opened = opened
        timeline.columns = session_events.timeline_columns(opened)
        timeline.border_title = f"{count(opened.rows.total)} events"
        self.lanes.border_title = session_events.title_of(opened.session, seen.zone)
        self._show_lanes(timeline.row(timeline.cursor) if is_same else None)
        timeline.show(opened.rows, opened.rows.total, opened.page, above=0 if is_same else None)

    def _show_lanes(self, row: Mapping[str, Any] | None) -> None:
        """When in the session each part was at work, and where the cursor stands."""
        opened = self._opened
        if opened is None:
            return
        assert isinstance(opened.course.result, Timeline)
        lanes = lanes_of(opened.course.result, LANES_LOW if self.has_class("-low") else LANES_MAX)
        self.lanes.styles.height = len(lanes) + 3
        mark = Mark(row["event_time"], "") if row else None
        self.lanes.shown = LanesShown(opened.span, lanes, mark, self.deck.zone)

    def open_detail(self, row: RowReached) -> None:
        """All of the event that a line stands for."""
        self.add_class("-detail")
        self.on_row_reached(row)
        self.detail.focus()

    # What the widgets say

    def want_events(self, message: PageWanted) -> None:
        """The lines that the timeline lacks."""
        rows: Any = message.version
        self.deck.runner.ask(
            "sessions.events", lambda *_: (rows, session_events.page(rows, message.places)), self
        )

    def on_row_reached(self, message: RowReached) -> None:
        if self._opened is None or "event_name" not in message.row:
            return
        self._show_lanes(message.row)
        if self.has_class("-detail"):
            read = session_events.event_of(self._opened.rows, message.row)
            self.deck.runner.ask("sessions.event", read, self)

    def on_value_opened(self, message: ValueOpened) -> None:
        name, value = message.attribute, message.value
        uses = value_uses(self.deck.on_screen("explore", self.deck.view), name, value)
        self.app.push_screen(Picker(clean(f"{name} {value}")[:60], uses), self._use)

    def _use(self, use: Use | None) -> None:
        if isinstance(use, View):
            self.deck.look_at(use)
        elif use is not None:
            self.deck.copy_text(use)

    def on_span_picked(self, message: SpanPicked) -> None:
        """A step of the lanes: to its first event."""
        message.stop()
        opened, span = self._opened, message.span
        if opened is None or not isinstance(span, TimeSpan):
            return
        later: Any = lambda *_: opened.rows.newer_than(span.start)  # noqa: E731
        self.deck.runner.ask("sessions.place", later, self)
        self.timeline.focus()

    def session_result(self, message: ResultReady) -> None:
        """What was asked beside the session itself."""
        match message.asker:
            case "sessions.events":
                version, rows = message.result
                self.timeline.fill(version, rows)
            case "sessions.event":
                self.detail.show(message.result, self.deck.zone)
            case "sessions.place" if self._opened:
                self.timeline.place_cursor(self._opened.rows.total - message.result)


def _same(one: Opened, other: Opened) -> bool:
    names = ("session_id", "user_id", "start")
    return all(one.session[name] == other.session[name] for name in names)
