"""Percentiles that add up: DDSketch buckets, so that an answer is within 1 % of the exact one.

Bucket i holds the sizes in (γ^(i-1), γ^i] and is answered by 2γ^i/(γ+1). Each bucket keeps its
least and greatest value as well: buckets of one or two events, all there are in a small set, give
their values back exactly. Rollups leave these out. https://arxiv.org/abs/1908.10693
"""

import math
from collections.abc import Sequence
from typing import Final

import polars as pl

from store.analytics.sums import steady

GAMMA: Final = 1.02
LISTS: Final = ["bucket", "weights", "lows", "highs"]
"""The columns of a sketch."""
_LOG_GAMMA: Final = math.log(GAMMA)
# The least float is 4.9e-324, bucket -37,595: codes of positive values stay above zero.
_OFFSET: Final = 40_000
# The greatest float has the code 75,843.
_CODES: Final = 2**18
MANY: Final = 4_000_000
"""Values from which numpy is worth its import: 0.1 s, and a quarter of Polars' time for sorting."""
LONG: Final = 10_000
"""Values in a list, on average, from which a step of its own for each costs nothing beside it."""
_GROUP: Final = "\0group"


def bucket(values: pl.Expr) -> pl.Expr:
    """The code (Int32) of each finite value's bucket; codes are in the order of the values."""
    code = (values.abs().log() / _LOG_GAMMA).ceil() + _OFFSET
    return pl.when(values == 0).then(0.0).otherwise(code * values.sign()).cast(pl.Int32)


def _middle(code: pl.Expr) -> pl.Expr:
    size = (_LOG_GAMMA * (code.abs() - _OFFSET).cast(pl.Float64)).exp() * (2 / (GAMMA + 1))
    return pl.when(code == 0).then(0.0).otherwise(size * code.sign())


def counted(weight: pl.Expr, value: pl.Expr) -> list[pl.Expr]:
    """In a group of the values of one bucket: what is known of it."""
    return [weight.alias("weights"), value.min().alias("lows"), value.max().alias("highs")]


def added() -> list[pl.Expr]:
    """In a group of rows of the same bucket: what is known of all of them."""
    return [pl.col("weights").sum(), pl.col("lows").min(), pl.col("highs").max()]


def without_extremes() -> list[pl.Expr]:
    """The extremes of sketches that were kept without: not known, also of what they add up to."""
    ends = (("lows", -math.inf), ("highs", math.inf))
    count = pl.col("bucket").list.len()
    return [pl.lit(end).repeat_by(count).alias(name) for name, end in ends]


def listed() -> list[pl.Expr]:
    """In a group of the buckets of one sketch: the sketch, as lists in the order of the codes."""
    return [pl.col(name).sort_by("bucket") for name in LISTS]


def merged(sketches: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Sketches of the same keys as one."""
    if _are_plain(sketches):
        values = pl.col("bucket").list.explode()
        return sketches.lazy().group_by(keys).agg(values).collect(engine="streaming")
    return united(_weighed(sketches), keys, added())


def united(sketches: pl.DataFrame, keys: Sequence[str], sums: Sequence[pl.Expr]) -> pl.DataFrame:
    """Sketches of the same keys as one, with the lists that `sums` says how to add up."""
    lists = ["bucket", *(each.meta.output_name() for each in sums)]
    if sketches.schema["bucket"] != pl.List(pl.Int32()):
        flat = sketches.select(*keys, *lists).explode(lists)
        buckets = flat.group_by(*keys, "bucket").agg(sums)
        return buckets.group_by(keys).agg(pl.col(name).sort_by("bucket") for name in lists)
    # One number for the sketch and the bucket: grouping by the keys takes four times as long.
    groups = sketches.select(keys).unique(maintain_order=True).with_row_index(_GROUP)
    placed = sketches.select(keys).join(
        groups, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    first = placed[_GROUP].cast(pl.Int64) * _CODES + _CODES // 2
    flat = sketches.select(first, *lists).explode(lists)
    code, place = pl.col(_GROUP), pl.col(_GROUP) // _CODES
    sorted_codes = flat.lazy().group_by(code + pl.col("bucket")).agg(sums).sort(_GROUP)
    found = sorted_codes.select(
        place.cast(pl.UInt32),
        (code % _CODES - _CODES // 2).cast(pl.Int32).alias("bucket"),
        *lists[1:],
    )
    whole = found.group_by(_GROUP, maintain_order=True).agg(lists).collect()
    return groups.join(whole, on=_GROUP, maintain_order="left").drop(_GROUP)


def _are_plain(sketches: pl.DataFrame) -> bool:
    """Whether all are values as they came, each of which counts once."""
    weights = sketches.get_column("weights", default=None)
    return weights is None or weights.null_count() == sketches.height > 0


def _weighed(sketches: pl.DataFrame) -> pl.DataFrame:
    """Plain values, where there are any, as the others are."""
    if not sketches["weights"].null_count():
        return sketches
    plain = pl.when(pl.col("weights").is_null())
    values = pl.col("bucket")
    ones = values.list.eval(pl.element() * 0 + 1.0)
    return sketches.with_columns(
        plain.then(values.list.sort()).otherwise(values).alias("bucket"),
        plain.then(ones).otherwise("weights").alias("weights"),
        plain.then(values.list.sort()).otherwise("lows").alias("lows"),
        plain.then(values.list.sort()).otherwise("highs").alias("highs"),
    )


def held(sketches: pl.DataFrame) -> pl.Series:
    """How many events each of them is made of, or that these stand for."""
    values = pl.col("bucket").list.len().cast(pl.Float64)
    if _are_plain(sketches):
        return sketches.select(values).to_series()
    return sketches.select(pl.coalesce(pl.col("weights").list.sum(), values)).to_series()


def percentiles(sketches: pl.DataFrame, quantiles: Sequence[float]) -> pl.DataFrame:
    """For each row the columns q0, q1, … (Float64) and `is_exact`.

    `sketches` has lists: `bucket` (codes, or the values themselves, ascending), `weights` (events
    in each, or that they stand for), `lows` and `highs` (their least and greatest values). Without
    these three, or where they are null, it has values in no order, each of which counts once. Ranks
    are numpy's `linear` ones: both neighbours are estimated and interpolated.
    """
    if _are_plain(sketches):
        return _of_values(sketches["bucket"], quantiles)
    # Of the same events in another order, weights that are no whole numbers differ in their last digits.
    each = pl.col("weights").list.eval(steady(pl.element()))
    sketches = _weighed(sketches).with_columns(each)
    rows = sketches.select(
        pl.col("weights").list.sum().alias("weight"),
        pl.col("weights").list.len().cast(pl.Int64).cum_sum().alias("end"),
    )
    exact = [(pl.col("weight") - 1) * quantile for quantile in quantiles]
    sides = [side for rank in exact for side in (rank.floor(), rank.ceil())]
    ranks = rows.select(side.alias(f"{at}") for at, side in enumerate(sides)).get_columns()
    if not ranks or not rows.height:
        return _nothing(rows.height, len(quantiles))
    found = _at_ranks(sketches.select(LISTS).explode(LISTS), rows, ranks)
    pieces = [found.slice(at * rows.height, rows.height) for at in range(len(ranks))]
    answers, known = [], pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    for at, quantile in enumerate(quantiles):
        lower, upper = pieces[2 * at], pieces[2 * at + 1]
        part = (rows["weight"] - 1) * quantile - ranks[2 * at]
        answers.append((lower["value"] + (upper["value"] - lower["value"]) * part).alias(f"q{at}"))
        known &= lower["known"] & (upper["known"] | (part == 0))
    return pl.DataFrame([*answers, known.alias("is_exact")])


def _of_values(values: pl.Series, quantiles: Sequence[float]) -> pl.DataFrame:
    ranks = [(values.list.len().cast(pl.Float64) - 1) * quantile for quantile in quantiles]
    sides = [side.cast(pl.Int64) for rank in ranks for side in (rank.floor(), rank.ceil())]
    found = _of_ranks(values, sides)
    answers = []
    for at, rank in enumerate(ranks):
        lower, upper = found[2 * at], found[2 * at + 1]
        answers.append((lower + (upper - lower) * (rank - rank.floor())).alias(f"q{at}"))
    exact = pl.repeat(value=True, n=values.len(), dtype=pl.Boolean, eager=True)
    return pl.DataFrame([*answers, exact.alias("is_exact")])


def _of_ranks(lists: pl.Series, ranks: Sequence[pl.Series]) -> list[pl.Series]:
    """What stands at places in each of the lists, once it is sorted."""
    if lists.list.len().sum() < max(MANY, LONG * len(lists)):
        ordered = lists.list.sort()
        return [ordered.list.get(rank) for rank in ranks]
    import numpy as np

    places = pl.DataFrame(ranks, [f"{at}" for at in range(len(ranks))])
    found = [
        np.sort(each.to_numpy())[list(row)] if len(each) else [None] * len(ranks)
        for each, row in zip(lists, places.iter_rows(), strict=True)
    ]
    return [pl.Series([row[at] for row in found], dtype=pl.Float64) for at in range(len(ranks))]


def _nothing(rows: int, quantiles: int) -> pl.DataFrame:
    none = pl.Series([None] * rows, dtype=pl.Float64)
    return pl.DataFrame(
        {f"q{at}": none for at in range(quantiles)}
        | {"is_exact": pl.Series([True] * rows, dtype=pl.Boolean)}
    )


def _at_ranks(
    buckets: pl.DataFrame, rows: pl.DataFrame, ranks: Sequence[pl.Series]
) -> pl.DataFrame:
    """For each of `ranks` (from 0, one for each row), one after the other: the estimate of the
    `value` of that rank, and whether it is `known` to be that very value.
    """
    upto = buckets["weights"].cum_sum()
    last = rows["end"] - 1
    base = upto.gather(last).shift(1, fill_value=0.0)
    wanted = pl.DataFrame(
        {
            "rank": pl.concat(list(ranks)),
            "base": pl.concat([base] * len(ranks)),
            "last": pl.concat([last] * len(ranks)),
        }
    )
    # Sums of weights are rounded: the last rank must not fall off its row.
    place = upto.search_sorted(wanted["rank"] + wanted["base"], side="right").cast(pl.Int64)
    place = place.zip_with(place < wanted["last"], wanted["last"])
    held = buckets.with_columns(_upto=upto)[place]
    after = pl.col("_upto") - pl.col("base")
    is_first = (pl.col("rank") <= after - pl.col("weights")) & pl.col("lows").is_finite()
    is_last = (pl.col("rank") >= after - 1) & pl.col("highs").is_finite()
    value = pl.when(is_first).then("lows").when(is_last).then("highs").otherwise(_estimate(held))
    known = is_first | is_last | (pl.col("lows") == pl.col("highs"))
    return pl.concat([held, wanted], how="horizontal").select(
        value.alias("value"), known.alias("known")
    )


def _estimate(buckets: pl.DataFrame) -> pl.Expr:
    """The middle of the bucket, as far as its values reach; of values themselves, those."""
    if buckets.schema["bucket"] != pl.Int32:
        return pl.col("lows")
    return _middle(pl.col("bucket")).clip(pl.col("lows"), pl.col("highs"))
