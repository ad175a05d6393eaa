"""Points in time: how wide they are, where they start, and the finer grid under a moving edge."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import pairwise
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from store.analytics.cut import Cut
from store.analytics.query import Query
from store.errors import UsageError
from store.schema import INSTANT
from store.timespan import (
    MONTH,
    ROUND_WIDTHS,
    UNITS,
    WEEKDAYS,
    TimeSpan,
    duration_text,
    floor,
    round_width,
)

POINTS_MAX: Final = 10_000
GRID_CELLS: Final = 900
"""A live edge moves in steps of 1/900 of the span: finer than a terminal's dots."""
_ZERO: Final = timedelta()
_HOUR: Final = UNITS["h"]
_DAY: Final = UNITS["d"]
_WEEK: Final = UNITS["w"]
_MONDAY: Final = _DAY * 4
"""From the epoch, a Thursday, to the first Monday after it."""
# Offsets of all zones in use are multiples of this, so such cells are the same in every zone.
_SAME_EVERYWHERE: Final = timedelta(minutes=15)


def resolved_interval(span: TimeSpan, interval: timedelta | None) -> timedelta:
    """The width of a point: what was asked for, else a round one; a UsageError past POINTS_MAX."""
    width = round_width(span.length) if interval is None else interval
    if width <= _ZERO:
        raise UsageError("interval", f"{duration_text(width)} is not a width")
    points = span.length / width
    if points > POINTS_MAX:
        raise UsageError(
            "interval",
            f"{duration_text(width)} would give {points:,.0f} points, more than {POINTS_MAX:,}",
            next_step=f"take {duration_text(_wide_enough(span.length))} or more",
        )
    return width


def _wide_enough(length: timedelta) -> timedelta:
    """A round width with far less than POINTS_MAX points, or whole days past the widest of them."""
    days = -(-length // (_DAY * POINTS_MAX))
    return max(round_width(length, GRID_CELLS), _DAY * days)


def checked_zone(name: str) -> ZoneInfo:
    """The zone of that name, or a UsageError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            "tz", f"there is no zone {name!r}", next_step="write UTC, Europe/Zurich, …"
        ) from None


def cut_of(query: Query, span: TimeSpan) -> Cut:
    """How parts that straddle an edge of `span` are reduced.

    With both edges on a round grid of 1/900 of the span or finer, as those of a live view are, the
    cells stay of use while the span moves on; else they are made for this very span.
    """
    length = span.length
    finest = length / (GRID_CELLS * 10)
    fitting = [width for width in reversed(ROUND_WIDTHS) if _fits(query, width, length)]
    for width in fitting:
        if width >= finest and span.snapped(width) == span:
            return Cut(width, span.snapped(length))
    return Cut(fitting[0] if fitting else query.interval or ROUND_WIDTHS[0], span)


def _fits(query: Query, width: timedelta, length: timedelta) -> bool:
    """Whether cells of that width are fine enough for `length`, and add up to points."""
    divides = query.interval is None or divisible(query.interval) % width == _ZERO
    in_zone = query.tz == "UTC" or _SAME_EVERYWHERE % width == _ZERO
    return width <= length / GRID_CELLS and divides and in_zone


def cell_start(query: Query, times: pl.Expr) -> pl.Expr:
    """Where the points of `query.interval` begin that hold `times`, in UTC.

    Widths of days and months (multiples of MONTH) follow the calendar of `query.tz`, weeks begin on
    `query.week_start`; hours and less are plain durations, aligned to the zone's clock.
    """
    width = query.interval
    if width is None:
        return pl.lit(None, INSTANT)
    if _is_plain(query, width):
        return times.dt.truncate(width)
    told = partial(_starts, Query(interval=width, tz=query.tz, week_start=query.week_start))
    return times.map_batches(told, return_dtype=INSTANT, is_elementwise=True)


def point_of(query: Query, span: TimeSpan) -> datetime | None:
    """The start of the point that all of `span` lies in; None: there are several, or no interval."""
    if not query.interval:
        return None
    if _is_plain(query, query.interval):
        start = floor(span.start, query.interval)
        return start if span.end <= start + query.interval else None
    ends = pl.Series([span.start, span.end - UNITS["us"]], dtype=INSTANT)
    first, last = pl.select(cell_start(query, pl.lit(ends))).to_series()
    return cast(datetime, first) if first == last else None


def _starts(query: Query, times: pl.Series) -> pl.Series:
    """The same for values. Events stand in the order of time, so a few quarters of an hour stand
    for all of them: a zone costs eight times as much.
    """
    quarters = times.dt.truncate(_SAME_EVERYWHERE).rle().alias("quarters")
    if len(quarters) > len(times) // 2:
        return times.to_frame("time").select(_local_start(query, pl.col("time"))).to_series()
    runs = quarters.to_frame().unnest("quarters")
    starts = runs.select("len", _local_start(query, pl.col("value")).alias("start"))
    return starts.select(pl.col("start").repeat_by("len").explode()).to_series()


def _local_start(query: Query, times: pl.Expr) -> pl.Expr:
    width = query.interval
    assert width is not None
    if width <= _HOUR:
        local = times.dt.convert_time_zone(query.tz)
        # Polars gives it in milliseconds, and would round the times to those as well.
        offset = (local.dt.base_utc_offset() + local.dt.dst_offset()).cast(pl.Duration("us"))
        return (times + offset).dt.truncate(width) - offset
    local = times.dt.convert_time_zone(query.tz).dt.replace_time_zone(None)
    if width % MONTH == _ZERO:
        start = local.dt.truncate(f"{width // MONTH}mo")
    else:
        is_weekly = width % _WEEK == _ZERO
        shift = (
            _MONDAY + _DAY * WEEKDAYS.index(query.week_start or WEEKDAYS[0]) if is_weekly else _ZERO
        )
        start = (local - shift).dt.truncate(width) + shift
    # A day may begin at one o'clock, when midnight was skipped.
    return pl.coalesce(_in_utc(start, query.tz), _in_utc(start + _HOUR, query.tz))


def points(query: Query) -> Sequence[datetime]:
    """The starts of all points that overlap the span, ascending; the first may lie before it."""
    span, width = query.span, query.interval
    if span is None or width is None or span.length == _ZERO:
        return []
    return _points(Query(span=span, interval=width, tz=query.tz, week_start=query.week_start))


@lru_cache(maxsize=64)  # a live view asks for the same ones again until it moves on
def _points(query: Query) -> Sequence[datetime]:
    span, width = query.span, query.interval
    assert span is not None
    assert width is not None
    # Fine enough to meet every point, also on the days on which clocks change.
    step = width if _is_plain(query, width) else min(width, _HOUR / 2 if width < _DAY else _DAY / 2)
    inside = pl.datetime_range(span.start, span.end, step, closed="left", eager=True)
    last = pl.Series([span.end - timedelta(microseconds=1)], dtype=INSTANT)
    times = pl.concat([inside.cast(INSTANT), last]).to_frame("time")
    return times.select(cell_start(query, pl.col("time"))).to_series().unique().sort().to_list()


def periods(query: Query, more: int = 0) -> Sequence[datetime]:
    """The starts of all points that overlap the span, of `more` after them, and of the one after
    those, with which the last one ends.
    """
    span, width = query.span, query.interval
    count = len(points(query))
    if span is None or width is None or not count:
        return []
    wider = TimeSpan(span.start, span.end + width * (more + 2))
    return points(query.with_span(wider))[: count + more + 1]


def covered_seconds(query: Query, starts: Sequence[datetime]) -> Sequence[float]:
    """How much of each point lies within the span."""
    span = query.span
    if span is None:
        return [0.0] * len(starts)
    seconds = [(end - start).total_seconds() for start, end in pairwise([*starts, span.end])]
    if seconds and starts[0] < span.start:
        seconds[0] -= (span.start - starts[0]).total_seconds()
    return seconds


def divisible(width: timedelta) -> timedelta:
    """What all points of that width are made of: days, where they are months."""
    return _DAY if width % MONTH == _ZERO else width


def _is_plain(query: Query, width: timedelta) -> bool:
    """True when the points are multiples of `width` since 1970."""
    return width <= _SAME_EVERYWHERE or (query.tz == "UTC" and width < _WEEK)


def _in_utc(local: pl.Expr, zone: str) -> pl.Expr:
    named = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return named.dt.convert_time_zone("UTC")
