"""Ids that occur twice in a date, taken out one slice after the other: exact, in bounded memory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan
from store.schema import PART, ROW

BUCKET_ROWS: Final = 2_000_000
"""Hashes and times held at once (16 bytes each); more ids are taken in as many passes."""
LOOK_ROWS: Final = 4_000_000
"""Hashes held at once when a whole date is looked through: each bucket is one more reading of all
its ids, 0.15 s of processor time for a million.
"""
_KEEP_FIRST: Final = ("event_time", "event_id", "received_time", PART)
_PLACED: Final = ("event_id", "event_time", "received_time")


class FirstOnly:
    """Lets the first event of each id through. Slices must come in the order of time.

    Most ids that come again do so with the same time, so they meet in one slice. Only ids that
    have two times are remembered from slice to slice.
    """

    def __init__(self, parts: Sequence[Part], bucket_rows: int = BUCKET_ROWS) -> None:
        """Reads the ids of `parts`, whose events the slices are of."""
        self._suspects = _at_two_times(parts, bucket_rows)
        self._seen: set[str] = set()
        self.removed = 0

    def of(self, events: pl.DataFrame) -> pl.DataFrame:
        """`events` (in order, with PART) without those whose id came before."""
        is_first = events["event_id"].is_first_distinct()
        if not is_first.all():
            # Of equal times, the one that was received first.
            keys = [name for name in _KEEP_FIRST if name in events.columns]
            events = events.sort(keys).filter(pl.col("event_id").is_first_distinct())
        kept = self._new(events) if len(self._suspects) else events
        self.removed += len(is_first) - kept.height
        return kept

    def _new(self, events: pl.DataFrame) -> pl.DataFrame:
        suspected = pl.col("event_id").hash().is_in(self._suspects.implode())
        ids = events.lazy().filter(suspected).select("event_id").collect()["event_id"]
        again = self._seen.intersection(ids)
        self._seen.update(ids)
        return events.filter(~pl.col("event_id").is_in(list(again))) if again else events


def _at_two_times(parts: Sequence[Part], bucket_rows: int) -> pl.Series:
    """The hashes of all ids that have events at two times (and of few others)."""
    hashes = scan(parts, ["event_id", "event_time"], None).select(
        pl.col("event_id").hash().alias("hash"), "event_time"
    )
    buckets = max(1, ceil(sum(part.rows for part in parts) / bucket_rows))
    found = [_of_a_bucket(hashes, number, buckets) for number in range(buckets)]
    return pl.concat(found)


def _of_a_bucket(hashes: pl.LazyFrame, number: int, buckets: int) -> pl.Series:
    mine = hashes.filter(pl.col("hash") % buckets == number) if buckets > 1 else hashes
    ordered = mine.collect(engine="streaming").sort("hash")
    same, time = pl.col("hash") == pl.col("hash").shift(), pl.col("event_time")
    return ordered.filter(same & (time != time.shift()))["hash"].unique()


class Without:
    """Lets all events of a part through but for some rows."""

    def __init__(self, part: Part, rows: pl.Series) -> None:
        """`rows` are places in the part (UInt32)."""
        self._stays = pl.repeat(value=True, n=part.rows, dtype=pl.Boolean, eager=True)
        self._stays = self._stays.scatter(rows, values=False)
        self.removed = 0

    def of(self, events: pl.DataFrame) -> pl.DataFrame:
        """`events` (with ROW) without those rows."""
        kept = events.filter(self._stays.gather(events[ROW]))
        self.removed += events.height - kept.height
        return kept


def repeated_rows(parts: Sequence[Part], bucket_rows: int = LOOK_ROWS) -> Mapping[int, pl.Series]:
    """By the index of the part, the places of the events whose id came before in one of `parts`, by
    the rule of a merge of all of them. Holds the hashes of one bucket, the ids that share one of
    them, and four bytes for each event that is found.
    """
    buckets = max(1, ceil(sum(part.rows for part in parts) / bucket_rows))
    found: dict[int, list[pl.Series]] = defaultdict(list)
    for number in range(buckets):
        again = _again(parts, number, buckets)
        for (part,), rows in again.partition_by(PART, as_dict=True).items():
            found[part].append(rows[ROW])
    return {part: pl.concat(rows) for part, rows in found.items()}


def _again(parts: Sequence[Part], number: int, buckets: int) -> pl.DataFrame:
    """PART and ROW of the events in a bucket of ids whose id came before."""
    own = pl.col("event_id").hash()
    is_mine = own % buckets == number
    ids = scan(parts, ["event_id"], None).select(own.alias("hash"))
    hashes = ids.filter(pl.col("hash") % buckets == number).collect(engine="streaming")["hash"]
    suspects = hashes.filter(hashes.is_duplicated()).unique()
    if suspects.is_empty():
        return pl.DataFrame(schema={PART: pl.UInt32(), ROW: pl.UInt32()})
    events = scan(parts, _PLACED, None, rows=True).filter(is_mine & own.is_in(suspects.implode()))
    ordered = events.collect(engine="streaming").sort(*_KEEP_FIRST, ROW)
    return ordered.filter(~pl.col("event_id").is_first_distinct()).select(PART, ROW)
