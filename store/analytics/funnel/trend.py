"""The funnel over time: by when attempts began."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, cast

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.cut import Cut
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import attempts
from store.analytics.funnel.attribution import PERSON, by_point, once
from store.analytics.funnel.choosing import apart, best
from store.analytics.funnel.definition import Stepped, between, horizon
from store.analytics.funnel.journeys import UID, is_settled
from store.analytics.funnel.matching import columns, has_ids, key_columns, matched
from store.analytics.funnel.shares import share
from store.analytics.intervals import cell_start, points
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Key, Result, Series, Timeline
from store.schema import INSTANT
from store.timespan import TimeSpan, iso

_MEASURES = ("entered", "converted", "conversion")


@dataclass(frozen=True, kw_only=True, slots=True)
class FunnelTrend(Stepped):
    """How conversion goes over time."""

    analysis: ClassVar[str] = "funnel-trend"
    is_timed: ClassVar[bool] = True

    from_step: int = option(1, "of those who came to this step", metavar="I")
    to_step: int | None = option(None, "the share that came to this one; the last", metavar="J")


class FunnelTrendAnalysis:
    """An attempt belongs to the interval in which it begins. A subject counts once in each, with
    the best attempt that began there; the conversion of nobody is 0. Broken down, each value has its
    own series, those that most entered first; past `limit` they are one.
    """

    name = "funnel-trend"
    version = 1
    query_type = FunnelTrend
    rows_max = kept.ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        _between(cast(FunnelTrend, query))
        return horizon(cast(Stepped, query))

    def columns(self, query: Query) -> Sequence[str]:
        return columns(cast(Stepped, query))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return matched(events, cast(Stepped, query))

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        trend = cast(FunnelTrend, query)
        asked = asked_of(combined, trend, links)
        by_touch = query.by and asked.journeys.made.attribution != "all" and not has_ids(trend)
        if by_touch and not is_settled(asked.journeys, key_columns(query.by)):
            raise AskAgainError(replace(trend, with_ids=True))
        return Finished(
            _timeline(list(_groups(asked, trend)), trend),
            events=combined.height - combined[WHO].null_count(),
            sampled=kept.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        timeline = cast(Timeline, result)
        told = [
            {
                "key": dict(group[0].key),
                **({"folded": True} if group[0].folded else {}),
                "points": _points_json(timeline.starts, group),
            }
            for group in _by_key(timeline.series)
        ]
        width = {"interval_seconds": timeline.interval_seconds}
        if len(told) == 1 and not told[0]["key"]:
            return {**width, "points": told[0]["points"]}
        return {**width, "breakdown": told}


def _by_key(series: Sequence[Series]) -> list[Sequence[Series]]:
    """The measures of each value."""
    count = len(_MEASURES)
    return [series[at : at + count] for at in range(0, len(series), count)]


def _points_json(starts: Sequence[datetime], group: Sequence[Series]) -> list[dict[str, Any]]:
    values = [series.values for series in group]
    return [
        {"start": iso(start), **dict(zip(_MEASURES, point, strict=True))}
        for start, *point in zip(starts, *values, strict=True)
    ]


def _between(query: FunnelTrend) -> tuple[int, int]:
    return between(query, query.from_step, query.to_step)


class _Group(NamedTuple):
    """The `point`, `entered` and `converted` of those who have a value."""

    key: Key
    counted: pl.DataFrame
    folded: bool = False


def _groups(asked: Asked, query: FunnelTrend) -> Iterator[_Group]:
    """Of everybody; broken down, of each value."""
    journeys, made = asked.journeys, asked.journeys.made
    time = pl.col(kept.TIME).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(INSTANT)
    point = cell_start(query, time)
    if not query.by:
        found = attempts(journeys, **asked.bounds).with_columns(point.alias("point"))
        each = apart(found, journeys) if made.by_attempt else best(found, (UID, "point"))
        yield _Group({}, _counted(each, query))
        return
    keys = key_columns(query.by)
    found = by_point(asked.rows, journeys, query.by, asked.bounds, point)
    came = pl.col(f"row.{_between(query)[0]}").is_not_null().sum().alias("came")
    sizes = found.group_by(keys).agg(came)
    ranked = sizes.sort("came", *keys, descending=[True, *[False] * len(keys)])
    shown = ranked.head(query.limit).select(keys)
    for values in shown.rows():
        own = found.filter(pl.col(name) == value for name, value in zip(keys, values, strict=True))
        yield _Group(dict(zip(query.by, values, strict=True)), _counted(own, query))
    if ranked.height > query.limit:
        rest = once(found.join(shown, on=keys, how="anti"), made, (PERSON, "point"))
        yield _Group(dict.fromkeys(query.by, ""), _counted(rest, query), folded=True)


def _counted(chosen: pl.DataFrame, query: FunnelTrend) -> pl.DataFrame:
    """`point`, `entered` and `converted` of each interval in which somebody began."""
    first, last = _between(query)
    came = pl.col(f"row.{first}").is_not_null()
    went = came & pl.col(f"row.{last}").is_not_null()
    return chosen.group_by("point").agg(
        came.sum().cast(pl.Int64).alias("entered"), went.sum().cast(pl.Int64).alias("converted")
    )


def _timeline(groups: Sequence[_Group], query: FunnelTrend) -> Timeline:
    starts: Sequence[datetime] = points(query)
    return Timeline(
        interval_seconds=(query.interval or timedelta()).total_seconds(),
        starts=starts,
        series=[series for group in groups for series in _series(group, starts)],
    )


def _series(group: _Group, starts: Sequence[datetime]) -> Iterator[Series]:
    """One for each measure."""
    rows = group.counted.iter_rows()
    found = {point: (entered, converted) for point, entered, converted in rows}
    pairs = [found.get(start, (0, 0)) for start in starts]
    rates = [share(converted, entered) for entered, converted in pairs]
    entered, converted = (sum(pair[at] for pair in pairs) for at in (0, 1))
    columns = [[pair[0] for pair in pairs], [pair[1] for pair in pairs], rates]
    totals = (entered, converted, share(converted, entered))
    for measure, values, total in zip(_MEASURES, columns, totals, strict=True):
        yield Series(group.key, values, measure, folded=group.folded, total=total)
