"""Percentiles of an attribute, by breakdown values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import adding, cells, reducing
from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.measured import few, groups, is_sampled, ranked, spec_of
from store.analytics.measures import Measure, number, parse_measure
from store.analytics.query import Query, option
from store.analytics.rollups.recipe import Recipe
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import rows_json
from store.timespan import TimeSpan

COLUMNS: Final = ("count", "mean", "min", "p50", "p75", "p90", "p95", "p99", "max")


@dataclass(frozen=True, kw_only=True, slots=True)
class Percentiles(Query):
    """How the values of an attribute are spread."""

    analysis: ClassVar[str] = "percentiles"

    of: str = option("duration_ms", "the attribute", metavar="ATTR")
    exact: bool = option(False, "from the values themselves, not within 1 %")


class PercentilesAnalysis:
    """Count, mean, extremes and percentiles; `count` is of the events that have the attribute. `few`
    names the percentiles that rest on too few of them: a p99 on less than 100.
    """

    name = "percentiles"
    version = 1
    query_type = Percentiles

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        return _spec(query).columns()

    def numbers(self, query: Query) -> Sequence[str]:
        return _spec(query).numbers

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return reducing.partial(events, _spec(query), query, cut)

    def recipe(self, query: Query) -> Recipe | None:
        return Recipe(_spec(query))

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return adding.combine(partials, _spec(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        spec, measures = _spec(query), _measures(query)
        valued = combined.filter((pl.col("weight.0") > 0) | (pl.col("kind") >= cells.SKETCH))
        _, totals = ranked(valued, spec, measures, links, query.limit)
        rows = [
            Row(
                key=dict(zip(query.by, group.key, strict=True)),
                values={
                    name: number(value, measure, 1.0)
                    for name, measure, value in zip(COLUMNS, measures, values, strict=True)
                },
                folded=group.folded,
                few=marks,
            )
            for (group, _, values), marks in zip(
                groups(totals, len(measures)), few(totals, COLUMNS), strict=True
            )
        ]
        return Finished(
            Table(COLUMNS, rows),
            events=int(combined["n"].sum()),
            sampled=is_sampled(totals),
            exact=bool(totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _measures(query: Query) -> Sequence[Measure]:
    of = cast(Percentiles, query).of
    counted = Measure("count", "values", of)
    return [counted, *(parse_measure(f"{name}:{of}") for name in COLUMNS[1:])]


def _spec(query: Query) -> Spec:
    exact = cast(Percentiles, query).exact
    return spec_of(_measures(query), query.by, is_timed=False, link=query.link, is_exact=exact)
