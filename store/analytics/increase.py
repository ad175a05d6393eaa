"""Increase: how much counters went up, over time, whatever way they were sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import activity, counters
from store.analytics.cut import Cut
from store.analytics.intervals import covered_seconds, points
from store.analytics.links import Links
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Series, Timeline
from store.analytics.trends import TrendsAnalysis, unmet_events
from store.timespan import TimeSpan

MEASURES: Final = ("increase", "rate")


@dataclass(frozen=True, kw_only=True, slots=True)
class Increase(Query):
    """How much counters went up."""

    analysis: ClassVar[str] = "increase"
    is_timed: ClassVar[bool] = True

    of: str = option(
        "value", "what goes up: value, or metric_count or metric_sum of histograms", metavar="ATTR"
    )
    measure: str = option("increase", "increase, or rate: by the second", choices=MEASURES)
    events: tuple[str, ...] = option(
        (), "only these metrics, each a series", metavar="NAME", flag="event"
    )


class IncreaseAnalysis:
    """Increases of counters in each whole interval that overlaps the span, zero-filled.

    Deltas are added up. Of a cumulative stream, an interval has what the running maximum since its
    start grew by: exact whatever is repeated, comes late, or starts anew. The first point of a
    stream is no increase where the start is unknown, or more than `counters.SOON` before it. Where
    it is unknown, a value that falls has begun anew at 0.
    """

    name = "increase"
    version = 2
    rows_max = activity.ROWS_MAX
    may_miss = counters.ATTRIBUTES
    query_type = Increase

    def horizon(self, query: Query) -> TimeSpan | None:
        """All history: the first point in the span goes up from the last one before."""
        return None

    def columns(self, query: Query) -> Sequence[str]:
        asked = _asked(query)
        return counters.columns(asked.of, _by(asked))

    def numbers(self, query: Query) -> Sequence[str]:
        return (_asked(query).of,)

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = _asked(query)
        if asked.events:
            events = events.filter(pl.col("event_name").is_in(asked.events))
        return counters.partial(events, asked.of, _by(asked), query, cut)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return counters.combine(partials, query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked = _asked(query)
        starts = points(query)
        found = counters.increases(combined)
        shown = found.filter(pl.col("time").is_in(list(starts)))
        return Finished(
            _timeline(shown, asked, starts),
            events=int(shown["n"].sum()),
            sampled=bool(shown["is_sampled"].any()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return TrendsAnalysis().as_json(result)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The metrics asked for of which nothing was heard."""
        return unmet_events(_asked(query).events, result)


def _asked(query: Query) -> Increase:
    return cast(Increase, query)


def _by(query: Increase) -> tuple[str, ...]:
    """Metrics that were named are series of their own."""
    named = ("event_name",) if query.events and "event_name" not in query.by else ()
    return named + query.by


def _timeline(found: pl.DataFrame, query: Increase, starts: Sequence[datetime]) -> Timeline:
    """The greatest first, what is past the limit in one series that is marked."""
    by = _by(query)
    seconds = _seconds(query, starts)
    place = {start: at for at, start in enumerate(starts)}
    series: dict[tuple[bool, tuple[str, ...]], list[float]] = {}
    for *key, is_folded, time, increase in _folded(found, len(by), query.limit).iter_rows():
        values = series.setdefault((is_folded, tuple(key)), [0.0] * len(starts))
        values[place[time]] += increase
    if not by and not series:
        series[False, ()] = [0.0] * len(starts)
    order = sorted(series, key=lambda name: (name[0], -sum(series[name]), name[1]))
    length = sum(seconds)
    return Timeline(
        interval_seconds=(query.interval or timedelta()).total_seconds(),
        starts=starts,
        series=[
            Series(
                key=dict(zip(by, key, strict=True)),
                values=_shown(series[is_folded, key], seconds, query.measure),
                measure=query.measure,
                folded=is_folded,
                total=_shown([sum(series[is_folded, key], 0.0)], [length], query.measure)[0],
            )
            for is_folded, key in order
        ],
    )


def _seconds(query: Increase, starts: Sequence[datetime]) -> Sequence[float]:
    """How long each point is: whole, but for the last one."""
    if not starts or query.span is None:
        return []
    return covered_seconds(query.with_span(TimeSpan(starts[0], query.span.end)), starts)


def _folded(found: pl.DataFrame, keys: int, limit: int) -> pl.DataFrame:
    """The keys, whether they are folded, the time and the increase."""
    names = [f"key.{at}" for at in range(keys)]
    rows = found.with_columns(is_folded=pl.lit(value=False))
    if names:
        sums = found.group_by(names).agg(pl.col("increase").sum())
        kept = sums.sort("increase", *names, descending=[True, *([False] * keys)]).head(limit)
        known = kept.select(*names, is_kept=True)
        rows = found.join(known, on=names, how="left").with_columns(
            is_folded=pl.col("is_kept").is_null()
        )
        blank = [
            pl.when("is_folded").then(pl.lit("")).otherwise(name).alias(name) for name in names
        ]
        rows = rows.with_columns(blank)
    return rows.select(*names, "is_folded", "time", "increase")


def _shown(
    values: Sequence[float], seconds: Sequence[float], measure: str
) -> Sequence[float | int | None]:
    if measure == "rate":
        return [v / s if s > 0 else 0 for v, s in zip(values, seconds, strict=True)]
    return [int(value) if value.is_integer() else value for value in values]
