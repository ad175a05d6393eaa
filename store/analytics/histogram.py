"""Percentiles of what programs had put into buckets before they sent it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

import polars as pl

from store.analytics import activity, buckets, counters
from store.analytics.buckets import EVENTS, Bucket
from store.analytics.cut import Cut
from store.analytics.intervals import points
from store.analytics.links import Links
from store.analytics.measures import Measure
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Series, Timeline
from store.analytics.trends import TrendsAnalysis, unmet_events
from store.errors import UsageError
from store.timespan import TimeSpan


@dataclass(frozen=True, kw_only=True, slots=True)
class Histogram(Query):
    """Percentiles of histograms, as programs send them."""

    analysis: ClassVar[str] = "histogram"
    is_timed: ClassVar[bool] = True

    measures: tuple[str, ...] = option(
        ("p50", "p95", "p99"), "p50, p95, p99.9, …, or count", metavar="MEASURE", flag="measure"
    )
    events: tuple[str, ...] = option(
        (), "only these metrics, each a series", metavar="NAME", flag="event"
    )


class HistogramAnalysis:
    """Percentiles in each whole interval that overlaps the span, and over all of them: by the rules
    of `buckets.quantile`, never exact. Null where nothing went into a bucket; streams that share a
    key are one. Which bounds a histogram has must not matter, and hardly does. `few` are the starts
    of points that rest on too few values, `at_least` of those whose value lies in the last bucket,
    which has no end: it is no less.
    """

    name = "histogram"
    version = 3
    rows_max = activity.ROWS_MAX
    may_miss = (*counters.ATTRIBUTES, *buckets.ATTRIBUTES)
    query_type = Histogram

    def horizon(self, query: Query) -> TimeSpan | None:
        """All history, as of any cumulative metric."""
        return None

    def columns(self, query: Query) -> Sequence[str]:
        asked = _asked(query)
        _shares(asked)
        found = [*counters.columns("event_name", _by(asked)), *buckets.ATTRIBUTES]
        return list(dict.fromkeys(found))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = _asked(query)
        if asked.events:
            events = events.filter(pl.col("event_name").is_in(asked.events))
        return buckets.partial(events, _by(asked), query, cut)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return buckets.combine(partials, query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        starts = points(query)
        inside = pl.col("time").is_in(list(starts))
        events = combined.filter(inside, pl.col("sign") == EVENTS)
        found = buckets.increases(combined).filter(inside, pl.col("increase") > 0)
        timeline = _timeline(found, _asked(query), starts)
        is_sampled = bool(events["is_sampled"].any())
        return Finished(timeline, int(events["total"].sum()), is_sampled, exact=False)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return TrendsAnalysis().as_json(result)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The metrics asked for of which nothing was heard."""
        return unmet_events(_asked(query).events, result)


def _asked(query: Query) -> Histogram:
    return cast(Histogram, query)


def _by(query: Histogram) -> tuple[str, ...]:
    named = ("event_name",) if query.events and "event_name" not in query.by else ()
    return named + query.by


def _shares(query: Histogram) -> Sequence[float | None]:
    """The share of each measure; None for a count. UsageError: it is neither."""
    return [None if measure == "count" else _share(measure) for measure in query.measures]


def _share(measure: str) -> float:
    number = measure.removeprefix("p")
    if measure.startswith("p") and number.replace(".", "", 1).isdecimal() and float(number) <= 100:
        return float(number) / 100
    raise UsageError("measure", f"{measure!r} is none", next_step="write p0 to p100, or count")


def _timeline(found: pl.DataFrame, query: Histogram, starts: Sequence[datetime]) -> Timeline:
    """The keys with the most values first; those past the limit in one that is marked."""
    by = _by(query)
    names = [f"key.{at}" for at in range(len(by))]
    told = _folded(found, names, query.limit)
    groups = told.partition_by(["is_folded", *names], as_dict=True) if told.height else {}
    if not groups and not by:
        groups = {(False,): told}
    sizes = {name: group["increase"].sum() for name, group in groups.items()}
    return Timeline(
        interval_seconds=(query.interval or timedelta()).total_seconds(),
        starts=starts,
        series=[
            series
            for name in sorted(groups, key=lambda name: (name[0], -sizes[name], name[1:]))
            for series in _series(groups[name], name, query, starts)
        ],
    )


def _series(
    group: pl.DataFrame, name: tuple[Any, ...], query: Histogram, starts: Sequence[datetime]
) -> list[Series]:
    pieces = group.partition_by("time", as_dict=True)
    by_point = [_buckets(pieces[start,]) if (start,) in pieces else [] for start in starts]
    whole = _buckets(group)
    counts = [sum(bucket.held for bucket in each) for each in by_point]
    return [
        Series(
            key=dict(zip(_by(query), name[1:], strict=True)),
            values=[_measured(each, share) for each in by_point],
            measure=measure,
            folded=name[0],
            total=_measured(whole, share),
            few=_few(counts, share),
            at_least=_open(by_point, share),
        )
        for measure, share in zip(query.measures, _shares(query), strict=True)
    ]


def _open(by_point: Sequence[Sequence[Bucket]], share: float | None) -> Sequence[bool]:
    """Whether each point's percentile is only known to be no less; () when none is."""
    found = [share is not None and buckets.is_open(each, share) for each in by_point]
    return found if any(found) else ()


def _few(counts: Sequence[float], share: float | None) -> Sequence[bool]:
    """Whether each point's percentile rests on too few values; () when none does."""
    needs = Measure("", "percentile", quantile=share).needs if share is not None else 1
    found = [0 < count < needs for count in counts]
    return found if any(found) else ()


def _buckets(rows: pl.DataFrame) -> list[Bucket]:
    """Ascending, with what went into each of them."""
    edges = ["upper", "lower", "is_geometric"]
    sums = rows.group_by(edges).agg(pl.col("increase").sum().alias("count"))
    ordered = sums.sort("upper", "lower").select("upper", "lower", "count", "is_geometric")
    return [Bucket(*row) for row in ordered.iter_rows()]


def _measured(found: Sequence[Bucket], share: float | None) -> float | int | None:
    if share is None:
        return round(sum(bucket.held for bucket in found))
    return buckets.quantile(found, share)


def _folded(found: pl.DataFrame, names: Sequence[str], limit: int) -> pl.DataFrame:
    if not names:
        return found.with_columns(is_folded=pl.lit(value=False))
    sums = found.group_by(names).agg(pl.col("increase").sum())
    order = [True, *([False] * len(names))]
    kept = sums.sort("increase", *names, descending=order).head(limit)
    rows = found.join(kept.select(*names, is_kept=True), on=names, how="left")
    rows = rows.with_columns(is_folded=pl.col("is_kept").is_null()).drop("is_kept")
    blank = [pl.when("is_folded").then(pl.lit("")).otherwise(name).alias(name) for name in names]
    return rows.with_columns(blank)
