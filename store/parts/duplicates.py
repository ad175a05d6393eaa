"""Ids that occur twice in a date, found exactly and in bounded memory."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import ceil
from typing import Final, NamedTuple

import polars as pl

from store.parts.part import Part
from store.parts.scan import scan

BUCKET_ROWS: Final = 4_000_000
"""Hashes held at once (8 bytes each); more ids are taken in as many passes over that column."""


class Duplicate(NamedTuple):
    """An id that stands more than once in a date."""

    date: str
    event_id: str
    times: int


class Distinct(NamedTuple):
    """How many different (date, id) there are, and those that occur more than once."""

    ids: int
    repeated: tuple[Duplicate, ...]


def distinct_ids(
    parts: Iterable[Part], *, shown_max: int, bucket_rows: int = BUCKET_ROWS
) -> Distinct:
    """Counts the ids of `parts` date by date; names the first `shown_max` that are repeated.

    FileNotFoundError when a part is gone: take a new snapshot.
    """
    ids, repeated = 0, list[Duplicate]()
    ordered = sorted(parts, key=lambda part: part.date)
    for day, group in groupby(ordered, key=lambda part: part.date):
        found = _of_a_date(day, list(group), bucket_rows)
        ids += found.ids
        repeated += found.repeated[: shown_max - len(repeated)]
    return Distinct(ids, tuple(repeated))


def _of_a_date(day: str, parts: Sequence[Part], bucket_rows: int) -> Distinct:
    events = scan(parts, ["event_id"], None).with_columns(pl.col("event_id").hash().alias("hash"))
    buckets = max(1, ceil(sum(part.rows for part in parts) / bucket_rows))
    found = [_of_a_bucket(day, events.filter(_in_bucket(n, buckets))) for n in range(buckets)]
    repeated = sorted(each for bucket in found for each in bucket.repeated)
    return Distinct(sum(bucket.ids for bucket in found), tuple(repeated))


def _in_bucket(number: int, buckets: int) -> pl.Expr:
    return pl.lit(True) if buckets == 1 else pl.col("hash") % buckets == number


def _of_a_bucket(day: str, events: pl.LazyFrame) -> Distinct:
    hashes = events.select("hash").collect(engine="streaming")["hash"]
    suspects = hashes.filter(hashes.is_duplicated()).unique()
    if suspects.is_empty():
        return Distinct(len(hashes), ())
    # Equal hashes are a hint; the ids themselves decide.
    same = pl.col("hash").is_in(suspects.implode())
    counts = events.filter(same).group_by("event_id").len().collect(engine="streaming")
    repeated = counts.filter(pl.col("len") > 1)
    return Distinct(
        hashes.n_unique() - len(suspects) + counts.height,
        tuple(Duplicate(day, *row) for row in repeated.iter_rows()),
    )
