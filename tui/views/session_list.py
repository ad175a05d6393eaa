"""The list of sessions: what it asks, and how a session reads as a line."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from store.analytics.paths import markers
from store.analytics.query import Query
from store.analytics.shapes import Answer, Table
from store.timespan import TimeSpan
from tui.formatting import clean, clock, count, delta, duration, fit, length, number, percent
from tui.glyphs import Glyphs
from tui.plots.stretch import stretch
from tui.theme import Look
from tui.view_state import Seen, View
from tui.views.event_columns import text_part
from tui.views.journey_text import names_of_text
from tui.views.questions import zone_name
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part
from tui.widgets.stat_panel import Stat

PAGE: Final = 400
"""So many sessions are asked for at once."""
AHEAD: Final = 100
"""So many of them lie above those that are seen."""
START: Final = "start"
SORTS: Final = (START, "length", "events", "errors", "interactions", "components", "user_id")
STATS: Final = ("sessions", "median length", "events each", "with errors", "of one event")

_MILLISECOND: Final = timedelta(milliseconds=1)
_CLOSING: Final = {markers.END: "their end", markers.START: "their start"}

Cell = Callable[[Row, int, Look], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class Listed:
    """Some of the sessions that are there, by their places."""

    answer: Answer
    total: int
    rows: Mapping[int, Row]
    version: object

    @property
    def table(self) -> Table:
        assert isinstance(self.answer.result, Table)
        return self.answer.result


def question(seen: Seen, first: int) -> Query:
    """The sessions of the view from place `first` on: all, or those that went a way."""
    from store.analytics.paths.went import Went
    from store.analytics.sessions.analysis import Sessions
    from tui.views.journeys import where_of

    view = seen.view
    sort = view.sort if view.sort in SORTS else START
    asked: dict[str, Any] = {
        "span": seen.span,
        "tz": zone_name(seen.zone),
        "sort": sort,
        "reverse": view.reverse,
        "offset": max(0, first),
        "limit": PAGE,
    }
    if not came_by_journey(view):
        compare = "previous" if view.compare else None
        return Sessions(**asked, where=view.where or None, compare=compare)
    return Went(
        **asked,
        where=where_of(view),
        from_=view.option("start") or None,
        way=names_of_text(view.option("way")),
        backwards=view.option("turn") == "back",
    )


def came_by_journey(view: View) -> bool:
    """Whether only the sessions behind a branch of Journeys are listed."""
    return bool(view.option("way") or view.option("start"))


def went_text(view: View, glyphs: Glyphs) -> str:
    """Which way the listed sessions went, as a person reads it."""
    names = [clean(_CLOSING.get(name, name)) for name in names_of_text(view.option("way"))]
    start, back = clean(view.option("start")), view.option("turn") == "back"
    if back:
        said = f"that came to {start}" if start else "that came to their end"
        return f" {glyphs.before} ".join([said, *names])
    said = f"that went from {start}" if start else "that went from their start"
    return f" {glyphs.folded} ".join([said, *names])


def of_user(view: View, user: str) -> View:
    """All sessions of somebody."""
    from store.analytics.filters import parse_filter, term

    wanted = parse_filter(None).and_(term("user_id", "=", user))
    return replace(view, where=wanted.text(), options=())


def listed(answer: Answer) -> Listed:
    """The answer to `question`."""
    assert isinstance(answer.result, Table)
    query: Any = answer.query
    rows = {query.offset + at: row.values for at, row in enumerate(answer.result.rows)}
    version = (answer.generation, repr(replace(query, offset=0)))
    return Listed(answer, answer.result.summary["sessions"], rows, version)


def moved(rows: Mapping[int, Row], place: int, anchor: Row | None) -> int:
    """How many sessions came in above `anchor`, which stood at `place`; 0 when it has gone."""
    if anchor is None:
        return 0
    found = (at for at, row in rows.items() if _same(row, anchor))
    return next(found, place) - place


def _same(row: Row, other: Row) -> bool:
    return all(row[name] == other[name] for name in ("session_id", "user_id", "start"))


def session_stats(answer: Answer) -> list[Stat]:
    """The five numbers on top of the list, in the order of STATS."""
    assert isinstance(answer.result, Table)
    now: Mapping[str, Any] = answer.result.summary
    before = answer.previous.summary if isinstance(answer.previous, Table) else {}
    told = _shares(now), _shares(before)
    texts = {
        "sessions": (count(now["sessions"]), ""),
        "median length": (_length(now["median_seconds"]), ""),
        "events each": (number(now["events_per_session"] or 0), ""),
        "with errors": (percent(told[0]["with errors"] or 0), "%"),
        "of one event": (percent(told[0]["of one event"] or 0), "%"),
    }
    return [
        Stat(name, *texts[name], (), "info", delta(told[0][name], told[1][name]), _good(name))
        for name in STATS
    ]


def _good(name: str) -> int:
    return -1 if name == "with errors" else 0


def _shares(told: Mapping[str, Any]) -> dict[str, float | None]:
    sessions = told.get("sessions")
    names = ("sessions", "median_seconds", "events_per_session")
    whole = {title: told.get(name) for title, name in zip(STATS, names, strict=False)}
    return whole | {
        title: told[name] / sessions if sessions else None
        for title, name in zip(STATS[3:], ("with_errors", "bounced"), strict=True)
    }


def _length(seconds: float | None) -> str:
    """`4m 06s`, below ten seconds `2.3 s`."""
    if seconds is None:
        return "-"
    if seconds < 10:
        return " ".join(duration(seconds * 1000))
    return length(timedelta(seconds=seconds))


def session_columns(span: TimeSpan, zone: tzinfo, window: TimeSpan) -> tuple[Column, ...]:
    """For sessions that start in `span`: with the date where it covers more than one. Their lines
    lie within `window`.
    """
    last = span.end - timedelta(microseconds=1)
    days = span.start.astimezone(zone).date() != last.astimezone(zone).date()
    return _columns(zone, days, window)


def window_of(rows: Iterable[Row | None], span: TimeSpan) -> TimeSpan:
    """From the first start to the last end of the sessions that are seen; `span` without any."""
    seen = [row for row in rows if row is not None]
    if not seen:
        return span
    start, end = min(row["start"] for row in seen), max(row["end"] for row in seen)
    return TimeSpan(start, max(end, start + timedelta(seconds=1)))


@lru_cache(maxsize=8)
def _columns(zone: tzinfo, days: bool, window: TimeSpan) -> tuple[Column, ...]:
    return (
        Column("start", "start", 15 if days else 8, _start_cell(zone, days=days)),
        Column("length", "length", 7, _length_cell, right=True),
        Column("events", "events", 7, _count_cell("events"), right=True),
        Column("errors", "errors", 7, _count_cell("errors", "error"), right=True),
        Column("interactions", "acts", 5, _count_cell("interactions"), right=True, rank=1),
        Column("components", "parts", 6, _count_cell("components"), right=True, rank=2),
        Column("user_id", "user", 14, _user_cell),
        Column(
            *("lasted", " ".join(duration(window.length / _MILLISECOND)), 6, _line_cell(window)),
            right=True,
            rank=3,
            grows=True,
            sortable=False,
        ),
    )


def _start_cell(zone: tzinfo, *, days: bool) -> Cell:
    def cell(row: Row, _width: int, look: Look) -> list[Part]:
        start: datetime = row["start"]
        day = f"{start.astimezone(zone):%d %b} " if days else ""
        return [(day, look.style("dim")), (clock(start, zone), look.style("text"))]

    return cell


def _length_cell(row: Row, width: int, look: Look) -> list[Part]:
    seconds = (row["end"] - row["start"]).total_seconds()
    if not seconds:
        return [(look.glyphs.nothing.rjust(width), look.style("faint"))]
    return [(_length(seconds).rjust(width), look.style("bright"))]


def _count_cell(name: str, role: str = "text") -> Cell:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        if not row[name]:
            return [(look.glyphs.nothing.rjust(width), look.style("faint"))]
        return [(count(row[name]).rjust(width), look.style(role, bold=role == "error"))]

    return cell


def _user_cell(row: Row, width: int, look: Look) -> list[Part]:
    if row["user_id"]:
        return [text_part(row["user_id"], width, look)]
    return [(fit(row["session_id"] or "", width, ellipsis=look.glyphs.ellipsis), look.style("dim"))]


def _line_cell(window: TimeSpan) -> Cell:
    """When it was, and how long; only what went wrong has a colour of its own."""

    def cell(row: Row, width: int, look: Look) -> Sequence[Part]:
        role = "error" if row["errors"] else "muted"
        start, end = ((row[at] - window.start) / window.length for at in ("start", "end"))
        return stretch(start, end, width, look, role)

    return cell
