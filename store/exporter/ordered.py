"""All events of a span in their order, in frames of a bounded size.

A date may hold any number of events in any number of parts that overlap. So its time is cut into
stretches of so many events each, counted first; one stretch is read and sorted at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Final, TypeVar

import polars as pl

from store.analytics.filters import Filter
from store.errors import StoreError
from store.event_store import EventStore
from store.exporter.columns import Columns
from store.parts.part import Part
from store.parts.scan import OF_A_PART, scan
from store.parts.widen import column_types
from store.timespan import TimeSpan

FRAME_BYTES: Final = 32 * 1024 * 1024
"""As Polars counts; how many events that is, the frame before tells."""
ROWS_MAX: Final = 100_000
ROWS_MIN: Final = 500
ROWS_FIRST: Final = 5_000
BINS: Final = 4_096
"""In so many pieces is a time cut at once; a piece with too many events is cut again."""
ATTEMPTS_MAX: Final = 5
_MICROSECOND: Final = timedelta(microseconds=1)
_TIME, _ID = pl.col("event_time"), pl.col("event_id")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring events in the order of (event_time, event_id)."""

    span: TimeSpan
    ids: tuple[str, str] | None = None
    """Only the events with these ids and those between; within one instant."""


class OrderedEvents:
    """The events of `span` that pass `keep`, as they were when the parts were looked up. A merge of
    parts meanwhile does no harm.
    """

    def __init__(
        self,
        store: EventStore,
        parts: Sequence[Part],
        span: TimeSpan | None,
        keep: Filter,
        columns: Columns,
    ) -> None:
        """`parts` are those of a snapshot of `store`, `columns` are made of them."""
        self._store = store
        self._span = span
        self._keep = keep
        self._columns = columns
        self._parts = parts
        self._newest = max((part.newest_received for part in parts), default=None)
        self._is_merged = False
        """Whether parts had to be looked up anew, so that later events may be among them."""
        self._rows_max = ROWS_FIRST

    @property
    def rows(self) -> int:
        """How many events will be looked at; not all of them need pass."""
        return sum(part.rows for parts in self._dates().values() for part in parts)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The events, with the columns and types of `columns`; never an empty frame."""
        for stretch in self._stretches():
            found = self._collected(stretch.span, partial(self._read, stretch))
            if found.height:
                size = found.estimated_size() // found.height + 1
                self._rows_max = max(ROWS_MIN, min(ROWS_MAX, int(FRAME_BYTES // size)))
                yield found

    def _dates(self) -> dict[str, list[Part]]:
        """The parts of each date that hold something of the span."""
        wanted = (part for part in self._parts if part.rows and self._overlaps(part))
        return {day: list(parts) for day, parts in groupby(wanted, lambda part: part.date)}

    def _overlaps(self, part: Part) -> bool:
        return self._span is None or part.span.overlaps(self._span)

    # Where to cut

    def _stretches(self) -> Iterator[Stretch]:
        """Small neighbouring dates as one, larger ones cut."""
        waiting: list[TimeSpan] = []
        rows = 0
        for parts in self._dates().values():
            count = sum(part.rows for part in parts)
            if waiting and rows + count > self._rows_max:
                yield Stretch(_joined(waiting))
                waiting, rows = [], 0
            span = self._within(_joined([part.span for part in parts]))
            if count > self._rows_max:
                yield from self._cut(span)
            else:
                waiting.append(span)
                rows += count
        if waiting:
            yield Stretch(_joined(waiting))

    def _within(self, span: TimeSpan) -> TimeSpan:
        if self._span is None:
            return span
        return TimeSpan(max(span.start, self._span.start), min(span.end, self._span.end))

    def _cut(self, span: TimeSpan) -> Iterator[Stretch]:
        """A time with many events in pieces of at most so many."""
        if span.length <= _MICROSECOND:
            yield from self._cut_by_id(span)
            return
        width = max(_MICROSECOND, -(-span.length // BINS // _MICROSECOND) * _MICROSECOND)
        start = end = span.start
        rows = 0
        for place, count in self._collected(span, partial(self._counts, span, width)):
            begin = span.start + place * width
            piece = TimeSpan(begin, min(begin + width, span.end))
            if rows and rows + count > self._rows_max:
                yield Stretch(TimeSpan(start, end))
                start, rows = end, 0
            if count > self._rows_max:
                yield from self._cut(piece)
                start = piece.end
            else:
                rows += count
            end = piece.end
        if rows:
            yield Stretch(TimeSpan(start, end))

    def _counts(
        self, span: TimeSpan, width: timedelta, parts: Sequence[Part]
    ) -> list[tuple[int, int]]:
        """How many of the wanted events are in each piece of that width that has any."""
        micros = (_TIME - pl.lit(span.start, pl.Datetime("us", "UTC"))).dt.total_microseconds()
        place = (micros // (width // _MICROSECOND)).alias("place")
        counts = self._wanted(parts, span, ["event_time"]).group_by(place).len().sort("place")
        return counts.collect(engine="streaming").rows()

    def _cut_by_id(self, span: TimeSpan) -> Iterator[Stretch]:
        """All of one instant: a file of dates without a time of day has nothing else."""
        ids = self._collected(span, partial(self._ids, span))
        for start in range(0, len(ids), self._rows_max):
            piece = ids[start : start + self._rows_max]
            yield Stretch(span, (piece[0], piece[-1]))

    def _ids(self, span: TimeSpan, parts: Sequence[Part]) -> pl.Series:
        found = self._wanted(parts, span, ["event_id"]).select(_ID.unique().sort())
        return found.collect()["event_id"]

    # Reading

    def _wanted(
        self, parts: Sequence[Part], span: TimeSpan, columns: Sequence[str]
    ) -> pl.LazyFrame:
        types = column_types(parts)
        tested = self._keep.columns(types)
        came = ["received_time"] if self._is_merged else []
        events = scan(parts, dict.fromkeys([*columns, *tested, *came]), span)
        if self._is_merged:
            events = events.filter((pl.col("received_time") <= self._newest).fill_null(value=True))
        return events.filter(self._keep.expr(types))

    def _read(self, stretch: Stretch, parts: Sequence[Part]) -> pl.DataFrame:
        events = self._wanted(parts, stretch.span, self._columns.read)
        if stretch.ids:
            first, last = map(pl.lit, stretch.ids)
            events = events.filter(_ID.is_between(first, last))
        ordered = events.sort("event_time", "event_id")
        return self._columns.made(ordered, column_types(parts))

    def _collected(self, span: TimeSpan, read: Callable[[Sequence[Part]], T]) -> T:
        """What `read` makes of the parts of a span; when a merge took some away, of the new ones."""
        for _ in range(ATTEMPTS_MAX):
            try:
                return read(
                    [part for part in self._parts if part.rows and part.span.overlaps(span)]
                )
            except FileNotFoundError:
                self._look_anew()
            except OF_A_PART:
                if not self._store.distrust():
                    raise
                self._look_anew()
        raise StoreError(
            "export",
            "parts vanish while they are read",
            place=str(self._store.folder.root),
            next_step="does something else delete files there?",
        )

    def _look_anew(self) -> None:
        self._parts, self._is_merged = self._store.snapshot().parts, True


def _joined(spans: Sequence[TimeSpan]) -> TimeSpan:
    return TimeSpan(min(span.start for span in spans), max(span.end for span in spans))
