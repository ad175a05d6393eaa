"""Sessions: what people did in one go; the list of them, or one event by event."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.analytics.shapes import Answer
from tui.formatting import count
from tui.messages import (
    PageWanted,
    QueryFailed,
    ResultReady,
    RowOpened,
    RowReached,
    StoreChanged,
)
from tui.screens.one_session import OneSession
from tui.store_door import Cancelled, Store
from tui.theme import look_of
from tui.view_state import Seen, View
from tui.views import session_events, session_list
from tui.views.names import nothing_here
from tui.views.session_events import closed, opening, opens
from tui.views.session_list import AHEAD, STATS, Listed, came_by_journey
from tui.widgets.big_table import BigTable
from tui.widgets.empty_state import EmptyState, first_event
from tui.widgets.header import Tab
from tui.widgets.lanes import NAME_WIDTH
from tui.widgets.stat_panel import StatPanel

FRAME_WIDTH: Final = 4
HELP_LIST: Final = (
    "Sessions that start in the time above. A session is what has one session_id, or else what one "
    "user did without a silence of 30 minutes; acts are what a person did, parts the components "
    "that took part, the line is when it was among those in view, red where something went wrong."
)
HELP_SESSION: Final = (
    "Everything that happened in the session, whatever the filter; where in it, and how long it "
    "took. Above, when each component was at work: click there to go to that time."
)
GONE: Final = "this session is not stored, or not any more"


class SessionsScreen(OneSession):
    """The newest on top; `enter` opens one."""

    AUTO_FOCUS = "#session-list"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="sessions.back"),
        Binding("o", "events", "in Explore", tooltip="its events in Explore", id="sessions.events"),
        Binding("u", "user", "its user", tooltip="all sessions of its user", id="sessions.user"),
        Binding("f", "maximise", "maximise", show=False, id="sessions.maximise"),
        Binding("tab", "panel(1)", "next panel", show=False, id="sessions.next"),
        Binding("shift+tab", "panel(-1)", "panel before", show=False, id="sessions.previous"),
    ]

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._listed: Listed | None = None
        self._listed_for: object = None

    def body(self) -> Iterable[Widget]:
        yield EmptyState()
        yield Vertical(
            Horizontal(*map(StatPanel, STATS), id="session-stats"),
            BigTable(id="session-list", classes="panel"),
            self.session_body(),
            id="sessions",
        )

    def on_mount(self) -> None:
        self.table.border_title = "sessions"
        self.table.HELP, self.timeline.HELP = HELP_LIST, HELP_SESSION  # type: ignore[misc]
        self.timeline.border_title = "events"

    @property
    def table(self) -> BigTable:
        return self.query_one("#session-list", BigTable)

    # Asking

    def work(self, seen: Seen) -> Callable[[Store, Cancelled], object]:
        if not opens(seen.view):
            query = session_list.question(seen, self.table.seen.start - AHEAD)
            return lambda store, cancelled: store.run(query, cancelled=cancelled)
        columns = self.size.width - FRAME_WIDTH - NAME_WIDTH
        shown = self.timeline.seen or range(self.size.height)
        around = range(max(0, shown.start - len(shown)), shown.stop + len(shown))
        return lambda store, cancelled: session_events.open_session(
            store, cancelled, seen.view, columns, around, now=seen.now
        )

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
        if isinstance(answers, Answer):
            self._show_list(seen, session_list.listed(answers))
        elif answers is None:
            self.deck.notify(GONE, timeout=4)
            self.deck.look_at(closed(seen.view))
        else:
            self._turn(opened=True)
            self.show_session(seen, answers)

    def _show_list(self, seen: Seen, found: Listed) -> None:
        table, query = self.table, found.answer.query
        self._turn(opened=False)
        shown_for = (type(query), replace(query, span=None, offset=0, limit=1))
        goes_on = shown_for == self._listed_for
        anchor = table.row(table.seen.start) if goes_on else None
        above = session_list.moved(found.rows, table.seen.start, anchor) if goes_on else None
        self._listed, self._listed_for = found, shown_for
        table.sort, table.reverse = query.sort, query.reverse
        table.descending = (query.sort != "user_id") != query.reverse
        table.border_title = self._list_title(seen.view, found)
        table.advice = self._advice(seen) if not found.total else ()
        table.show(found.version, found.total, found.rows, above=above)
        self._draw_lines(seen)
        stats = session_list.session_stats(found.answer)
        for panel, stat in zip(self.query(StatPanel), stats, strict=True):
            panel.stat = stat

    def _draw_lines(self, seen: Seen) -> None:
        """The lines of the sessions that are in view, side by side."""
        table = self.table
        window = session_list.window_of(map(table.row, table.seen), seen.span)
        table.columns = session_list.session_columns(seen.span, seen.zone, window)
        table.redraw()

    def on_row_reached(self, message: RowReached) -> None:
        if "event_name" in message.row:
            super().on_row_reached(message)
        elif self._seen:
            self._draw_lines(self._seen)

    def _list_title(self, view: View, found: Listed) -> str:
        if not came_by_journey(view):
            return f"{count(found.total)} sessions"
        went = found.table.summary.get("went", found.total)
        all_of_them = f"the newest {count(found.total)} of " if went > found.total else ""
        return f"{all_of_them}{count(went)} sessions {session_list.went_text(view, look_of(self.app).glyphs)}"

    def _advice(self, seen: Seen) -> tuple[str, ...]:
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

    def _turn(self, *, opened: bool) -> None:
        """To the list, or to one session; the cursor goes along."""
        if opened == self.has_class("-opened"):
            return
        self.set_class(opened, "-opened")
        self.set_compares(not opened)
        self.remove_class("-detail")
        if not opened:
            self._opened = None
        (self.timeline if opened else self.table).focus()
        self.refresh_bindings()

    # What the widgets say

    def on_page_wanted(self, message: PageWanted) -> None:
        message.stop()
        if self._opened is not None:
            self.want_events(message)
        elif self._seen:
            query = session_list.question(self._seen, message.places.start - AHEAD)
            ask = lambda store, cancelled: store.run(query, cancelled=cancelled)  # noqa: E731
            self.deck.runner.ask("sessions.page", ask, self)

    def on_row_opened(self, message: RowOpened) -> None:
        if "event_name" not in message.row:
            self.deck.look_at(opening(self.deck.view, message.row))
            return
        self.open_detail(RowReached(message.place, message.row))

    def on_result_ready(self, message: ResultReady) -> None:
        message.stop()
        if message.asker != "sessions.page":
            self.session_result(message)
            super().on_result_ready(message)
            return
        found = session_list.listed(message.result)
        if self._seen and found.version != self.table.version:
            self._show_list(self._seen, found)
        else:
            self.table.fill(found.version, found.rows)

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker != self.mode and message.asker.startswith("sessions."):
            self.ask_again()  # a merge took parts away

    # Keys

    def action_back(self) -> None:
        """From the event to the session, from there to the list or to where one came from."""
        view, before = self.deck.view, self.deck.history.before
        if self.has_class("-detail"):
            self.remove_class("-detail")
            self.timeline.focus()
        elif before and (before[-1].screen != self.mode or before[-1] == closed(view)):
            self.deck.action_undo()
        else:
            self.deck.look_at(closed(view))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """`esc` on the list is left to what else it may mean."""
        if action in ("back", "events"):
            return self.has_class("-opened")
        return True

    def action_events(self) -> None:
        if self._opened:
            self.deck.look_at(session_events.all_events(self.deck.view, self._opened))

    def action_user(self) -> None:
        row = self._opened.session if self._opened else self.table.row(self.table.cursor)
        if row is None or not row["user_id"]:
            self.deck.notify("nobody is named in this session", timeout=3)
            return
        self.deck.look_at(session_list.of_user(self.deck.view, row["user_id"]))

    def action_panel(self, by: int) -> None:
        order: list[Widget] = [p for p in (self.timeline, self.detail) if p.display]
        order = order if self.has_class("-opened") else [self.table]
        place = order.index(self.focused) if self.focused in order else 0
        order[(place + by) % len(order)].focus()
