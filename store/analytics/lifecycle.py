"""Lifecycle: who is new, who stays, who comes back, and who is gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity
from store.analytics.activity import AT, Kept, OfPoint
from store.analytics.chosen import Named, parse_chosen
from store.analytics.cut import Cut
from store.analytics.intervals import points
from store.analytics.links import Links
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Series, Timeline
from store.timespan import TimeSpan, iso

STATES: Final = ("new", "returning", "resurrecting", "dormant")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifecycle(Query):
    """Users who are new, still there, back again, or gone."""

    analysis: ClassVar[str] = "lifecycle"
    is_timed: ClassVar[bool] = True

    event: Named = option(
        None, "what counts as active: NAME [where FILTER]; any event unless told", metavar="EVENT"
    )
    per: str = option(USER, "count these instead of users", metavar="ATTR")


class LifecycleAnalysis:
    """For each whole period that overlaps the span, the users who are `new` (their first ever event
    that counts lies there), `returning` (active in the period before, too), `resurrecting` (active
    before, but not in the one before) and `dormant` (active in the one before, not in this one; a
    negative number). With a breakdown, each value has its own users and their own first events.
    """

    name = "lifecycle"
    version = 1
    rows_max = activity.ROWS_MAX
    folds = True
    query_type = Lifecycle

    def horizon(self, query: Query) -> TimeSpan | None:
        return None

    def columns(self, query: Query) -> Sequence[str]:
        return _kept(query).columns(query)

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return activity.partial(events, _kept(query), query, cut)

    def narrow(self, query: Query, span: TimeSpan) -> OfPoint | None:
        return activity.of_point(_kept(query), query, span)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return activity.combine(partials, _kept(query), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        keys, starts = _kept(query).keys, points(query)
        users = activity.folded(activity.of_users(combined, links), keys, query.limit)
        counts = _states(users, ["folded", *keys], _with_one_before(starts, query), len(starts))
        return Finished(
            _timeline(counts, keys, query, starts),
            events=int(combined["n"].sum()),
            sampled=activity.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        timeline = cast(Timeline, result)
        starts = [iso(start) for start in timeline.starts]
        found = []
        for at in range(0, len(timeline.series), len(STATES)):
            states = timeline.series[at : at + len(STATES)]
            key, values = states[0].key, zip(*(each.values for each in states), strict=True)
            told = [
                {"start": start, **dict(zip(STATES, counts, strict=True))}
                for start, counts in zip(starts, values, strict=True)
            ]
            folded = {"folded": True} if states[0].folded else {}
            found.append({"key": dict(key), **folded, "points": told})
        is_one = len(found) == 1 and not found[0]["key"]
        return {
            "interval_seconds": timeline.interval_seconds,
            **({"points": found[0]["points"]} if is_one else {"series": found}),
        }

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The event asked for, if nobody did it."""
        is_empty = not any(any(each.values) for each in cast(Timeline, result).series)
        return [kind.name for kind in _kept(query).kinds] if is_empty else []


def _kept(query: Query) -> Kept:
    event = parse_chosen(cast(Lifecycle, query).event, "event", query.tz)
    return Kept((event,), query.by)


def _with_one_before(starts: Sequence[datetime], query: Query) -> Sequence[datetime]:
    if not starts or query.interval is None:
        return starts
    before = TimeSpan(starts[0] - 2 * query.interval, starts[0])
    return [points(query.with_span(before))[-1], *starts]


def _states(
    users: pl.DataFrame, group: Sequence[str], grid: Sequence[datetime], count: int
) -> pl.DataFrame:
    """The number of users of each group (`group`, `at` from 1 to `count`) in each state."""
    born = users.group_by(*group, WHO).agg(pl.col("time").min().alias("born"))
    end = pl.Series(grid[-1:], dtype=pl.Datetime("us", "UTC"))
    shown = users.filter(pl.col("time") <= end.max()) if len(end) else users.clear()
    there = activity.numbered(shown, grid).filter(pl.col(AT).is_not_null())
    ordered = there.join(born, on=[*group, WHO], nulls_equal=True).sort(*group, WHO, AT)
    same = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(name).shift()) for name in (*group, WHO)
    )
    follows = same & (pl.col(AT) - pl.col(AT).shift() == 1)
    state = pl.when(pl.col("time") == pl.col("born")).then(pl.lit("new")).when(follows)
    named = ordered.select(
        *group,
        AT,
        state.then(pl.lit("returning")).otherwise(pl.lit("resurrecting")).alias("state"),
        (~follows.shift(-1, fill_value=False)).alias("leaves"),
    )
    gone = named.filter("leaves").with_columns(pl.col(AT) + 1, pl.lit("dormant").alias("state"))
    both = pl.concat([named, gone]).filter(pl.col(AT).is_between(1, count))
    return both.group_by(*group, AT, "state").agg(pl.len().cast(pl.Int64).alias("users"))


def _timeline(
    counts: pl.DataFrame, keys: Sequence[str], query: Query, starts: Sequence[datetime]
) -> Timeline:
    """Zero-filled; the values with the most users first, what was folded last."""
    found: dict[tuple[Any, ...], dict[str, list[int]]] = {}
    for *name, at, state, users in counts.select("folded", *keys, AT, "state", "users").rows():
        none = {each: [0] * len(starts) for each in STATES}
        values = found.setdefault(tuple(name), none)
        values[state][at - 1] = -users if state == "dormant" else users
    if not found and not keys:
        found[(False,)] = {state: [0] * len(starts) for state in STATES}

    def order(name: tuple[Any, ...]) -> tuple[Any, ...]:
        return name[0], -sum(map(sum, (found[name][state] for state in STATES[:3]))), name[1:]

    return Timeline(
        interval_seconds=query.interval.total_seconds() if query.interval else 0.0,
        starts=starts,
        series=[
            Series(
                key=dict(zip(query.by, name[1:], strict=True)),
                values=found[name][state],
                measure=state,
                folded=name[0],
                total=sum(found[name][state]),
            )
            for name in sorted(found, key=order)
            for state in STATES
        ],
    )
