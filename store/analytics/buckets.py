"""Histograms as they were sent, and the percentiles of what went into their buckets.

Each bucket is a counter of its own (store.analytics.counters), so cumulative histograms are as
exact as cumulative sums.
"""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import polars as pl

from store.analytics.counters import (
    AT,
    FINE,
    cells_of,
    grown,
    is_cumulative,
    key_columns,
    of_stream,
    text_of,
)
from store.analytics.cut import Cut
from store.analytics.query import Query
from store.schema import PART

_LISTS: Final = ("bucket_counts", "explicit_bounds", "positive_counts", "negative_counts")
_NUMBERS: Final = ("scale", "positive_offset", "negative_offset", "zero_count", "zero_threshold")
ATTRIBUTES: Final = tuple(f"metric_{name}" for name in (*_LISTS, *_NUMBERS))
EXPLICIT: Final = 0
POSITIVE: Final = 1
NEGATIVE: Final = -1
ZERO: Final = 2
EVENTS: Final = 3
"""No bucket, but how many events there were."""
_POINT: Final = (FINE, AT, "time", "stream", "start", "weight", PART)
_BUCKET: Final = ("sign", "scale", "index", "lower", "upper")
_SUMMED: Final = ("first", "low", "high", "total", "is_sampled")
_FLOAT: Final = pl.Float64()


class Bucket(NamedTuple):
    """Values above `lower`, up to `upper`."""

    upper: float
    lower: float
    held: float
    is_geometric: bool


def partial(events: pl.LazyFrame, by: Sequence[str], query: Query, cut: Cut | None) -> pl.LazyFrame:
    """A row for each part, key, time, stream, start and bucket: the greatest `count` of a stream,
    the `total` of deltas, which have none; and rows of EVENTS, which say whether deltas were sampled.
    """
    types = events.collect_schema()
    kind = text_of("metric_kind", types)
    spread = events.filter(kind.is_in(["histogram", "exponential_histogram"])).with_columns(
        *of_stream(types), *(_list(name, types) for name in _LISTS), *map(_number, _NUMBERS)
    )
    keys = key_columns(by, types, query, cut)
    names = spread.select(keys).collect_schema().names()
    sound = ~is_cumulative(types) | pl.col("stream").is_not_null()
    told = spread.with_columns(keys).filter(sound)
    buckets = pl.concat([_explicit(told), *map(_signed, (told, told), (1, -1)), _zero(told)])
    # Without a start, also a bucket that is empty tells: of a new beginning.
    telling = (pl.col("count") > 0) | pl.col(AT).is_not_null()
    counted = buckets.filter(telling).group_by(*names, *_BUCKET)
    is_delta = pl.col("stream").is_null()
    sizes = told.group_by(names).agg(
        pl.len().cast(pl.Float64).alias("total"),
        (pl.col("weight") > 1).filter(is_delta).any().alias("is_sampled"),
    )
    return pl.concat(
        [
            counted.agg(
                pl.col("event_time").min().alias("first"),
                pl.col("count").min().alias("low"),
                pl.col("count").max().alias("high"),
                (pl.col("count") * pl.col("weight")).filter(is_delta).sum().alias("total"),
            ),
            sizes.with_columns(pl.lit(EVENTS, pl.Int8).alias("sign")),
        ],
        how="diagonal",
    )


def _list(name: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    bare = text_of(f"metric_{name}", types).str.replace_all(r"[\[\] ]", "")
    numbers = bare.str.split(",")
    return numbers.cast(pl.List(_FLOAT), strict=False).list.drop_nulls().alias(name)


def _number(name: str) -> pl.Expr:
    return pl.col(f"metric_{name}").cast(_FLOAT, strict=False).alias(name)


def _explicit(told: pl.LazyFrame) -> pl.LazyFrame:
    bounds, counts = pl.col("explicit_bounds"), pl.col("bucket_counts")
    ends = pl.lit([math.inf], pl.List(_FLOAT))
    found = told.filter(counts.list.len() == bounds.list.len() + 1).with_columns(
        counts.alias("count"),
        pl.lit([-math.inf], pl.List(_FLOAT)).list.concat(bounds).alias("lower"),
        bounds.list.concat(ends).alias("upper"),
    )
    return _shaped(found.explode("count", "lower", "upper"), EXPLICIT)


def _signed(told: pl.LazyFrame, sign: int) -> pl.LazyFrame:
    name = "positive" if sign > 0 else "negative"
    counts, offset = pl.col(f"{name}_counts"), pl.col(f"{name}_offset").fill_null(0.0)
    found = told.filter(counts.list.len() > 0, pl.col("scale").is_not_null()).with_columns(
        counts.alias("count"), pl.int_ranges(counts.list.len()).alias("index")
    )
    rows = found.explode("count", "index")
    index = pl.col("index") + offset.cast(pl.Int64)
    return _shaped(rows.with_columns(index.alias("index")), sign)


def _zero(told: pl.LazyFrame) -> pl.LazyFrame:
    found = told.with_columns(
        pl.col("zero_count").alias("count"), pl.col("zero_threshold").fill_null(0.0).alias("upper")
    )
    return _shaped(found, ZERO)


def _shaped(rows: pl.LazyFrame, sign: int) -> pl.LazyFrame:
    names = rows.collect_schema().names()
    kinds = {"index": pl.Int64(), "lower": _FLOAT, "upper": _FLOAT}
    absent = [pl.lit(None, kind).alias(n) for n, kind in kinds.items() if n not in names]
    scale = pl.col("scale") if sign in (POSITIVE, NEGATIVE) else pl.lit(None, _FLOAT)
    return rows.with_columns(
        *absent, pl.lit(sign, pl.Int8).alias("sign"), scale.cast(pl.Int64).alias("scale")
    ).select(
        *(name for name in names if name in _POINT),
        *(name for name in names if name.startswith("key.")),
        *("event_time", "count", *_BUCKET),
    )


def combine(partials: pl.DataFrame, query: Query) -> pl.DataFrame:
    """Rows of many parts as one set of rows; cells of cut parts become points."""
    rows = cells_of(partials, query)
    keys = [name for name in rows.columns if name not in _SUMMED]
    return rows.group_by(keys).agg(
        pl.col("first", "low").min(),
        pl.col("high").max(),
        pl.col("total").sum(),
        pl.col("is_sampled").any(),
    )


def increases(rows: pl.DataFrame) -> pl.DataFrame:
    """The `increase` of each key, time and bucket (`upper`, `lower`, `is_geometric`)."""
    keys = [name for name in rows.columns if name.startswith("key.")]
    buckets = rows.filter(pl.col("sign") != EVENTS)
    segment = ["stream", "start"]
    bucket = ["sign", "index", "lower", "upper"]
    # A histogram of a coarser scale has buckets that hold several of those before, whole.
    least = pl.col("scale").min().over(segment)
    factor = pl.lit(2).cast(pl.Int64).pow(pl.col("scale") - least)
    coarse = pl.when(pl.col("stream").is_null()).then("index")
    index = coarse.otherwise(pl.col("index").floordiv(factor))
    scale = pl.when(pl.col("stream").is_null()).then("scale").otherwise(least)
    scaled = buckets.with_columns(index.alias("index"), scale.alias("_scale"))
    of_point = [*keys, "time", AT, *segment, *bucket, "_scale"]
    first = pl.col("first").min()
    summed = scaled.group_by(*of_point, "scale").agg(first, pl.col("low", "high", "total").sum())
    least = pl.col("first", "low").min()
    one = summed.group_by(of_point).agg(least, pl.col("high").max(), pl.col("total").sum())
    ordered = one.sort("time", AT, "high")
    told = ordered.with_columns(grown(*segment, *bucket).alias("increase"), *_edges())
    return told.select(*keys, "time", "upper", "lower", "is_geometric", "increase")


def _edges() -> list[pl.Expr]:
    """Of a bucket of any kind. Bucket i of a scale holds what is above 2^(i / 2^scale), up to
    2^((i + 1) / 2^scale).
    """
    sign, index = pl.col("sign"), pl.col("index").cast(_FLOAT)
    width = pl.lit(2.0).pow(-pl.col("_scale").cast(_FLOAT))
    near, far = pl.lit(2.0).pow(index * width), pl.lit(2.0).pow((index + 1) * width)
    upper = pl.when(sign == POSITIVE).then(far).when(sign == NEGATIVE).then(-near)
    lower = pl.when(sign == POSITIVE).then(near).when(sign == NEGATIVE).then(-far)
    return [
        upper.otherwise("upper").alias("upper"),
        lower.when(sign == ZERO).then(-pl.col("upper")).otherwise("lower").alias("lower"),
        sign.is_in([POSITIVE, NEGATIVE]).alias("is_geometric"),
    ]


def quantile(buckets: Sequence[Bucket], share: float) -> float | None:
    """Of buckets in ascending order; None where they are empty, or tell nothing.

    Linear inside a bucket, geometric in one of an exponential histogram. The lowest begins at 0
    when it ends above; the highest, if it has no end, is told as its start. The zero bucket of an
    exponential histogram holds nothing below 0 where all others are above it, and the reverse.
    """
    if not sum(bucket.held for bucket in buckets):
        return None
    sides = {bucket.upper > 0 for bucket in buckets if bucket.is_geometric and bucket.held}
    return _inside(*_at(buckets, share), sides)


def is_open(buckets: Sequence[Bucket], share: float) -> bool:
    """Whether it lies in a bucket without an end: it is no less than what `quantile` tells."""
    return quantile(buckets, share) is not None and _at(buckets, share)[0].upper == math.inf


def _at(buckets: Sequence[Bucket], share: float) -> tuple[Bucket, float]:
    """The bucket that holds the rank, and how much of it lies below; something is held."""
    rank, below = share * sum(bucket.held for bucket in buckets), 0.0
    for bucket in buckets:
        if bucket.held and below + bucket.held >= rank:
            return bucket, max(0.0, rank - below) / bucket.held
        below += bucket.held
    return buckets[-1], 1.0


def _inside(bucket: Bucket, part: float, sides: AbstractSet[bool]) -> float | None:
    """`sides`: whether there are geometric buckets above 0 (True) and below it (False)."""
    lower, upper = bucket.lower, bucket.upper
    if upper == math.inf:
        return lower if math.isfinite(lower) else None
    if bucket.is_geometric:
        if not (math.isfinite(lower) and math.isfinite(upper) and lower and upper):
            return upper if math.isfinite(upper) else None
        magnitude = abs(lower) * (abs(upper) / abs(lower)) ** part
        return math.copysign(magnitude, upper)
    if lower == -math.inf:
        if upper <= 0:
            return upper
        lower = 0.0
    elif lower == -upper and len(sides) == 1:
        lower, upper = (0.0, upper) if True in sides else (lower, 0.0)
    return lower + (upper - lower) * part
