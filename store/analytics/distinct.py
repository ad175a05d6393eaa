"""Distinct counts that add up: the smallest hashes of a set (bottom-k, "KMV").

A set is kept as its k smallest hashes. While it has fewer members, these are all of them and the
count is exact; beyond, the k-th smallest says how dense they lie: (k - 1) / (k-th / 2^64), with a
standard error of 1/√k. Adding up is a union cut to k again, so any grouping gives the same, and
exact and estimated sets are one thing. (HyperLogLog has the same error in an eighth of the bytes,
but is no set: it could not count exactly, nor link devices to users afterwards.)

A set may have been cut to fewer hashes than are kept where it goes: its reach (a column beside it,
null when it was not cut) is the last hash up to which it is complete. A union reaches as far as the
shortest of its sets.
https://doi.org/10.1145/1247480.1247504
"""

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl
import xxhash

from store.analytics.links import Links, is_given

CELL_MAX: Final = 1_024
"""Hashes kept for a point in time: exact below that many, then within 3 %."""
WHOLE_MAX: Final = 8_192
"""Hashes kept for a whole span: exact below that many, then within 1.1 % (one deviation)."""
EVERY: Final = 1 << 31
"""Hashes kept where none may be left out: more than a set can have."""
REACH: Final = "reach"
_SPACE: Final = 2.0**64
_LAST: Final = 2**64 - 1
_HELP: Final = ("_row", "_devices", "_reach")


def hashes_of(column: str) -> pl.Expr:
    """The texts that are given as hashes of 64 bits, the same in every process and for ever."""
    texts = pl.when(is_given(column)).then(pl.col(column))
    return texts.map_batches(hashed, return_dtype=pl.UInt64(), is_elementwise=True)


def hashed(texts: pl.Series) -> pl.Series:
    """XXH3-64 of the texts in UTF-8, as `subject_hash` is; null of null.

    Each text is hashed once. Which are equal is told by Polars' own hashes, a fifth of the time of
    comparing them; those may differ from version to version, so they are kept nowhere.
    """
    own = texts.hash()
    first = own.arg_unique()
    found = [
        None if text is None else xxhash.xxh3_64_intdigest(text.encode())
        for text in texts.gather(first).to_list()
    ]
    hashes = pl.Series(found, dtype=pl.UInt64)
    return own.replace_strict(own.gather(first), hashes, return_dtype=pl.UInt64).alias(texts.name)


def smallest(sets: pl.Expr, most: int) -> pl.Expr:
    """Lists of hashes as sets keep them: ascending, no more than `most`."""
    return sets.list.drop_nulls().list.sort().list.head(most)


def reach_of(sets: str) -> str:
    """The column with the reach of a column of sets."""
    return f"{REACH}.{sets}"


def reaches(sets: Sequence[str], columns: Collection[str]) -> list[str]:
    """The reaches that are among `columns`."""
    return [reach for reach in map(reach_of, sets) if reach in columns]


def cut(sets: str, most: int, columns: Collection[str] = ()) -> list[pl.Expr]:
    """The sets of a frame with `columns` cut to `most` hashes, and their reaches."""
    lists = pl.col(sets).list
    before = pl.col(reach_of(sets)) if reach_of(sets) in columns else pl.lit(None, pl.UInt64())
    last = lists.get(most - 1, null_on_oob=True)
    reach = pl.when(lists.len() > most).then(last).otherwise(before)
    return [lists.head(most).alias(sets), reach.alias(reach_of(sets))]


def union(sets: str, most: pl.Expr | int, columns: Collection[str] = ()) -> pl.Expr:
    """In a group of a frame with `columns`: its sets as one."""
    hashes = pl.col(sets).list.explode()
    if reach_of(sets) in columns:
        hashes = hashes.filter(hashes <= pl.col(reach_of(sets)).min().fill_null(_LAST))
    return hashes.unique().drop_nulls().sort().head(most)


def is_full(sets: str, most: pl.Expr, columns: Collection[str] = ()) -> pl.Expr:
    """Whether there may be more members than these hashes."""
    full = pl.col(sets).list.len().fill_null(0) >= most
    return full | pl.col(reach_of(sets)).is_not_null() if reach_of(sets) in columns else full


def bound(sets: str, most: pl.Expr, columns: Collection[str] = ()) -> pl.Expr:
    """Up to which hash a full set is complete."""
    last = pl.col(sets).list.last()
    if reach_of(sets) not in columns:
        return last
    is_short = pl.col(sets).list.len().fill_null(0) < most
    return pl.when(is_short).then(pl.coalesce(reach_of(sets), last)).otherwise(last)


def size(sets: str, most: pl.Expr, columns: Collection[str] = ()) -> pl.Expr:
    """How many members: exact below `most`, else out of the density of the hashes."""
    count = pl.col(sets).list.len().cast(pl.Float64)
    density = bound(sets, most, columns).cast(pl.Float64) / _SPACE
    full = is_full(sets, most, columns)
    return pl.when(full).then((count - 1) / density).otherwise(count).fill_null(0.0)


def users(frame: pl.DataFrame, most: pl.Expr, links: Links) -> pl.DataFrame:
    """`frame` with the column `users`: the users of `subjects`, and those of `devices` who are not
    among them, after linking. Exact when both sets are.
    """
    rows = frame.with_row_index("_row").with_columns(
        size("subjects", most, frame.columns).alias("users"),
        size("devices", most, frame.columns).alias("_devices"),
        pl.when(is_full("subjects", most, frame.columns))
        .then(bound("subjects", most, frame.columns))
        .alias("_reach"),
    )
    if not frame["devices"].list.len().sum():
        return rows.drop(_HELP)
    linked = links.of(frame["devices"].explode().unique())
    added = _device_users(rows.lazy(), linked.lazy())
    both = rows.lazy().join(added, on="_row", how="left", maintain_order="left")
    more = pl.col("_devices") * pl.col("_new_share").fill_null(0.0)
    return both.with_columns(pl.col("users") + more).drop(*_HELP, "_new_share").collect()


def _device_users(rows: pl.LazyFrame, links: pl.LazyFrame) -> pl.LazyFrame:
    """For each row, the share of its devices that are users beside those of `subjects`.

    A linked device can be judged when its user would be kept if it were there: always, while
    `subjects` is exact.
    """
    with_devices = rows.filter(pl.col("devices").list.len() > 0)
    present = _exploded(with_devices, "subjects").with_columns(is_present=True)
    reach = with_devices.select("_row", reach="_reach")
    seen = (
        _exploded(with_devices, "devices")
        .join(links, left_on="hash", right_on="device", how="left")
        .with_columns(hash=pl.coalesce("user", "hash"), is_linked=pl.col("user").is_not_null())
        .join(present, on=["_row", "hash"], how="left")
        .join(reach, on="_row")
    )
    beyond = (pl.col("hash") > pl.col("reach")).fill_null(value=False)
    judged = ~(pl.col("is_linked") & beyond)
    new = pl.col("hash").filter(judged & pl.col("is_present").is_null()).n_unique()
    return seen.group_by("_row").agg((new / judged.sum().clip(1)).alias("_new_share"))


def _exploded(rows: pl.LazyFrame, sets: str) -> pl.LazyFrame:
    hashes = rows.select("_row", pl.col(sets).alias("hash")).explode("hash")
    return hashes.filter(pl.col("hash").is_not_null())
