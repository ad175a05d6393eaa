"""Top: the breakdown values with the most of something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import polars as pl

from store.analytics import adding, reducing
from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.measured import few, groups, is_sampled, measured, ranked, spec_of
from store.analytics.measures import Measure, number, parse_measure
from store.analytics.query import Query, option
from store.analytics.rollups.recipe import Recipe
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import rows_json
from store.timespan import TimeSpan


@dataclass(frozen=True, kw_only=True, slots=True)
class Top(Query):
    """Which values of an attribute have the most."""

    analysis: ClassVar[str] = "top"
    keeps_sets: ClassVar[bool] = True

    by: tuple[str, ...] = option(("event_name",), "rank the values of these", metavar="ATTR")
    measure: str = option(
        "count", "count, rate, users, sessions, sum:F, mean:F, min:F, max:F, p95:F"
    )


class TopAnalysis:
    """The largest first, the rest in one row that is marked as folded, so the sum is closed.

    `share` is of the measure over everything; null where a share means nothing (a mean).
    """

    name = "top"
    version = 1
    query_type = Top

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
        spec, measure = _spec(query), _measure(query)
        whole = _everything(combined, spec, measure, links)
        _, totals = ranked(combined, spec, [measure], links, query.limit)
        seconds = query.span.length.total_seconds() if query.span else 0.0
        rows = [
            Row(
                key=dict(zip(query.by, group.key, strict=True)),
                values={
                    "value": number(value, measure, seconds),
                    "share": value / whole if whole and value is not None else None,
                },
                folded=group.folded,
                few=marks,
            )
            for (group, _, (value,)), marks in zip(
                groups(totals, 1), few(totals, ["value"]), strict=True
            )
        ]
        return Finished(
            Table(("value", "share"), rows),
            events=int(totals["n"].sum()),
            sampled=is_sampled(totals),
            exact=bool(totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _everything(combined: pl.DataFrame, spec: Spec, measure: Measure, links: Links) -> float | None:
    """The measure over all keys together, where shares of it mean something."""
    if not measure.counts or not spec.by:
        return None
    one = adding.folded(combined, spec, combined.clear())
    values = measured(one, spec, [measure], links).totals["m0"]
    return values.item() if values.len() else None


def _measure(query: Query) -> Measure:
    return parse_measure(cast(Top, query).measure)


def _spec(query: Query) -> Spec:
    return spec_of(
        [_measure(query)], query.by, is_timed=False, link=query.link, whole_sets=query.whole_sets
    )
