"""What Explore asks of the store: the events of a view as rows, and where to jump from one."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from store.timespan import TimeSpan
from tui.store_door import Cancelled, Store
from tui.view_state import View
from tui.views.event_columns import ALWAYS_READ, ATTRIBUTES_READ_MAX, telling_first
from tui.widgets.columns import Row

if TYPE_CHECKING:  # Polars is imported in the query thread, after the first paint.
    from store.event_rows import EventRows, Order
    from store.parts.part import Part

# How far from an event its session and its trace are looked for, to either side.
NEARBY: Final = timedelta(hours=24)
NEIGHBOURS: Final = timedelta(seconds=30)
SECOND: Final = timedelta(seconds=1)
# Columns whose largest values are looked for first; the others are text, read from A.
LARGEST_FIRST: Final = frozenset({"event_time", "severity", "duration_ms"})
SORTABLE: Final = (
    *("event_time", "severity", "event_name", "service_name", "user_id", "duration_ms"),
)
# The parts whose attributes are offered in the lines: the newest ones tell enough.
_PARTS_LOOKED_AT: Final = 200
# An order that took a second to make is good for five: it is made anew at most a sixth of the time.
_REST: Final = 5
_SAME_INSTANT_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """What the table holds now, so that the next answer can go on from there."""

    rows: "EventRows | None" = None
    where: str = ""
    seen: range = range(60)
    """The places on the screen."""
    anchor: Mapping[str, Any] | None = None
    """The first row on the screen; it stays where it is seen."""
    rests_until: float = 0.0
    """An order other than by time is not made anew before this instant of time.monotonic()."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a view, with those already read that will be seen first."""

    rows: "EventRows"
    page: Mapping[int, Row]
    above: int | None
    """How many rows came in above the anchor; None when these are others altogether."""
    rests_until: float = 0.0


def find(store: Store, view: View, span: TimeSpan, shown: Shown) -> Found:
    """The events of the view; goes on from what is shown where it can."""
    started = time.monotonic()
    old = shown.rows
    go_on = old is not None and _order(view) == old.order and shown.where == view.where
    if old is not None and go_on and started < shown.rests_until:
        return Found(old, page_of(old, shown.seen), 0, shown.rests_until)
    rows = _rows(store, view, span, old if go_on else None)
    above = _above(rows, shown) if go_on else None
    seen = range(len(shown.seen)) if above is None else shown.seen
    moved = above if above and shown.seen.start else 0
    wanted = range(max(0, seen.start + moved - len(seen)), seen.stop + moved + len(seen))
    seconds = 0.0 if by_time(rows) else time.monotonic() - started
    rests_until = time.monotonic() + seconds * _REST if seconds else 0.0
    return Found(rows, page_of(rows, wanted), above, rests_until)


def _rows(store: Store, view: View, span: TimeSpan, old: "EventRows | None") -> "EventRows":
    parts = store.snapshot().parts
    try:
        return old.grown(parts, span) if old else _opened(parts, view, span)
    except FileNotFoundError:  # merged away since the snapshot
        return _opened(store.snapshot().parts, view, span)


def _above(rows: "EventRows", shown: Shown) -> int | None:
    if rows is shown.rows:
        return 0
    if shown.anchor is None or not by_time(rows):
        return None
    place = rows.place(shown.anchor)
    if place is None:  # it left the span
        place = rows.newer_than(shown.anchor["event_time"])
    above = place - shown.seen.start
    # Fewer above than before: the span ends sooner, so these are others. In the same span it was a
    # merge, which took duplicates out.
    moved_back = shown.rows is None or rows.span.end < shown.rows.span.end
    return None if above < 0 and moved_back else above


def page_of(rows: "EventRows", places: range) -> Mapping[int, Row]:
    """The lines at `places`."""
    return telling_first(rows.page(places, _line_columns(rows.parts)))


def by_time(rows: "EventRows") -> bool:
    """True in the order that new events extend at its top."""
    return rows.order.column == "event_time" and rows.order.descending


def _opened(parts: "Sequence[Part]", view: View, span: TimeSpan) -> "EventRows":
    from store.analytics.filters import parse_filter
    from store.event_rows import EventRows

    return EventRows.open(parts, span, parse_filter(view.where or None), _order(view))


def _order(view: View) -> "Order":
    """The order that the view asks for; by time for a column that this table has not."""
    from store.event_rows import Order

    column = view.sort if view.sort in SORTABLE else "event_time"
    return Order(column, descending=(column in LARGEST_FIRST) != view.reverse)


def _line_columns(parts: "Sequence[Part]") -> tuple[str, ...]:
    """What is read for a line: the columns, and the attributes that most parts have."""
    from store.parts.widen import distinct_layouts
    from store.schema import FIXED, OVERFLOW

    held = Counter(
        name
        for layout in distinct_layouts(parts[-_PARTS_LOOKED_AT:])
        for name in layout
        if name not in FIXED and name != OVERFLOW
    )
    common = sorted(held, key=lambda name: (-held[name], name))[:ATTRIBUTES_READ_MAX]
    return (*ALWAYS_READ, *sorted(common))


# From one event to others

Jump = Callable[[Store, Cancelled], View | None]
"""Finds the view to go to; None when there is nothing there."""


def whole(view: View, attribute: str, event: Mapping[str, Any]) -> Jump:
    """All events with the event's value of `attribute`, from the first to the last nearby."""

    def jump(store: Store, _cancelled: Cancelled) -> View | None:
        from store.analytics.filters import term

        where = term(attribute, "=", str(event[attribute])).text()
        around = TimeSpan(event["event_time"] - NEARBY, event["event_time"] + NEARBY)
        alone = replace(view, where=where, sort="", reverse=False)
        rows = _opened(store.snapshot().parts, alone, around)
        ends = rows.page(range(1), ()) | rows.page(range(rows.total - 1, rows.total), ())
        times = [row["event_time"] for row in ends.values()]
        if not times:
            return None
        # A little room at both ends: the first and the last event are not half hidden.
        room = max((max(times) - min(times)) / 40, SECOND)
        span = TimeSpan(min(times) - room, max(times) + room).snapped(SECOND)
        return replace(alone, span=span, paused=False)

    return jump


def neighbours(view: View, event: Mapping[str, Any]) -> View:
    """Everything that happened shortly before and after the event."""
    instant = event["event_time"]
    span = TimeSpan(instant - NEIGHBOURS, instant + NEIGHBOURS)
    return replace(view, where="", span=span, sort="", reverse=False, paused=False)


def next_error(
    rows: "EventRows", row: Mapping[str, Any], *, newer: bool
) -> Callable[[Store, Cancelled], int | None]:
    """Finds the place of the nearest error before or after `row` in time."""

    def look(_store: Store, _cancelled: Cancelled) -> int | None:
        from store.analytics.filters import parse_filter
        from store.event_rows import EventRows

        wanted = rows.where.and_(parse_filter("severity>=error"))
        errors = EventRows.open(rows.parts, rows.span, wanted)
        own = rows.place(row)
        for place in _candidates(errors, row["event_time"], newer=newer):
            for error in errors.page(range(place, place + 1), ()).values():
                found = rows.place(error)
                beyond = found is not None and own is not None and (found < own) == newer
                if found != own and (beyond or not by_time(rows)):
                    return found
        return None

    return look


def _candidates(errors: "EventRows", instant: datetime, *, newer: bool) -> range:
    """Places of errors away from the instant; a few, since some may be at the same instant."""
    if newer:
        first = errors.newer_than(instant - timedelta(microseconds=1)) - 1
        return range(first, max(-1, first - _SAME_INSTANT_MAX), -1)
    first = errors.newer_than(instant)
    return range(first, first + _SAME_INSTANT_MAX)
