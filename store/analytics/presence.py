"""Who came back when, where it is only asked whether: a bit for each period in one number a user."""

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from store.analytics.activity import AT, Kept
from store.analytics.ordered.subjects import WHO
from store.analytics.returning import Returns, is_back

PERIODS_MAX: Final = 63
"""Bits in a number that stays positive."""
_BITS: Final = pl.Series([1 << at for at in range(PERIODS_MAX)], dtype=pl.Int64)
_STARTS, _BACK = "starts", "back"
_SCHEMA: Final = {
    "folded": pl.Boolean(),
    AT: pl.Int32(),
    "k": pl.Int32(),
    "users": pl.UInt32(),
}


def fits(kept: Kept, wanted: Returns, periods: int) -> bool:
    """Whether it is asked by calendar, of everybody together, and of so few periods."""
    return not kept.by and not wanted.own and wanted.least == 1 and periods <= PERIODS_MAX


def counts(
    rows: pl.DataFrame, kept: Kept, cohorts: int, wanted: Returns, *, ever: bool
) -> pl.DataFrame:
    """What `returning.counts` gives, out of rows (of which several may be of one user and point)."""
    users = _users(rows, kept, wanted, ever=ever)
    found = [pl.DataFrame(schema=_SCHEMA)]
    for at in range(cohorts):
        begun = users.filter(pl.col(_STARTS) & (1 << at) != 0)
        if begun.height:
            later = begun[_BACK] // (1 << at)
            told = [(0, begun.height), *_back(later, wanted)]
            rows_of = [(False, at, k, count) for k, count in told if count]
            found.append(pl.DataFrame(rows_of, schema=_SCHEMA, orient="row"))
    return pl.concat(found)


def _users(rows: pl.DataFrame, kept: Kept, wanted: Returns, *, ever: bool) -> pl.DataFrame:
    """The periods in which each began (`ever`: began first), and those in which he was there."""
    bit = pl.lit(_BITS).gather(pl.col(AT).fill_null(0)) * pl.col(AT).is_not_null()
    starts, back = pl.col(kept.count(0)) > 0, is_back(kept, wanted)
    # A start before all periods has no bit, and the least number.
    first = pl.when(starts).then(pl.col(AT).fill_null(-1)).min()
    begun = first if ever else pl.when(starts).then("bit").otherwise(0).bitwise_or()
    told = (
        rows.lazy()
        .with_columns(bit.alias("bit"))
        .group_by(WHO)
        .agg(
            begun.alias(_STARTS),
            pl.when(back).then("bit").otherwise(0).bitwise_or().alias(_BACK),
        )
    )
    if ever:
        only = pl.lit(_BITS).gather(pl.col(_STARTS).clip(0)) * (pl.col(_STARTS) >= 0)
        told = told.filter(pl.col(_STARTS).is_not_null()).with_columns(only.alias(_STARTS))
    return told.collect(engine="streaming")


def _back(later: pl.Series, wanted: Returns) -> Iterator[tuple[int, int]]:
    """k, and how many came back after k periods; bit k of `later` is the k-th after the start."""
    name = pl.col(later.name)
    ks: Sequence[int] = range(1, min(wanted.periods, PERIODS_MAX - 1) + 1)
    there = [name >= 1 << k if wanted.or_after else name & (1 << k) != 0 for k in ks]
    sums = later.to_frame().select(
        each.sum().alias(f"{k}") for k, each in zip(ks, there, strict=True)
    )
    yield from zip(ks, sums.row(0), strict=True)
