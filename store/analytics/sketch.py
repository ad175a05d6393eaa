"""Percentiles that add up: DDSketch buckets, so that an answer is within 1 % of the exact one.

Bucket i holds the sizes in (γ^(i-1), γ^i] and is answered by 2γ^i/(γ+1). Each bucket keeps its
least and greatest value as well: buckets of one or two events, all there are in a small set, give
their values back exactly. https://arxiv.org/abs/1908.10693
"""

import math
from collections.abc import Sequence
from typing import Final

import polars as pl

GAMMA: Final = 1.02
_LOG_GAMMA: Final = math.log(GAMMA)
# The least float is 4.9e-324, bucket -37,595: codes of positive values stay above zero.
_OFFSET: Final = 40_000


def bucket(values: pl.Expr) -> pl.Expr:
    """The code (Int32) of each finite value's bucket; codes are in the order of the values."""
    code = (values.abs().log() / _LOG_GAMMA).ceil() + _OFFSET
    return pl.when(values == 0).then(0.0).otherwise(code * values.sign()).cast(pl.Int32)


def _middle(code: pl.Expr) -> pl.Expr:
    size = (_LOG_GAMMA * (code.abs() - _OFFSET).cast(pl.Float64)).exp() * (2 / (GAMMA + 1))
    return pl.when(code == 0).then(0.0).otherwise(size * code.sign())


def percentiles(
    buckets: pl.DataFrame, keys: Sequence[str], quantiles: Sequence[float]
) -> pl.DataFrame:
    """One row for each of `keys` with the columns q0, q1, … (Float64) and `is_exact`.

    `buckets` has the keys, `bucket` (a code, or the value itself), `weight` (events in it, or that
    they stand for), `low` and `high` (its least and greatest value). Ranks are numpy's `linear`
    ones: both neighbours are estimated and interpolated.
    """
    ordered = buckets.sort(*keys, "bucket")
    # Over no keys at all, every row is in one group.
    over: list[str | pl.Expr] = [*keys] or [pl.lit(0)]
    ordered = ordered.with_columns(
        pl.col("weight").cum_sum().over(over).alias("_upto"),
        pl.col("weight").sum().over(over).alias("_all"),
        _estimate(ordered).alias("_middle"),
    )
    found = [part for at, q in enumerate(quantiles) for part in _interpolated(at, q)]
    group = ordered.group_by(*keys) if keys else ordered.group_by(pl.lit(0).alias("_none"))
    table = group.agg(found)
    exact = [f"_exact{at}" for at in range(len(quantiles))]
    return table.with_columns(pl.all_horizontal(*exact, pl.lit(True)).alias("is_exact")).select(
        *keys, *(f"q{at}" for at in range(len(quantiles))), "is_exact"
    )


def _estimate(buckets: pl.DataFrame) -> pl.Expr:
    """The middle of the bucket, as far as its values reach; of values themselves, those."""
    if buckets.schema["bucket"] != pl.Int32:
        return pl.col("low")
    return _middle(pl.col("bucket")).clip(pl.col("low"), pl.col("high"))


def _interpolated(at: int, quantile: float) -> tuple[pl.Expr, pl.Expr]:
    rank = quantile * (pl.col("_all") - 1)
    lower, lower_exact = _at_rank(rank.floor())
    upper, upper_exact = _at_rank(rank.ceil())
    part = (rank - rank.floor()).first()
    value = lower + (upper - lower) * part
    return value.alias(f"q{at}"), (lower_exact & (upper_exact | (part == 0))).alias(f"_exact{at}")


def _at_rank(rank: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """The estimate of the value with that rank (from 0), and whether it is that very value."""
    before = pl.col("_upto") - pl.col("weight")
    is_first, is_last = rank <= before, rank >= pl.col("_upto") - 1
    value = pl.when(is_first).then("low").when(is_last).then("high").otherwise("_middle")
    known = is_first | is_last | (pl.col("low") == pl.col("high"))
    # Rounding in sums of weights must not lose the last rank.
    holds = (pl.col("_upto") > rank) | (pl.col("_upto") == pl.col("_all"))
    place = holds.arg_max()
    return value.gather(place).first(), known.gather(place).first()
