"""The funnel over time: by when attempts began."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

import polars as pl

from store.analytics.cut import Cut
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import attempts
from store.analytics.funnel.choosing import apart, best
from store.analytics.funnel.definition import Stepped, definition_of, horizon
from store.analytics.funnel.journeys import UID
from store.analytics.funnel.matching import columns, matched
from store.analytics.funnel.shares import share
from store.analytics.intervals import cell_start, points
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Series, Timeline
from store.errors import UsageError
from store.schema import INSTANT
from store.timespan import TimeSpan, iso

_MEASURES = ("entered", "converted", "conversion")


@dataclass(frozen=True, kw_only=True, slots=True)
class FunnelTrend(Stepped):
    """How conversion goes over time."""

    analysis: ClassVar[str] = "funnel-trend"
    is_timed: ClassVar[bool] = True
    breaks_down: ClassVar[bool] = False

    from_step: int = option(1, "of those who came to this step", metavar="I")
    to_step: int | None = option(None, "the share that came to this one; the last", metavar="J")


class FunnelTrendAnalysis:
    """An attempt belongs to the interval in which it begins. A subject counts once in each, with
    the best attempt that began there; the conversion of nobody is 0.
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
        counted = _counted(asked_of(combined, trend, links), trend)
        return Finished(
            _timeline(counted, trend),
            events=combined.height - combined[WHO].null_count(),
            sampled=kept.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        timeline = cast(Timeline, result)
        starts = [iso(start) for start in timeline.starts]
        values = [series.values for series in timeline.series]
        return {
            "interval_seconds": timeline.interval_seconds,
            "points": [
                {"start": start, **dict(zip(_MEASURES, point, strict=True))}
                for start, *point in zip(starts, *values, strict=True)
            ],
        }


def _between(query: FunnelTrend) -> tuple[int, int]:
    """The two steps by their numbers from 0."""
    steps = len(definition_of(query).steps)
    last = steps if query.to_step is None else query.to_step
    if not 1 <= query.from_step <= last <= steps:
        raise UsageError(
            "steps",
            f"there is no way from {query.from_step} to {last} of {steps}",
            next_step="number steps from 1, the earlier one first",
        )
    return query.from_step - 1, last - 1


def _counted(asked: Asked, query: FunnelTrend) -> pl.DataFrame:
    """`point`, `entered` and `converted` of each interval in which somebody began."""
    journeys = asked.journeys
    time = pl.col(kept.TIME).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").cast(INSTANT)
    found = attempts(journeys, **asked.bounds).with_columns(cell_start(query, time).alias("point"))
    chosen = apart(found, journeys) if journeys.made.by_attempt else best(found, (UID, "point"))
    first, last = _between(query)
    came = pl.col(f"row.{first}").is_not_null()
    went = came & pl.col(f"row.{last}").is_not_null()
    return chosen.group_by("point").agg(
        came.sum().cast(pl.Int64).alias("entered"), went.sum().cast(pl.Int64).alias("converted")
    )


def _timeline(counted: pl.DataFrame, query: FunnelTrend) -> Timeline:
    starts: Sequence[datetime] = points(query)
    found = {point: (entered, converted) for point, entered, converted in counted.iter_rows()}
    pairs = [found.get(start, (0, 0)) for start in starts]
    rates = [share(converted, entered) for entered, converted in pairs]
    entered = sum(pair[0] for pair in pairs)
    converted = sum(pair[1] for pair in pairs)
    columns = [[pair[0] for pair in pairs], [pair[1] for pair in pairs], rates]
    totals = (entered, converted, share(converted, entered))
    return Timeline(
        interval_seconds=(query.interval or timedelta()).total_seconds(),
        starts=starts,
        series=[
            Series({}, values, measure, total=total)
            for measure, values, total in zip(_MEASURES, columns, totals, strict=True)
        ],
    )
