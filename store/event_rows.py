"""Events by place: the rows of a table of millions, of which only the few seen are read.

Parts never change and are sorted by time. So without a filter most of the order is known from
footers alone; what was read of it stays good while new parts arrive on top.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

import orjson
import polars as pl

from store.analytics.filters import Filter
from store.parts.covering import hides
from store.parts.part import Part
from store.parts.scan import column_types, scan
from store.row_index import (
    SCHEMA,
    TIME,
    Run,
    Sorted,
    Stretch,
    between,
    clusters,
    ends_of,
    in_order,
    joined,
    merged,
    since,
)
from store.schema import OVERFLOW, PART, ROW
from store.timespan import TimeSpan

# Wanted rows of a part no farther apart than this are read in one go.
_NEAR_ROWS: Final = 8_192

EventRow = dict[str, Any]
"""The values of one event by column; under PART its part, under ROW its place in there."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column; what has no value comes last, equal values newest first."""

    column: str = TIME
    descending: bool = True


NEWEST_FIRST: Final = Order()


@dataclass(frozen=True, slots=True)
class EventRows:
    """The events of `span` that pass `where`, in an order. A value: it stays as it is while the
    store grows. Any door fails with FileNotFoundError when a merge took a part away: open anew.
    """

    parts: tuple[Part, ...]
    span: TimeSpan
    where: Filter
    order: Order
    stretches: tuple[Stretch, ...]

    @classmethod
    def open(
        cls,
        parts: Sequence[Part],
        span: TimeSpan,
        where: Filter | None = None,
        order: Order = NEWEST_FIRST,
    ) -> Self:
        """Reads what the order needs: with a filter its columns, else at most some times."""
        rows = cls(tuple(parts), span, where or Filter(), order, ())
        if order != NEWEST_FIRST:
            return replace(rows, stretches=joined([Sorted(rows._ordered())]))
        if where:
            return replace(rows, stretches=joined([Sorted(rows._found(parts, span))]))
        return replace(rows, stretches=joined(rows._unfiltered()))

    @property
    def total(self) -> int:
        return sum(stretch.rows for stretch in self.stretches)

    def grown(self, parts: Sequence[Part], span: TimeSpan) -> Self:
        """The same over more parts and a later span; only what is new is read."""
        known = {part.key: index for index, part in enumerate(self.parts)}
        added = [part for part in parts if part.key not in known]
        replaced = len(parts) - len(added) < len(self.parts)
        moved_back = span.start < self.span.start or span.end < self.span.end
        if replaced or moved_back or self.order != NEWEST_FIRST:
            return type(self).open(parts, span, self.where, self.order)
        if not added and span == self.span:
            return self
        table = (*self.parts, *added)
        fresh = self._found(table[len(self.parts) :], span, first=len(self.parts))
        if span.end > self.span.end:
            # What was stored before, with a time that only now is within the span.
            late = self._found(self.parts, TimeSpan(self.span.end, span.end))
            fresh = in_order(pl.concat([fresh, late])) if late.height else fresh
        stretches = since(merged(fresh, self.stretches), span.start)
        return replace(self, parts=table, span=span, stretches=stretches)

    # Reading the order

    def _found(self, parts: Sequence[Part], span: TimeSpan, first: int = 0) -> pl.DataFrame:
        """The rows of `parts` (the table from `first` on) that belong here, newest first."""
        if not any(part.rows and part.span.overlaps(span) for part in parts):
            return pl.DataFrame(schema=SCHEMA)
        events = self._scanned(parts, [TIME], span)
        return in_order(events.select(*SCHEMA).collect().with_columns(pl.col(PART) + first))

    def _ordered(self) -> pl.DataFrame:
        """All rows by the column of the order."""
        by = self.order.column
        columns = list(dict.fromkeys((*SCHEMA, by)))
        events = self._scanned(self.parts, [TIME, by], self.span).select(columns).collect()
        # Two sorts, the second stable: one by all keys took seven times as long on 4 M rows.
        newest_first = events.sort(*SCHEMA, descending=True)
        down = self.order.descending
        ordered = newest_first.sort(by, descending=down, nulls_last=True, maintain_order=True)
        return ordered.select(*SCHEMA)

    def _scanned(self, parts: Sequence[Part], columns: list[str], span: TimeSpan) -> pl.LazyFrame:
        types = column_types(parts)
        wanted = {*columns, *self.where.columns(types)}
        return scan(parts, wanted, span, rows=True).filter(self.where.expr(types))

    def _unfiltered(self) -> Iterator[Stretch]:
        """Parts that overlap no other are known from their footers; the rest is read at once."""
        reading = [i for i, p in enumerate(self.parts) if p.rows and p.span.overlaps(self.span)]
        groups = clusters([self.parts[index] for index in reading])
        whole = [
            len(group) == 1 and self.span.covers(self.parts[reading[group[0]]].span)
            for group in groups
        ]
        mixed = [reading[i] for g, alone in zip(groups, whole, strict=True) if not alone for i in g]
        read = self._found([self.parts[index] for index in mixed], self.span)
        read = read.with_columns(pl.lit(pl.Series(mixed, dtype=pl.UInt32)).gather(PART).alias(PART))
        for group, alone in zip(groups, whole, strict=True):
            members = [self.parts[reading[index]] for index in group]
            if alone:
                yield Run(reading[group[0]], members[0])
            else:
                start = min(part.span.start for part in members)
                end = max(part.span.end for part in members)
                yield Sorted(between(read, TimeSpan(start, end)))

    # Rows by place

    def page(self, places: range, columns: Collection[str]) -> dict[int, EventRow]:
        """The events at `places` (those that exist), with these columns where they have them."""
        spots = self._spots(places)
        rows = self._read(spots.partition_by(PART, as_dict=True, include_key=False), columns)
        pairs = zip(spots[PART], spots[ROW], strict=True)
        return {place: rows[pair] for place, pair in zip(places, pairs, strict=False)}

    def event(self, row: Mapping[str, Any]) -> EventRow:
        """Everything known of the event that a row of `page` stands for; nulls left out."""
        part: Part = row[PART]
        names = [name for name in part.columns if name != OVERFLOW]
        frame = scan([part], names, None).slice(row[ROW], 1).drop(PART).collect()
        event = dict(frame.row(0, named=True))
        if OVERFLOW in part.columns:
            packed = pl.scan_parquet(part.path, glob=False).select(OVERFLOW).slice(row[ROW], 1)
            event |= orjson.loads(packed.collect().item() or b"{}")
        return {name: value for name, value in event.items() if value is not None}

    def place(self, row: Mapping[str, Any]) -> int | None:
        """Where a row of a page stands here, also one of other rows; None when it does not. An
        event that a merge put into another part is found for as long as its old part is there.
        """
        index, number = self._number_of(row[PART]), row[ROW]
        if index is None:
            index, number = self._moved(row)
        start = 0
        for stretch in self.stretches:
            if index is not None and stretch.oldest <= row[TIME] <= stretch.newest:
                found = stretch.place(index, number, row[TIME])
                if found is not None:
                    return start + found
            start += stretch.rows
        return None

    def _number_of(self, part: Part) -> int | None:
        return next((i for i, each in enumerate(self.parts) if each.key == part.key), None)

    def _moved(self, row: Mapping[str, Any]) -> tuple[int | None, int]:
        """The part and the row where the event of a row stands now."""
        part: Part = row[PART]
        instant = TimeSpan(row[TIME], row[TIME] + timedelta(microseconds=1))
        merged = [each for each in self.parts if hides(each, part)]
        try:
            event_id = scan([part], ["event_id"], None).slice(row[ROW], 1).collect()["event_id"]
        except FileNotFoundError:
            return None, 0
        at_once = scan(merged, ["event_id"], instant, rows=True)
        found = at_once.filter(pl.col("event_id").is_in(event_id.implode())).collect()
        if not found.height:
            return None, 0
        return self._number_of(merged[found[PART][0]]), int(found[ROW][0])

    def newer_than(self, instant: datetime) -> int:
        """How many events are later than `instant`, in the order by time: the place of the first
        that is not.
        """
        place = 0
        for stretch in self.stretches:
            if stretch.oldest <= instant:
                opened = stretch.opened()
                return place + int((opened.frame[TIME] > instant).sum())
            place += stretch.rows
        return place

    def _spots(self, places: range) -> pl.DataFrame:
        """PART and ROW at each place."""
        ends = ends_of(self.stretches)
        found = [pl.DataFrame(schema={PART: pl.UInt32(), ROW: pl.UInt32()})]
        at = max(0, places.start)
        while at < min(places.stop, self.total):
            number = bisect_right(ends, at)
            stretch = self.stretches[number]
            offset = at - (ends[number] - stretch.rows)
            found.append(stretch.slice(offset, places.stop - at))
            at = ends[number]
        return pl.concat(found)

    def _read(
        self, spots: Mapping[Any, pl.DataFrame], columns: Collection[str]
    ) -> dict[tuple[int, int], EventRow]:
        """The rows of each part, by part and row; all stretches in one go."""
        asked, scans = list[tuple[int, range, Sequence[int]]](), list[pl.LazyFrame]()
        for (index,), wanted in spots.items():
            part = self.parts[index]
            events = scan([part], [TIME, *_held(part, columns)], None)
            for stretch, rows in _stretches(wanted[ROW].sort().to_list()):
                asked.append((index, stretch, rows))
                scans.append(events.slice(stretch.start, len(stretch)))
        found = dict[tuple[int, int], EventRow]()
        for (index, stretch, rows), frame in zip(asked, pl.collect_all(scans), strict=True):
            values = frame[[row - stretch.start for row in rows]].rows(named=True)
            part = self.parts[index]
            for row, event in zip(rows, values, strict=True):
                found[index, row] = {**event, PART: part, ROW: row}
        return found


def _held(part: Part, columns: Collection[str]) -> list[str]:
    held = {*part.columns, *part.overflow}
    return [name for name in columns if name in held and name != TIME]


def _stretches(rows: Sequence[int]) -> Iterator[tuple[range, Sequence[int]]]:
    """Ascending rows as few ranges, each read in one go, and the rows in each."""
    first = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at] - rows[at - 1] > _NEAR_ROWS:
            yield range(rows[first], rows[at - 1] + 1), rows[first:at]
            first = at
