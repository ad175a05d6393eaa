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
    ordered = buckets.sort(*keys, "bucket").with_columns(_middle=_estimate(buckets))
    counted = [pl.col("weight").sum(), pl.len().alias("rows")]
    grouped = ordered.group_by(keys, maintain_order=True) if keys else None
    groups = grouped.agg(counted) if grouped else ordered.select(counted).filter(pl.len() > 0)
    groups = groups.with_columns(end=pl.col("rows").cum_sum())
    ranks = [
        side((groups["weight"] - 1) * quantile)
        for quantile in quantiles
        for side in (pl.Series.floor, pl.Series.ceil)
    ]
    if not ranks or not groups.height:
        return _none(groups, keys, len(quantiles))
    found = _at_ranks(ordered, groups, ranks)
    pieces = [found.slice(at * groups.height, groups.height) for at in range(len(ranks))]
    answers, exact = [], pl.repeat(value=True, n=groups.height, dtype=pl.Boolean, eager=True)
    for at, quantile in enumerate(quantiles):
        lower, upper = pieces[2 * at], pieces[2 * at + 1]
        part = (groups["weight"] - 1) * quantile - ranks[2 * at]
        answers.append((lower["value"] + (upper["value"] - lower["value"]) * part).alias(f"q{at}"))
        exact &= lower["known"] & (upper["known"] | (part == 0))
    return groups.select(keys).with_columns(*answers, exact.alias("is_exact"))


def _none(groups: pl.DataFrame, keys: Sequence[str], quantiles: int) -> pl.DataFrame:
    nothing = [pl.lit(None, pl.Float64).alias(f"q{at}") for at in range(quantiles)]
    return groups.select(*keys, *nothing, pl.lit(value=True).alias("is_exact"))


def _estimate(buckets: pl.DataFrame) -> pl.Expr:
    """The middle of the bucket, as far as its values reach; of values themselves, those."""
    if buckets.schema["bucket"] != pl.Int32:
        return pl.col("low")
    return _middle(pl.col("bucket")).clip(pl.col("low"), pl.col("high"))


def _at_ranks(
    ordered: pl.DataFrame, groups: pl.DataFrame, ranks: Sequence[pl.Series]
) -> pl.DataFrame:
    """For each of `ranks` (from 0, one for each group), one after the other: the estimate of the
    `value` of that rank, and whether it is `known` to be that very value.
    """
    upto = ordered["weight"].cum_sum()
    ends = groups["end"].cast(pl.Int64)
    base = upto.gather(ends - 1).shift(1, fill_value=0.0)
    wanted = pl.DataFrame(
        {
            "rank": pl.concat(list(ranks)),
            "base": pl.concat([base] * len(ranks)),
            "last": pl.concat([ends - 1] * len(ranks)),
        }
    )
    # Sums of weights are rounded: the last rank must not fall off its group.
    place = upto.search_sorted(wanted["rank"] + wanted["base"], side="right")
    place = pl.select(pl.min_horizontal(place.cast(pl.Int64), wanted["last"])).to_series()
    rows = ordered.select("weight", "low", "high", "_middle").with_columns(_upto=upto)[place]
    after = pl.col("_upto") - pl.col("base")
    is_first, is_last = pl.col("rank") <= after - pl.col("weight"), pl.col("rank") >= after - 1
    value = pl.when(is_first).then("low").when(is_last).then("high").otherwise("_middle")
    known = is_first | is_last | (pl.col("low") == pl.col("high"))
    return pl.concat([rows, wanted], how="horizontal").select(
        value.alias("value"), known.alias("known")
    )
