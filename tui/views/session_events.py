"""One session, event by event: which one a view opens, its events as rows, and how they read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from store.analytics.shapes import Answer, Table
from store.errors import UsageError
from store.timespan import TimeSpan, iso, parse_instant
from tui.formatting import clean, clock, count, duration, length
from tui.plots.stretch import stretch
from tui.store_door import Cancelled, Store
from tui.theme import Look
from tui.view_state import View
from tui.views.event_columns import (
    duration_cell,
    name_cell,
    severity_cell,
    severity_of,
    summary_cell,
    text_part,
)
from tui.views.event_table import page_of
from tui.views.intervals import interval_for
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

if TYPE_CHECKING:  # Polars is imported in the query thread, after the first paint.
    from store.analytics.filters import Filter
    from store.event_rows import EventRows

NEARBY: Final = timedelta(days=1)
"""How far from the instant that a view names its session may reach."""
DEVICES_MAX: Final = 100
SESSIONS_MAX: Final = 1_000
BY: Final = ("component", "severity_class")
LANES_READ: Final = 60
"""Of component and severity; the rest is one."""
OPENING: Final = ("session", "user", "at")
"""The options of a view that open a session."""
_INSTANT: Final = timedelta(microseconds=1)

Cell = Callable[[Row, int, Look], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A session with its events; `where` finds them in `span`."""

    session: Row
    where: str
    span: TimeSpan
    rows: "EventRows"
    page: Mapping[int, Row]
    course: Answer
    """How many events of each component and severity there were, over its length."""


def opening(view: View, session: Row) -> View:
    """The view that opens a session of the list, or that of an event."""
    at = session.get("start") or session["event_time"]
    owner = session.get("user_id") or session.get("install_id") or ""
    told = {
        "session": session.get("session_id") or "",
        "user": "" if session.get("session_id") else owner,
        "at": iso(at),
    }
    for name in OPENING:
        view = view.with_option(name, told[name])
    return view


def opening_event(view: View, event: Row) -> View | None:
    """The view that opens the session of an event; None when it is in none."""
    if not any(event.get(name) for name in ("session_id", "user_id", "install_id")):
        return None
    return opening(replace(view, screen="sessions", sort="", reverse=False, options=()), event)


def closed(view: View) -> View:
    """The list that the session is one of."""
    for name in OPENING:
        view = view.with_option(name, "")
    return view


def opens(view: View) -> bool:
    """Whether the view shows one session, and not the list."""
    return bool(view.option("session") or view.option("user"))


def open_session(
    store: Store, cancelled: Cancelled, view: View, columns: int, seen: range, *, now: datetime
) -> Opened | None:
    """The session that the view names, with the rows at the places `seen`; None when it is not
    there (any more).
    """
    from store.analytics.filters import parse_filter
    from store.analytics.trends import Trends
    from store.event_rows import EventRows

    session = _found(store, cancelled, view, now)
    if session is None:
        return None
    where = _events_of(session)
    span = TimeSpan(session["start"], session["end"] + _INSTANT)
    interval = interval_for(span.length, columns)
    course = Trends(by=BY, span=span, where=where, interval=interval, limit=LANES_READ)
    answer = store.run(course, cancelled=cancelled)
    rows = EventRows.open(store.snapshot().parts, span, parse_filter(where))
    return Opened(session, where, span, rows, page(rows, seen), answer)


def page(rows: "EventRows", places: range) -> dict[int, Row]:
    """The lines at `places`, the first event being at 0: the other way round than Explore has it."""
    last = rows.total - 1
    stop = min(places.stop, rows.total)
    found = page_of(rows, range(last - stop + 1, last - max(0, places.start) + 1))
    return {last - place: row for place, row in sorted(found.items(), reverse=True)}


def _found(store: Store, cancelled: Cancelled, view: View, now: datetime) -> Row | None:
    """The session of that id, else the one that somebody had at that instant."""
    from store.analytics.filters import term
    from store.analytics.sessions.analysis import Sessions

    at = _instant(view, now)
    around = TimeSpan(at - NEARBY, at + NEARBY)
    session_id = view.option("session")
    if session_id:
        where = term("session_id", "=", session_id).text()
    else:
        owner = view.option("user")
        where = _any_of(owner, (owner, *_devices(store, cancelled, owner, around)))
    asked = Sessions(span=around, where=where, limit=SESSIONS_MAX, with_devices=True)
    found = store.run(asked, cancelled=cancelled).result
    assert isinstance(found, Table)
    rows = [row.values for row in found.rows if bool(row.values["session_id"]) == bool(session_id)]
    return next((row for row in rows if row["start"] <= at <= row["end"]), None) or (
        rows[0] if session_id and rows else None
    )


def _instant(view: View, now: datetime) -> datetime:
    try:
        return parse_instant(view.option("at"), now=now)
    except UsageError:
        return now


def _devices(store: Store, cancelled: Cancelled, user: str, around: TimeSpan) -> Sequence[str]:
    """On which devices somebody was: what they did without a user may be the user's."""
    from store.analytics.filters import term
    from store.analytics.top import Top

    if "install_id" not in store.column_types():
        return ()
    asked = Top(by=("install_id",), span=around, where=term("user_id", "=", user).text(),
                limit=DEVICES_MAX)  # fmt: skip
    found = store.run(asked, cancelled=cancelled).result
    assert isinstance(found, Table)
    return [row.key["install_id"] for row in found.rows if row.key.get("install_id")]


def _any_of(user: str, devices: Sequence[str]) -> str:
    """Events of the user or, without one, of the devices."""
    from store.analytics.filters import term

    own = term("user_id", "=", user).text()
    names = [name for name in devices if name]
    if not names:
        return own
    alone = term("user_id", "=", "").and_(term("install_id", "=", *names)).text()
    return f"{own} or {alone}"


def _events_of(session: Row) -> str:
    from store.analytics.filters import parse_filter, term

    if session["session_id"]:
        return term("session_id", "=", session["session_id"]).text()
    who: Filter = parse_filter(_any_of(session["user_id"], session["devices"]))
    return who.and_(term("session_id", "=", "")).text()


def title_of(session: Row, zone: tzinfo) -> str:
    """Who, when, how long, and how much of what."""
    start, end = session["start"], session["end"]
    who = clean(str(session["user_id"] or session["session_id"] or ""))
    when = f"{start.astimezone(zone):%-d %b} {clock(start, zone)} to {clock(end, zone)}"
    told = [who, when, _length(end - start)]
    errors = session["errors"]
    told += [f"{count(errors)} error{'s' if errors != 1 else ''}"] if errors else []
    return ", ".join(told)


def _length(length_: timedelta) -> str:
    seconds = length_.total_seconds()
    return " ".join(duration(seconds * 1000)) if seconds < 10 else length(length_)


def timeline_columns(opened: Opened) -> tuple[Column, ...]:
    """How the events of a session read: since its start, and where in it."""
    return _timeline_columns(opened.span.start, opened.span.end - _INSTANT)


@lru_cache(maxsize=8)
def _timeline_columns(start: datetime, end: datetime) -> tuple[Column, ...]:
    return (
        Column(
            *("event_time", "since start", 11, _offset_cell(start)),
            right=True,
            rank=-1,
            sortable=False,
        ),
        Column("when", "", 10, _when_cell(start, end), grows=True, sortable=False),
        Column("severity", "", 1, severity_cell, gap=1, sortable=False),
        Column("severity_text", "", 7, _word_cell, rank=1, sortable=False),
        Column("event_name", "name", 18, name_cell, rank=-2, least=8, sortable=False),
        Column("duration_ms", "took", 6, duration_cell, right=True, sortable=False),
        Column("component", "part", 9, _component_cell, rank=2, sortable=False),
        Column("message", "", 14, summary_cell, rank=3, grows=True, sortable=False),
    )


def _offset_cell(start: datetime) -> Cell:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        text = offset_text(row["event_time"] - start)
        return [(text[:-4].rjust(width - 4), look.style("text")), (text[-4:], look.style("dim"))]

    return cell


def offset_text(since: timedelta) -> str:
    """`0:12.345`, `1:02:03.456`: minutes, from an hour on hours as well."""
    milliseconds = round(since / timedelta(milliseconds=1))
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    clock = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{clock}.{fraction:03}"


def _when_cell(start: datetime, end: datetime) -> Cell:
    """A dot where in the session it was; a line for as long as it took."""
    length = max((end - start) / timedelta(milliseconds=1), 1e-3)

    def cell(row: Row, width: int, look: Look) -> Sequence[Part]:
        at = (row["event_time"] - start) / timedelta(milliseconds=1) / length
        took = row.get("duration_ms")
        lasted = took / length if took and took > 0 else 0.0
        role = severity_of(row)[1]
        role = "muted" if role in ("faint", "other", "dim") else role
        return stretch(
            min(at, 1.0), min(at + lasted, 1.0), width, look, role, rail=look.glyphs.grid
        )

    return cell


def _word_cell(row: Row, width: int, look: Look) -> list[Part]:
    name, role = severity_of(row)
    return [(name.ljust(width)[:width], look.style(role if name else "faint"))]


def _component_cell(row: Row, width: int, look: Look) -> list[Part]:
    text, _ = part = text_part(row.get("component"), width, look)
    return [(text, look.style("dim"))] if row.get("component") else [part]


def all_events(view: View, opened: Opened) -> View:
    """The same events in Explore."""
    room = max(opened.span.length / 40, timedelta(seconds=1))
    span = TimeSpan(opened.span.start - room, opened.span.end + room)
    alone = replace(view, screen="explore", options=(), where=opened.where, sort="", reverse=False)
    return replace(alone, span=span.snapped(timedelta(seconds=1)), paused=False)


def event_of(rows: "EventRows", row: Row) -> Callable[[Store, Cancelled], Mapping[str, Any]]:
    """Everything known of the event that a line stands for."""
    return lambda _store, _cancelled: rows.event(row)
