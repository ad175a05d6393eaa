"""Performance: load times, frames per second, frame times and metrics, and the share of errors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import adding, known_types, reducing
from store.analytics.cells import Spec, stored_in
from store.analytics.cut import Cut
from store.analytics.known_types import is_error, is_kind, is_metric, is_metric_of, reported
from store.analytics.links import Links
from store.analytics.measured import few, groups, is_sampled, measured
from store.analytics.measures import Measure, number
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.shares import wilson
from store.analytics.sums import steady
from store.analytics.table_json import rows_json
from store.timespan import TimeSpan

COLUMNS: Final = ("metric", "count", "mean", "min", "max", "p50", "p95", "p99")
# Columns beside those of the events, under names that no attribute has.
_METRIC, _VALUE = "\0metric", "\0number"
_ERROR: Final = "\0error"
"""Stands among the metrics for whether an event is an error, 1 or 0."""
_MEASURES: Final = (
    Measure("count", "values", _VALUE),
    *(Measure(kind, kind, _VALUE) for kind in ("mean", "min", "max")),
    *(Measure(f"p{at}", "percentile", _VALUE, at / 100) for at in (50, 95, 99)),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance(Query):
    """How fast it loads and draws, and how often it fails."""

    analysis: ClassVar[str] = "performance"

    by: tuple[str, ...] = option(("component",), "a row for each value of these", metavar="ATTR")


class PerformanceAnalysis:
    """A row for each metric and breakdown value: `load_time`, `fps`, `frame_time`, `render_time`
    (attributes in any of their spellings; a load's duration is a load time), the value of each
    metric under its own name, and `duration_ms` of events of the type or name performance. Times
    are in ms. `error_rate` is the share of errors among all `events`, with its 95 % interval (Wilson).
    The `limit` values with the most numbers are told apart, the rest is folded, metric by metric.
    `few` names the percentiles that rest on too few numbers.
    """

    name = "performance"
    version = 1
    may_miss = known_types.ATTRIBUTES
    query_type = Performance

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        own = ["event_time", "sample_rate", *map(stored_in, query.by)]
        return list(dict.fromkeys([*own, *known_types.COLUMNS]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        metrics, values = zip(*_sources(), strict=True)
        names = [f"{_VALUE} {at}" for at in range(len(values))]
        # All at once: what they have in common is worked out once.
        found = [
            value.cast(pl.Float64).alias(name) for name, value in zip(names, values, strict=True)
        ]
        every = events.with_columns(*found, is_error().cast(pl.Float64).alias(_ERROR))
        numbers = pl.concat(
            every.filter(pl.col(name).is_not_null()).with_columns(
                metric.cast(pl.String).alias(_METRIC), pl.col(name).alias(_VALUE)
            )
            for metric, name in zip(metrics, names, strict=True)
        )
        cells = reducing.partial(numbers, _spec(query), query, cut)
        # Errors are counted over everything: no key, and no buckets, which would cost ten times that.
        told = every.with_columns(pl.col(_ERROR).alias(_VALUE))
        errors = reducing.partial(told, Spec(is_timed=False, stats=(_VALUE,)), query, cut)
        nothing = [pl.lit("").alias(key) for key in _spec(query).keys[:-1]]
        marked = errors.with_columns(*nothing, pl.lit(_ERROR).alias(_metric_key(query)))
        return pl.concat([cells, marked], how="diagonal")

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return adding.combine(partials, _spec(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        spec = _spec(query)
        is_error_row = pl.col(_metric_key(query)) == _ERROR
        counted = combined.filter(is_error_row & (pl.col("kind") == 0))
        cells = _folded(combined.filter(~is_error_row), spec, query)
        _, totals = measured(cells, spec, _MEASURES, links)
        rows = [
            Row(
                dict(zip(query.by, group.key, strict=False)),
                dict(
                    zip(
                        COLUMNS,
                        (group.key[-1], *map(number, values, _MEASURES, [1.0] * 7)),
                        strict=True,
                    )
                ),
                group.folded,
                marks,
            )
            for (group, _, values), marks in zip(
                groups(totals, len(_MEASURES)), few(totals, COLUMNS[1:]), strict=True
            )
        ]
        return Finished(
            Table(COLUMNS, rows, _errors(counted)),
            events=int(counted["n"].sum()),
            sampled=is_sampled(counted),
            exact=bool(totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return {**rows_json(result), **cast(Table, result).summary}


def _sources() -> Iterator[tuple[pl.Expr, pl.Expr]]:
    """The metric and the number, or null, of each of the ways in which events report some."""
    for name in known_types.SPELLINGS:
        yield pl.lit(name), reported(name)
    is_other = is_metric() & ~is_metric_of(*known_types.SPELLINGS)
    yield pl.col("event_name"), pl.when(is_other).then(pl.col("value"))
    duration = known_types.DURATION
    yield pl.lit(duration), pl.when(is_kind("performance")).then(pl.col(duration))


def _spec(query: Query) -> Spec:
    return Spec(by=(*query.by, _METRIC), is_timed=False, stats=(_VALUE,), sketches=(_VALUE,))


def _metric_key(query: Query) -> str:
    return f"key.{len(query.by)}"


def _folded(cells: pl.DataFrame, spec: Spec, query: Query) -> pl.DataFrame:
    """The breakdown values past the limit made one, each metric by itself."""
    keys = spec.keys[:-1]
    if not keys:
        return cells
    sizes = cells.group_by(keys).agg(pl.col("n").sum())
    best = sizes.sort("n", *keys, descending=[True, *[False] * len(keys)]).head(query.limit)
    if best.height == sizes.height:
        return cells
    marked = cells.join(best.select(*keys, folded=False), on=keys, how="left")
    marked = marked.with_columns(pl.col("folded").fill_null(value=True))
    blank = [pl.when("folded").then(pl.lit("")).otherwise(key).alias(key) for key in keys]
    return adding.added(marked.with_columns(blank), spec)


def _errors(counted: pl.DataFrame) -> dict[str, Any]:
    sums = counted.select(steady(pl.col(name).sum()) for name in ("weight", "sum.0"))
    weight, errors = sums.row(0)
    share = wilson(float(errors or 0.0), float(weight or 0.0))
    names = ("error_rate", "error_rate_low", "error_rate_high")
    rate = dict(zip(names, (share.share, share.low, share.high), strict=True))
    return {**rate, "events": number(weight, Measure("count", "count"), 1.0)}
