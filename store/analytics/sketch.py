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
    groups: list[str | pl.Expr] = [*keys] or [pl.lit(0)]
    upto = pl.col("weight").cum_sum().over(groups)
    ordered = buckets.sort(*keys, "bucket").with_columns(
        _upto=upto, _all=upto.max().over(groups), _middle=_estimate(buckets)
    )
    ranks = [quantile * (pl.col("_all") - 1) for quantile in quantiles]
    at_ranks = [
        column
        for at, rank in enumerate(ranks)
        for side, whole in (("lower", rank.floor()), ("upper", rank.ceil()))
        for column in _at_rank(whole, f"{side}{at}")
    ]
    parts = [(rank - rank.floor()).max().alias(f"part{at}") for at, rank in enumerate(ranks)]
    found = ordered.group_by(groups).agg(*(column.max() for column in at_ranks), *parts)
    numbers = range(len(quantiles))
    return found.select(
        *keys,
        *(_between(at).alias(f"q{at}") for at in numbers),
        pl.all_horizontal(pl.lit(value=True), *map(_is_exact, numbers)).alias("is_exact"),
    )


def _estimate(buckets: pl.DataFrame) -> pl.Expr:
    """The middle of the bucket, as far as its values reach; of values themselves, those."""
    if buckets.schema["bucket"] != pl.Int32:
        return pl.col("low")
    return _middle(pl.col("bucket")).clip(pl.col("low"), pl.col("high"))


def _at_rank(rank: pl.Expr, name: str) -> tuple[pl.Expr, pl.Expr]:
    """In the one row that holds the value of that rank (from 0), else null: its estimate, and
    whether it is that very value.
    """
    upto, before = pl.col("_upto"), pl.col("_upto") - pl.col("weight")
    # The last bucket holds the last rank, also when a sum of weights was rounded.
    holds = (before <= rank) & ((rank < upto) | (upto >= pl.col("_all")))
    is_first, is_last = rank <= before, rank >= upto - 1
    value = pl.when(is_first).then("low").when(is_last).then("high").otherwise("_middle")
    known = is_first | is_last | (pl.col("low") == pl.col("high"))
    return pl.when(holds).then(value).alias(name), pl.when(holds).then(known).alias(f"{name}_known")


def _between(at: int) -> pl.Expr:
    lower, upper = pl.col(f"lower{at}"), pl.col(f"upper{at}")
    return lower + (upper - lower) * pl.col(f"part{at}")


def _is_exact(at: int) -> pl.Expr:
    return pl.col(f"lower{at}_known") & (pl.col(f"upper{at}_known") | (pl.col(f"part{at}") == 0))
