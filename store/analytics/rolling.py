"""Rolling windows: points that each tell of a longer time that ends with them, such as the users of
seven days, on every day.

A window is a whole number of points, so it follows the calendar where they do: seven days are seven
midnights in the zone, whether or not a clock changes in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from store.analytics import adding
from store.analytics.cells import Spec
from store.analytics.intervals import POINTS_MAX, points
from store.analytics.query import Query
from store.analytics.shapes import Result, Timeline
from store.errors import UsageError
from store.schema import INSTANT
from store.timespan import UNITS, TimeSpan, duration_text

_ZERO: Final = timedelta()
_SLACK: Final = UNITS["d"]
"""Clocks change by less."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a query's points."""

    grid: Sequence[datetime]
    """The starts of all points that are read: those of the span, and `size - 1` before them."""
    size: int
    """How many points make a window."""

    @property
    def starts(self) -> Sequence[datetime]:
        """Where the window of each point of the span begins."""
        return self.grid[: len(self.grid) - self.size + 1]

    def seconds(self, end: datetime) -> Sequence[float]:
        """How long each of them is, of a span that ends at `end`."""
        ends = [*self.grid[self.size :], end]
        pairs = zip(self.starts, ends, strict=True) if self.starts else ()
        return [(last - first).total_seconds() for first, last in pairs]

    def span(self, span: TimeSpan) -> TimeSpan:
        """What must be read to tell of them."""
        return TimeSpan(min(self.grid[0], span.start), span.end) if self.grid else span


def windows_of(query: Query, length: timedelta) -> Windows:
    """The windows of `length` that end with the points of a complete query; a UsageError says which
    lengths there can be.
    """
    width, span = query.interval, query.span
    assert width is not None
    assert span is not None
    size = _size(length, width)
    starts = points(query)
    if not starts:
        return Windows([], size)
    if len(starts) + size > POINTS_MAX:
        fault = f"{duration_text(length)} is {size:,} points of {duration_text(width)}"
        hint = "take a wider interval, or a shorter window"
        raise UsageError("rolling", f"{fault}, too many to read back", next_step=hint)
    try:
        earliest = starts[0] - width * (size + 1) - _SLACK
    except OverflowError:
        fault = f"{duration_text(length)} reaches back before the year 1"
        raise UsageError("rolling", fault, next_step="take a shorter window") from None
    found = points(query.with_span(TimeSpan(earliest, span.end)))
    return Windows(found[len(found) - len(starts) - size + 1 :], size)


def told_short(result: Result, stored: TimeSpan | None) -> Result:
    """A timeline with the number of its windows that begin before the point of the first event."""
    if not isinstance(result, Timeline) or not result.windows or stored is None:
        return result
    first = stored.start - timedelta(seconds=result.interval_seconds)
    return replace(result, short=sum(start <= first for start in result.windows))


def _size(length: timedelta, width: timedelta) -> int:
    """How many points of `width` a window of `length` is."""
    if length <= _ZERO:
        fault = f"{duration_text(length)} is no window"
        raise UsageError("rolling", fault, next_step="write 7d, 30d, …")
    if length % width != _ZERO:
        window, point = duration_text(length), duration_text(width)
        longer = duration_text(width * (length // width + 1))
        hint = f"take a window of {longer}, or an interval that fits into {window}"
        fault = f"{window} is no whole number of points of {point}"
        raise UsageError("rolling", fault, next_step=hint)
    return length // width


def rolled(cells: pl.DataFrame, spec: Spec, windows: Windows) -> pl.DataFrame:
    """`cells` of the grid's points as those of the windows, each at the point that it ends with;
    what is kept over all time stays.

    Windows of 1, 2, 4, … points are made of two of half their size, and those wanted out of these:
    work grows with the logarithm of the size. Whatever adds up does so here, sets among it.
    """
    grid = pl.Series(windows.grid, dtype=INSTANT)
    is_timed = pl.col("time").is_not_null()
    timed = cells.filter(is_timed)
    place = grid.search_sorted(timed["time"], side="left").cast(pl.Int64)
    double = timed.with_columns(place.alias("time"))
    found, length, size = double.clear(), 0, 1
    while size <= windows.size:
        if windows.size & size:
            found = _both(found, _later(double, length, len(grid)), spec)
            length += size
        size *= 2
        if size <= windows.size:
            double = _both(double, _later(double, size // 2, len(grid)), spec)
    shown = found.filter(pl.col("time") >= windows.size - 1)
    told = shown.with_columns(grid.gather(shown["time"]).alias("time"))
    return pl.concat([cells.filter(~is_timed), told], how="diagonal")


def _later(cells: pl.DataFrame, by: int, count: int) -> pl.DataFrame:
    """Windows of the same events, so many points later."""
    return cells.with_columns(pl.col("time") + by).filter(pl.col("time") < count)


def _both(one: pl.DataFrame, other: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    return adding.added(pl.concat([one, other], how="diagonal"), spec)
