"""Components: how often they load, play and fail, how fast, and for how many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import adding, known_types, reducing
from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.known_types import is_error, is_kind, reported
from store.analytics.links import Links, is_given
from store.analytics.measured import few, groups, is_sampled, ranked
from store.analytics.measures import Measure, number
from store.analytics.query import Query
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("events", "loads", "plays", "errors", "load_ms", "load_p95_ms", "fps", "users", "last_seen"),
)
_COMPONENT: Final = "component"
# Columns beside those of the events, under names that no attribute has.
_LOADS, _PLAYS, _ERRORS = "\0loads", "\0plays", "\0errors"
_LOAD_MS, _FPS = "\0load_ms", "\0fps"
_MEASURES: Final = (
    Measure("count", "count"),
    *(Measure(name, "sum", name) for name in (_LOADS, _PLAYS, _ERRORS)),
    Measure("load_ms", "mean", _LOAD_MS),
    Measure("load_p95_ms", "percentile", _LOAD_MS, 0.95),
    Measure("fps", "mean", _FPS),
    Measure("users", "users"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Components(Query):
    """How components fare."""

    analysis: ClassVar[str] = "components"
    keeps_sets: ClassVar[bool] = True


class ComponentsAnalysis:
    """A row for each `component` (events without one are left out), the busiest first, the rest
    past `limit` in one. Broken down, a row for each component and value.

    `loads` are events of the type or name component_load, `plays` those of animation_play,
    `errors` those of error, or of severity error and above. `load_ms` is the mean load time
    (`load_time` in any of its spellings, or the duration of a load), `load_p95_ms` its 95th
    percentile, `fps` the mean frames per second (`store.analytics.known_types`); null without any.
    """

    name = "components"
    version = 1
    may_miss = known_types.ATTRIBUTES
    query_type = Components

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        own = Spec(by=_by(query), users=True, link=query.link, seen=True).columns()
        return list(dict.fromkeys([*own, *known_types.COLUMNS]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        told = events.filter(is_given(_COMPONENT)).with_columns(
            is_kind("component_load").cast(pl.Float64).alias(_LOADS),
            is_kind("animation_play").cast(pl.Float64).alias(_PLAYS),
            is_error().cast(pl.Float64).alias(_ERRORS),
            reported(known_types.LOAD_TIME).alias(_LOAD_MS),
            reported("fps").alias(_FPS),
        )
        return reducing.partial(told, _spec(query), query, cut)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return adding.combine(partials, _spec(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        _, totals = ranked(combined, _spec(query), _MEASURES, links, query.limit)
        rows = []
        marks = few(totals, COLUMNS)
        for (group, _, values), last, few_of in zip(
            groups(totals, len(_MEASURES)), totals["last"], marks, strict=True
        ):
            told = [number(value, of, 1.0) for value, of in zip(values, _MEASURES, strict=True)]
            key = dict(zip(_by(query), group.key, strict=True))
            values_of = dict(zip(COLUMNS, [*told, last], strict=True))
            rows.append(Row(key, values_of, group.folded, few_of))
        return Finished(
            Table(COLUMNS, rows),
            events=int(totals["n"].sum()),
            sampled=is_sampled(totals),
            exact=bool(totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        table = cast(Table, result)
        return flat_rows_json(replace(table, rows=[_row_of_json(row) for row in table.rows]))


def _by(query: Query) -> tuple[str, ...]:
    return tuple(dict.fromkeys((_COMPONENT, *query.by)))


def _row_of_json(row: Row) -> Row:
    """With the values that it is broken down by apart: they may be called as a number is."""
    values = {name: value for name, value in row.key.items() if name != _COMPONENT}
    apart = {"key": values} if values else {}
    return Row({_COMPONENT: row.key[_COMPONENT]}, {**apart, **row.values}, row.folded, row.few)


def _spec(query: Query) -> Spec:
    return Spec(
        by=_by(query),
        is_timed=False,
        stats=(_LOADS, _PLAYS, _ERRORS, _LOAD_MS, _FPS),
        sketches=(_LOAD_MS,),
        users=True,
        link=query.link,
        whole_sets=query.whole_sets,
        seen=True,
    )
