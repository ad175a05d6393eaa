"""Distinct counts that add up: the smallest hashes of a set (bottom-k, "KMV").

A set is kept as its k smallest hashes. While it has fewer members, these are all of them and the
count is exact; beyond, the k-th smallest says how dense they lie: (k - 1) / (k-th / 2^64), with a
standard error of 1/√k. Adding up is a union cut to k again, so any grouping gives the same, and
exact and estimated sets are one thing. (HyperLogLog has the same error in an eighth of the bytes,
but is no set: it could not count exactly, nor link devices to users afterwards.)
https://doi.org/10.1145/1247480.1247504
"""

from typing import Final

import polars as pl

from store.analytics.links import Links, is_given

CELL_MAX: Final = 1_024
"""Hashes kept for a point in time: exact up to that many, then within 3 %."""
WHOLE_MAX: Final = 8_192
"""Hashes kept for a whole span: exact up to that many, then within 1.1 % (one deviation)."""
_SPACE: Final = 2.0**64


def hashes_of(column: str) -> pl.Expr:
    """The texts as hashes of 64 bits, the same within a process, as long as partials live."""
    return pl.when(is_given(column)).then(pl.col(column).hash(seed=7))


def smallest(sets: pl.Expr, most: int) -> pl.Expr:
    """Lists of hashes as sets keep them: ascending, no more than `most`."""
    return sets.list.drop_nulls().list.sort().list.head(most)


def union(sets: str, most: pl.Expr | int) -> pl.Expr:
    """In a group: its sets as one."""
    return pl.col(sets).list.explode().unique().drop_nulls().sort().head(most)


def size(sets: str, most: pl.Expr) -> pl.Expr:
    """How many members: exact below `most`, else out of the density of the hashes."""
    count = pl.col(sets).list.len().cast(pl.Float64)
    reach = pl.col(sets).list.last().cast(pl.Float64) / _SPACE
    return pl.when(count < most).then(count).otherwise((count - 1) / reach).fill_null(0.0)


def users(frame: pl.DataFrame, most: pl.Expr, links: Links) -> pl.DataFrame:
    """`frame` with the column `users`: the users of `subjects`, and those of `devices` who are not
    among them, after linking. Exact when both sets are.
    """
    rows = frame.with_row_index("_row").with_columns(
        size("subjects", most).alias("users"), most.alias("_most")
    )
    if not frame["devices"].list.len().sum():
        return rows.drop("_row", "_most")
    added = _device_users(rows.lazy(), links.frame.lazy())
    both = rows.lazy().join(added, on="_row", how="left", maintain_order="left")
    more = size("devices", pl.col("_most")) * pl.col("_new_share").fill_null(0.0)
    return both.with_columns(pl.col("users") + more).drop("_row", "_most", "_new_share").collect()


def _device_users(rows: pl.LazyFrame, links: pl.LazyFrame) -> pl.LazyFrame:
    """For each row, the share of its devices that are users beside those of `subjects`.

    A linked device can be judged when its user would be kept if it were there: always, while
    `subjects` is exact.
    """
    with_devices = rows.filter(pl.col("devices").list.len() > 0)
    present = _exploded(with_devices, "subjects").with_columns(is_present=True)
    full = pl.col("subjects").list.len() >= pl.col("_most")
    reach = with_devices.select("_row", reach=pl.when(full).then(pl.col("subjects").list.last()))
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
