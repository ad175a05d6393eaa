"""Ids that occur twice in a date, taken out one slice after the other: exact, in bounded memory."""

from collections.abc import Sequence
from math import ceil
from typing import Final

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan
from store.schema import PART

BUCKET_ROWS: Final = 2_000_000
"""Hashes and times held at once (16 bytes each); more ids are taken in as many passes."""
_KEEP_FIRST: Final = ("event_time", "event_id", "received_time", PART)


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
