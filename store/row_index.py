"""Stretches of an order of events: which row of which part stands at which place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan
from store.schema import INSTANT, PART, ROW
from store.timespan import TimeSpan

TIME: Final = "event_time"
SCHEMA: Final = {TIME: INSTANT, PART: pl.UInt32(), ROW: pl.UInt32()}
# Neighbouring stretches up to here become one: else a live tail would leave one a second.
SMALL_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Run:
    """All rows of one part, newest first. Nothing of it has been read: parts are sorted."""

    index: int
    """Which part, in the table of parts."""
    part: Part

    @property
    def rows(self) -> int:
        return self.part.rows

    @property
    def newest(self) -> datetime:
        return self.part.span.end

    @property
    def oldest(self) -> datetime:
        return self.part.span.start

    def slice(self, start: int, count: int) -> pl.DataFrame:
        """PART and ROW of `count` places from `start` on."""
        last = self.rows - 1 - start
        rows = pl.int_range(last, last - min(count, self.rows - start), -1, eager=True)
        return pl.DataFrame({ROW: rows.cast(pl.UInt32)}).select(
            pl.lit(self.index, pl.UInt32()).alias(PART), ROW
        )

    def opened(self) -> "Sorted":
        """The same with its times, read from the part."""
        times = scan([self.part], [TIME], None, rows=True).collect()
        return Sorted(in_order(times.with_columns(pl.lit(self.index, pl.UInt32()).alias(PART))))

    def place(self, index: int, row: int, _time: datetime) -> int | None:
        return self.rows - 1 - row if index == self.index else None


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows of any parts in the order of the frame (TIME, PART, ROW)."""

    frame: pl.DataFrame

    @property
    def rows(self) -> int:
        return self.frame.height

    @property
    def newest(self) -> datetime:
        """Of an order by time, as `oldest`."""
        newest: datetime = self.frame[TIME][0]
        return newest

    @property
    def oldest(self) -> datetime:
        oldest: datetime = self.frame[TIME][-1]
        return oldest

    def slice(self, start: int, count: int) -> pl.DataFrame:
        return self.frame.slice(start, count).select(PART, ROW)

    def opened(self) -> "Sorted":
        return self

    def place(self, index: int, row: int, time: datetime) -> int | None:
        same = (pl.col(TIME) == time) & (pl.col(PART) == index) & (pl.col(ROW) == row)
        found = self.frame.lazy().with_row_index("_place").filter(same).select("_place").collect()
        return int(found["_place"][0]) if found.height else None

    def from_on(self, instant: datetime) -> int:
        """How many rows are not older than `instant`, in an order by time."""
        return int((self.frame[TIME] >= instant).sum())

    def first(self, count: int) -> "Sorted":
        return Sorted(self.frame.slice(0, count))

    def after(self, count: int) -> "Sorted":
        return Sorted(self.frame.slice(count))


Stretch = Run | Sorted


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Newest first; at the same instant the later part and row."""
    return rows.select(*SCHEMA).sort(*SCHEMA, descending=True)


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Without empty ones, small neighbours put together."""
    kept: list[Stretch] = []
    for stretch in stretches:
        last = kept[-1] if kept else None
        small = isinstance(last, Sorted) and isinstance(stretch, Sorted)
        if not stretch.rows:
            continue
        if small and last and last.rows + stretch.rows <= SMALL_ROWS:
            kept[-1] = Sorted(pl.concat([last.opened().frame, stretch.opened().frame]))
        else:
            kept.append(stretch)
    return tuple(kept)


def merged(fresh: pl.DataFrame, stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """`fresh` (in order) put among stretches by time; only what it overlaps is touched."""
    if not fresh.height:
        return tuple(stretches)
    oldest = fresh[TIME][-1]
    above: list[pl.DataFrame] = []
    rest: list[Stretch] = []
    for stretch in stretches:
        if stretch.newest < oldest:
            rest.append(stretch)
        else:
            opened = stretch.opened()
            count = opened.from_on(oldest)
            above.append(opened.frame.slice(0, count))
            rest.append(opened.after(count))
    top = in_order(pl.concat([fresh, *above])) if any(f.height for f in above) else fresh
    return joined([Sorted(top), *rest])


def since(stretches: Sequence[Stretch], start: datetime) -> tuple[Stretch, ...]:
    """Without what is older than `start`."""
    kept: list[Stretch] = []
    for stretch in stretches:
        if stretch.oldest >= start:
            kept.append(stretch)
        elif stretch.newest >= start:
            opened = stretch.opened()
            kept.append(opened.first(opened.from_on(start)))
    return joined(kept)


def clusters(parts: Sequence[Part]) -> list[list[int]]:
    """The parts, by index, in groups whose times do not overlap; the newest group first."""
    groups: list[list[int]] = []
    end: datetime | None = None
    for index in sorted(range(len(parts)), key=lambda index: parts[index].span):
        span = parts[index].span
        if end is not None and span.start < end:
            groups[-1].append(index)
        else:
            groups.append([index])
        end = span.end if end is None else max(end, span.end)
    return groups[::-1]


def ends_of(stretches: Sequence[Stretch]) -> list[int]:
    """At which place each stretch ends."""
    return list(accumulate(stretch.rows for stretch in stretches))


def between(frame: pl.DataFrame, span: TimeSpan) -> pl.DataFrame:
    """The rows of a frame in order whose time lies within `span`."""
    return frame.filter((pl.col(TIME) >= span.start) & (pl.col(TIME) < span.end))
