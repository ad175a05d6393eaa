"""Sorted parts cut into slices of time that fit in memory, however the events lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan
from store.timespan import TimeSpan

WIDTHS: Final = ("1s", "1ms", "1us")
_STEPS: Final = {
    "1s": timedelta(seconds=1),
    "1ms": timedelta(milliseconds=1),
    "1us": timedelta(microseconds=1),
}


@dataclass(frozen=True, slots=True)
class Slice:
    """Events of a span; of a single crowded instant, those whose id is in a range."""

    span: TimeSpan
    first_id: str | None = None
    end_id: str | None = None
    """Half-open: ids from `first_id` up to, but without, `end_id`; None is no bound."""

    def of(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """Those of `events`, which are of the span, that belong here."""
        if self.first_id is not None:
            events = events.filter(pl.col("event_id") >= self.first_id)
        return (
            events.filter(pl.col("event_id") < self.end_id) if self.end_id is not None else events
        )


def slices(parts: Sequence[Part], rows_max: int) -> Iterator[Slice]:
    """All events of `parts`, in ascending slices of some `rows_max` rows each. Reads the times; ids
    only of an instant that alone has more.
    """
    filled = [part for part in parts if part.rows]
    if filled:
        start, end = min(p.span.start for p in filled), max(p.span.end for p in filled)
        yield from _cut(filled, TimeSpan(start, end), rows_max, WIDTHS)


def _cut(
    parts: Sequence[Part], span: TimeSpan, rows_max: int, widths: Sequence[str]
) -> Iterator[Slice]:
    if sum(part.rows for part in parts if part.span.overlaps(span)) <= rows_max:
        yield Slice(span)
        return
    if not widths:
        yield from _by_id(parts, span, rows_max)
        return
    start, rows = span.start, 0
    for cell, count in _counts(parts, span, widths[0]):
        end = min(cell + _STEPS[widths[0]], span.end)
        if rows and rows + count > rows_max:
            yield Slice(TimeSpan(start, max(cell, start)))
            start, rows = max(cell, start), 0
        if count > rows_max:
            yield from _cut(parts, TimeSpan(start, end), rows_max, widths[1:])
            start = end
        else:
            rows += count
    if rows:
        yield Slice(TimeSpan(start, span.end))


def _counts(parts: Sequence[Part], span: TimeSpan, width: str) -> Iterator[tuple[datetime, int]]:
    cells = (
        scan(parts, ["event_time"], span).group_by(pl.col("event_time").dt.truncate(width)).len()
    )
    yield from cells.collect(engine="streaming").sort("event_time").iter_rows()


def _by_id(parts: Sequence[Part], instant: TimeSpan, rows_max: int) -> Iterator[Slice]:
    """The events of one instant by ranges of ids, whose bounds come from a sample."""
    ids = scan(parts, ["event_id"], instant).select("event_id")
    one_in = max(1, sum(part.rows for part in parts) // rows_max)
    sample = (
        ids.filter(pl.col("event_id").hash() % one_in == 0)
        .collect(engine="streaming")["event_id"]
        .sort()
    )
    step = max(1, rows_max // one_in)
    bounds = [None, *sample.gather_every(step)[1:].unique(maintain_order=True), None]
    for first, end in pairwise(bounds):
        yield Slice(instant, first, end)
