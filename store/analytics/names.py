"""Names: what happens here, how often, how well, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import adding, reducing
from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.intervals import POINTS_MAX
from store.analytics.links import Links
from store.analytics.measured import Group, few, groups, is_sampled, ranked
from store.analytics.measures import number, parse_measure
from store.analytics.query import Query, option
from store.analytics.rollups.recipe import Recipe
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.sums import steady
from store.analytics.table_json import rows_json
from store.errors import UsageError
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("count", "rate", "error_share", "p50", "p95", "p99", "first_seen", "last_seen", "trend"),
)
_SPREAD: Final = ("count", "p50", "p95", "p99")
_MEASURES: Final = tuple(
    parse_measure(text)
    for text in ("count", "p50:duration_ms", "p95:duration_ms", "p99:duration_ms")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names(Query):
    """Events by name: how often, how slow, how often in error."""

    analysis: ClassVar[str] = "names"
    is_timed: ClassVar[bool] = True
    of: ClassVar[str] = "duration_ms"

    by: tuple[str, ...] = option(("event_name",), "a row for each value of these", metavar="ATTR")
    limit: int = option(100, "keep this many rows, fold the rest", metavar="N")
    points: int = option(8, "how many points the trend has", metavar="N")

    def key(self) -> tuple[Any, ...]:
        """The points of the trend are made out of those of the interval, at last."""
        return tuple(part for part in Query.key(self) if part[:1] != ("points",))


class NamesAnalysis:
    """A row for each name: `rate` in events a second, `error_share` from 0 to 1, of all events
    with the name (null when none of them has a severity), `p50` to `p99` of duration_ms (null without durations), `first_seen` and
    `last_seen` in the span, and `trend`: the counts in equal shares of the span.
    """

    name = "names"
    version = 1
    query_type = Names

    def horizon(self, query: Query) -> TimeSpan | None:
        wanted = cast(Names, query).points
        if not 1 <= wanted <= POINTS_MAX:
            hint = f"write 1 to {POINTS_MAX:,}"
            raise UsageError("points", f"{wanted:,} make no trend", next_step=hint)
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        return _spec(query).columns()

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return reducing.partial(events, _spec(query), query, cut)

    def recipe(self, query: Query) -> Recipe | None:
        return Recipe(_spec(query))

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return adding.combine(partials, _spec(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        spec, asked = _spec(query), cast(Names, query)
        points, totals = ranked(combined, spec, _MEASURES, links, query.limit)
        trends = _trends(points, spec, asked)
        seconds = query.span.length.total_seconds() if query.span else 0.0
        details = totals.select("severities", "errors", "first", "last").iter_rows()
        rows = []
        told = zip(groups(totals, 4), few(totals, _SPREAD), details, strict=True)
        for (group, _, values), marks, detail in told:
            count, *spread = map(number, values, _MEASURES, [seconds] * 4)
            severities, errors, first, last = detail
            share = errors / count if severities and count else None
            rate = count / seconds if count and seconds else 0.0
            found = (count, rate, share, *spread, first, last, trends.get(group))
            key = dict(zip(query.by, group.key, strict=True))
            rows.append(Row(key, dict(zip(COLUMNS, found, strict=True)), group.folded, marks))
        return Finished(
            Table(COLUMNS, rows),
            events=int(totals["n"].sum()),
            sampled=is_sampled(totals),
            exact=bool(totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _spec(query: Query) -> Spec:
    return Spec(
        by=query.by,
        sketches=("duration_ms",),
        sketches_timed=False,
        errors=True,
        seen=True,
        link=False,
    )


def _trends(points: pl.DataFrame, spec: Spec, query: Names) -> Mapping[Group, list[float]]:
    """The counts of each key in `query.points` equal shares of the span's intervals: the shares of
    a live span stand still while it moves within an interval, instead of changing at every tick.
    """
    if query.span is None or query.interval is None or not query.span.length:
        return {}
    seen, width = query.span.snapped(query.interval), query.interval
    count = max(1, seen.length // width)
    place = ((pl.col("time") - seen.start) / width).round().cast(pl.Int64)
    share = (place * query.points // count).clip(0, query.points - 1)
    keys = [name for name in adding.key_columns(points, spec) if name != "time"]
    counted = (
        points.with_columns(share.cast(pl.Int64).alias("share"))
        .group_by(*keys, "share")
        .agg(steady(pl.col("weight").sum()))
    )
    found: dict[Group, list[float]] = {}
    is_folded = counted["folded"].to_list() if "folded" in keys else [False] * counted.height
    names = counted.select(spec.keys).rows() if spec.keys else [()] * counted.height
    values = counted.select("share", "weight").rows()
    for name, folded, (at, weight) in zip(names, is_folded, values, strict=True):
        found.setdefault(Group(name, folded), [0.0] * query.points)[at] += weight
    return found
