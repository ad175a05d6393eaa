"""Counters as they were sent, and how much they went up.

A cumulative point says how much there was since the start of its stream. Kept is the greatest of
each stream, start and interval: it does not matter how points are split, ordered or repeated.
Where nobody says when it started, each point is kept: one that falls tells that it began anew.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from store.analytics.cells import SEVERITY_CLASS, stored_in
from store.analytics.cut import Cut
from store.analytics.intervals import cell_start
from store.analytics.query import Query
from store.analytics.reducing import finite
from store.schema import PART, as_text, severity_class

_KIND: Final = "metric_kind"
_TEMPORALITY: Final = "metric_temporality"
_MONOTONIC: Final = "metric_is_monotonic"
_STREAM: Final = "metric_stream"
_START: Final = "metric_start_unix_nano"
ATTRIBUTES: Final = (_KIND, _TEMPORALITY, _MONOTONIC, _STREAM, _START, "metric_count", "metric_sum")
"""Of metrics, which perhaps nobody sends."""
SPREADS: Final = ("histogram", "exponential_histogram", "summary")
"""Their counts and sums only go up."""
_TIME: Final = pl.col("event_time")
SOON: Final = timedelta(minutes=10)
"""Programs tell of their counters a minute after they start, or sooner; what a machine has counted
since it was switched on days ago belongs to no interval that we know of."""
AT: Final = "at"
"""The instant of a point whose stream has no start."""
FINE: Final = "is_fine"
"""There, and true, when `time` is a cell of a cut part's grid."""
_NUMBERS: Final = ("first", "low", "high", "total", "n", "is_sampled")


def columns(of: str, by: Sequence[str]) -> Sequence[str]:
    """What `partial` reads."""
    named = (_KIND, _TEMPORALITY, _MONOTONIC, _STREAM, _START)
    return list(dict.fromkeys(["event_time", "sample_rate", *named, of, *map(stored_in, by)]))


def partial(
    events: pl.LazyFrame, of: str, by: Sequence[str], query: Query, cut: Cut | None
) -> pl.LazyFrame:
    """A row for each part, key, time, stream and start (without one, for each instant AT): the
    `first` instant, the `low`est and `high`est value; deltas, which have no stream, as their
    `total`; `n` events, and whether one `is_sampled`.
    """
    types = events.collect_schema()
    kind = text_of(_KIND, types)
    is_sum = (text_of(_MONOTONIC, types) == "true") | kind.is_in(SPREADS)
    is_delta = ~is_cumulative(types) & kind.is_in(["counter", *SPREADS])
    value, weight = pl.col("\0value"), pl.col("weight")
    counted = ((is_sum & pl.col("stream").is_not_null()) | is_delta) & value.is_not_null()
    told = events.with_columns(finite(of).alias("\0value"), *of_stream(types)).filter(counted)
    deltas = pl.col("stream").is_null()
    return told.group_by(key_columns(by, types, query, cut)).agg(
        _TIME.min().alias("first"),
        value.min().alias("low"),
        value.max().alias("high"),
        (value * weight).filter(deltas).sum().alias("total"),
        pl.len().cast(pl.Int64).alias("n"),
        (weight > 1).filter(deltas).any().alias("is_sampled"),
    )


def has_start() -> pl.Expr:
    """Whether the sender says when the stream began; 0 is how OTLP says that it is not known."""
    return (pl.col("start").cast(pl.Int64, strict=False) > 0).fill_null(value=False)


def is_cumulative(types: Mapping[str, pl.DataType]) -> pl.Expr:
    return (text_of(_TEMPORALITY, types) == "cumulative").fill_null(value=False)


def of_stream(types: Mapping[str, pl.DataType]) -> Sequence[pl.Expr]:
    """`stream` and `start` of cumulative points, null for others; the `weight` of all."""
    cumulative = is_cumulative(types)
    return (
        pl.when(cumulative).then(text_of(_STREAM, types)).alias("stream"),
        pl.when(cumulative).then(text_of(_START, types)).alias("start"),
        pl.col("sample_rate").cast(pl.Float64).fill_null(1.0).clip(1.0).alias("weight"),
    )


def key_columns(
    by: Sequence[str], types: Mapping[str, pl.DataType], query: Query, cut: Cut | None
) -> list[pl.Expr]:
    """Part, breakdown values, time, stream and start; AT."""
    time = _TIME.dt.truncate(cut.width) if cut else cell_start(query, _TIME)
    found = [pl.col(PART)] if types[PART] != pl.Null else []
    found += [_key(name, types).alias(f"key.{at}") for at, name in enumerate(by)]
    found += [time.alias("time"), pl.col("stream"), pl.col("start")]
    found += [pl.when(pl.col("stream").is_not_null() & ~has_start()).then(_TIME).alias(AT)]
    return found + ([pl.lit(value=True).alias(FINE)] if cut else [])


def _key(name: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    text = severity_class() if name == SEVERITY_CLASS else as_text(name, types[name])
    return text.cast(pl.String).fill_null("")


def text_of(name: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    """The column as text, whatever it is."""
    return as_text(name, types[name]).cast(pl.String)


def cells_of(partials: pl.DataFrame, query: Query) -> pl.DataFrame:
    """The rows of many parts; cells of cut parts become points."""
    if FINE not in partials.columns:
        return partials
    is_fine = pl.col(FINE).fill_null(value=False)
    cells = partials.filter(is_fine).with_columns(cell_start(query, pl.col("time")).alias("time"))
    return pl.concat([partials.filter(~is_fine), cells]).drop(FINE)


def combine(partials: pl.DataFrame, query: Query) -> pl.DataFrame:
    """Rows of many parts as one set of rows."""
    rows = cells_of(partials, query)
    keys = [name for name in rows.columns if name not in _NUMBERS]
    return rows.group_by(keys).agg(
        pl.col("first", "low").min(),
        pl.col("high").max(),
        pl.col("total").sum(),
        pl.col("n").sum(),
        pl.col("is_sampled").any(),
    )


def base_of(low: str) -> pl.Expr:
    """What a counter had reached when there was no point of it before: 0, where its stream began
    anew or was heard of soon after it began; else its `low`est value there.
    """
    segment = ("stream", "start")
    start = pl.col("start").cast(pl.Int64, strict=False)
    began_anew = start > start.min().over("stream")
    age = pl.col("first").min().over(segment).dt.epoch("us") * 1_000 - start
    is_told = (began_anew | (age <= SOON // timedelta(microseconds=1) * 1_000)).fill_null(
        value=False
    )
    time = pl.coalesce(AT, "time")
    is_first = time == time.min().over(segment)
    return pl.when(is_first & ~is_told).then(low).otherwise(0.0)


def grown(*segment: str) -> pl.Expr:
    """What each row came to more than the one before it in its segment, in the order of time: with
    a start the running maximum, without one the value, from 0 on after a fall; deltas their total.
    """
    value = pl.col("high")
    reached = pl.when(has_start()).then(value.cum_max().over(segment)).otherwise(value)
    before = pl.coalesce(reached.shift().over(segment), base_of("low"))
    before = pl.when(reached < before).then(0.0).otherwise(before)
    more = (reached - before).clip(lower_bound=0.0)
    return pl.when(pl.col("stream").is_null()).then("total").otherwise(more)


def increases(rows: pl.DataFrame) -> pl.DataFrame:
    """The `increase` of each key and time: deltas, and what running maxima grew by, or where the
    start is not known, what values grew by, from 0 on after each fall (as Prometheus has it).
    """
    keys = [name for name in rows.columns if name.startswith("key.")]
    ordered = rows.sort("stream", "start", "time", AT, "high", nulls_last=True)
    return (
        ordered.with_columns(grown("stream", "start").alias("increase"))
        .group_by(*keys, "time")
        .agg(pl.col("increase", "n").sum(), pl.col("is_sampled").any())
    )
