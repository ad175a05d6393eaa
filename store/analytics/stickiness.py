"""Stickiness: on how many days users are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity
from store.analytics.activity import AT, Kept, OfPoint
from store.analytics.analysis import OfSpan
from store.analytics.chosen import Named, parse_chosen
from store.analytics.cut import Cut
from store.analytics.intervals import points
from store.analytics.links import Links
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.shares import wilson
from store.timespan import TimeSpan

COLUMNS: Final = ("intervals", "users", "share", "low", "high")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stickiness(Query):
    """How many users were there in how many intervals."""

    analysis: ClassVar[str] = "stickiness"
    is_timed: ClassVar[bool] = True

    event: Named = option(
        None, "what counts as active: NAME [where FILTER]; any event unless told", metavar="EVENT"
    )
    per: str = option(USER, "count these instead of users", metavar="ATTR")


class StickinessAnalysis(OfSpan):
    """For 1 to all `intervals` of the span: the `users` who were active in exactly so many, zeros
    among them, and their `share` of all active ones with its 95 % interval (Wilson).
    """

    name = "stickiness"
    version = 1
    rows_max = activity.ROWS_MAX
    folds = True
    query_type = Stickiness

    def columns(self, query: Query) -> Sequence[str]:
        return _kept(query).columns(query)

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return activity.partial(events, _kept(query), query, cut)

    def narrow(self, query: Query, span: TimeSpan) -> OfPoint | None:
        return activity.of_point(_kept(query), query, span)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return activity.combine(partials, _kept(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        keys, count = _kept(query).keys, len(points(query))
        users = activity.folded(activity.of_users(combined, links), keys, query.limit)
        group = ["folded", *keys]
        each = users.group_by(*group, WHO).agg(pl.col("time").n_unique().alias(AT))
        sizes = each.group_by(*group, AT).agg(pl.len().alias("users"))
        found: dict[tuple[Any, ...], dict[int, int]] = {}
        for *name, intervals, size in sizes.select(*group, AT, "users").rows():
            found.setdefault(tuple(name), {})[intervals] = size
        if not keys:
            found.setdefault((False,), {})
        names = sorted(found, key=lambda name: (name[0], -sum(found[name].values()), name[1:]))
        rows = [row for name in names for row in _rows(name, found[name], count, query.by)]
        return Finished(
            Table(COLUMNS, rows),
            events=int(combined["n"].sum()),
            sampled=activity.is_sampled(combined),
        )

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The event asked for, if nobody did it."""
        is_empty = not any(row.values["users"] for row in cast(Table, result).rows)
        return [kind.name for kind in _kept(query).kinds] if is_empty else []


def _kept(query: Query) -> Kept:
    event = parse_chosen(cast(Stickiness, query).event, "event", query.tz)
    return Kept((event,), query.by)


def _rows(
    name: tuple[Any, ...], sizes: Mapping[int, int], count: int, by: Sequence[str]
) -> Sequence[Row]:
    whole, key = sum(sizes.values()), dict(zip(by, name[1:], strict=True))
    counts = ((at, sizes.get(at, 0)) for at in range(1, count + 1))
    values = ((at, users, *wilson(users, whole)) for at, users in counts)
    return [Row(key, dict(zip(COLUMNS, each, strict=True)), name[0]) for each in values]
