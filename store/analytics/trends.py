"""Trends: measures over time, broken down by attributes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import compress
from typing import Any, ClassVar, cast

import polars as pl

from store.analytics import adding, reducing
from store.analytics.analysis import Partials
from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.intervals import covered_seconds, point_of, points
from store.analytics.links import Links
from store.analytics.measured import Group, groups, is_sampled, measured, ranked, spec_of
from store.analytics.measured import few as few_of
from store.analytics.measures import Measure, Number, number, numbers, parse_measure
from store.analytics.query import Query, option
from store.analytics.rolling import Windows, rolled, windows_of
from store.analytics.rollups.recipe import Recipe
from store.analytics.shapes import Finished, Result, Series, Timeline
from store.errors import UsageError
from store.schema import INSTANT
from store.timespan import MONTH, ROUND_WIDTHS, UNITS, TimeSpan, iso


@dataclass(frozen=True, kw_only=True, slots=True)
class Trends(Query):
    """How measures go over time."""

    analysis: ClassVar[str] = "trends"
    keeps_sets: ClassVar[bool] = True
    is_timed: ClassVar[bool] = True

    measures: tuple[str, ...] = option(
        ("count",),
        "count, rate, users, sessions, sum:F, mean:F, min:F, max:F, p95:F",
        metavar="MEASURE",
        flag="measure",
    )
    events: tuple[str, ...] = option(
        (), "only these events, each a series", metavar="NAME", flag="event"
    )
    rolling: timedelta | None = option(
        None, "each point tells of so long a time that ends with it: 7d, 30d"
    )

    def own_width(self, usual: timedelta) -> timedelta:
        """A day of windows of whole days, else what fits into the window."""
        if self.rolling is None or self.rolling <= timedelta():
            return usual
        fitting = [MONTH, UNITS["d"], *(w for w in reversed(ROUND_WIDTHS) if w <= usual)]
        return next((width for width in fitting if self.rolling % width == timedelta()), usual)

    def key(self) -> tuple[Any, ...]:
        """Windows are made out of points, at last."""
        return tuple(part for part in Query.key(self) if part[:1] != ("rolling",))


class TrendsAnalysis:
    """Counts, sums, extremes, percentiles and distinct counts in each interval, zero-filled. `few`
    are the starts of points whose percentile rests on too few numbers: a p99 on less than 100.

    With `rolling`, each point tells of the window that ends with it, also where nothing happened in
    the point itself, and whatever lies before the span; a rate is over the whole window. `total` is
    of all that the windows hold.
    """

    name = "trends"
    version = 1
    query_type = Trends

    def horizon(self, query: Query) -> TimeSpan | None:
        windows = _windows(_asked(query))
        return windows.span(query.span) if windows and query.span else query.span

    def columns(self, query: Query) -> Sequence[str]:
        asked = _asked(query)
        return [*_spec(asked).columns(), *(["event_name"] if asked.events else [])]

    def numbers(self, query: Query) -> Sequence[str]:
        return _spec(_asked(query)).numbers

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return _partial(events, _asked(query), cut)

    def narrow(self, query: Query, span: TimeSpan) -> Partials | None:
        """What reduces parts whose events all lie in one point, without reading their times."""
        if reducing.needs_time(_spec(_asked(query))):
            return None
        at = point_of(query, span)
        return _OfPoint(at) if at else None

    def recipe(self, query: Query) -> Recipe | None:
        asked = _asked(query)
        return Recipe(_spec(asked), names=asked.events)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return adding.combine(partials, _spec(_asked(query)), query)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked = _asked(query)
        spec, measures = _spec(asked), _measures(asked)
        rows, totals = ranked(combined, spec, measures, links, asked.limit)
        if windows := _windows(asked):
            if "folded" in totals.columns:
                combined = adding.folded(combined, spec, totals.filter(~pl.col("folded")))
            rows, _ = measured(rolled(combined, spec, windows), spec, measures, links)
        return Finished(
            _timeline(rows, totals, asked),
            events=int(totals["n"].sum()),
            sampled=is_sampled(totals),
            exact=bool(rows["is_exact"].all() and totals["is_exact"].all()),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        timeline = cast(Timeline, result)
        starts = [iso(start) for start in timeline.starts]
        measures = {series.measure for series in timeline.series}
        return {
            "interval_seconds": timeline.interval_seconds,
            **_windows_json(timeline),
            "series": [
                {
                    "key": dict(series.key),
                    **({"measure": series.measure} if len(measures) > 1 else {}),
                    **({"folded": True} if series.folded else {}),
                    "points": [list(point) for point in zip(starts, series.values, strict=True)],
                    **_marked(starts, series),
                }
                for series in timeline.series
            ],
        }

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The events asked for that did not happen."""
        return unmet_events(_asked(query).events, result)


@dataclass(frozen=True, slots=True)
class _OfPoint:
    """What reduces events that are all in one point."""

    at: datetime

    def columns(self, query: Query) -> Sequence[str]:
        return [name for name in TrendsAnalysis().columns(query) if name != "event_time"]

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        return _partial(events, _asked(query), cut, self.at)


def _partial(
    events: pl.LazyFrame, asked: Trends, cut: Cut | None, at: datetime | None = None
) -> pl.LazyFrame:
    if asked.events:
        events = events.filter(pl.col("event_name").is_in(asked.events))
    return reducing.partial(events, _spec(asked), asked, cut, at)


def _windows_json(timeline: Timeline) -> dict[str, Any]:
    """Where they begin, and from which point on they are full: null where none is."""
    if not timeline.windows:
        return {}
    told = [iso(start) for start in timeline.windows]
    full = timeline.starts[timeline.short :]
    return {"windows": told, "full_from": iso(full[0]) if full else None}


def _marked(starts: Sequence[str], series: Series) -> dict[str, list[str]]:
    """The points of which there is something to know."""
    marks = {"few": series.few, "at_least": series.at_least}
    return {name: list(compress(starts, which)) for name, which in marks.items() if which}


def unmet_events(names: Sequence[str], result: Result) -> Sequence[str]:
    """Those of the names that no series with anything in it is about."""
    found = {
        series.key.get("event_name") for series in cast(Timeline, result).series if series.total
    }
    return [name for name in names if name not in found]


def _asked(query: Query) -> Trends:
    return cast(Trends, query)


def _windows(query: Trends) -> Windows | None:
    return None if query.rolling is None else windows_of(query, query.rolling)


def _measures(query: Trends) -> list[Measure]:
    if not query.measures:
        raise UsageError("measure", "there is none", next_step="write count, users, p95:ATTR, …")
    return [parse_measure(text) for text in query.measures]


def _by(query: Trends) -> tuple[str, ...]:
    """Events that were named are series of their own."""
    named = ("event_name",) if query.events and "event_name" not in query.by else ()
    return named + query.by


def _spec(query: Trends) -> Spec:
    how = {"link": query.link, "whole_sets": query.whole_sets}
    return spec_of(_measures(query), _by(query), is_timed=True, **how)


def _timeline(rows: pl.DataFrame, totals: pl.DataFrame, query: Trends) -> Timeline:
    """Zero-filled series, the greatest first; what was folded comes last."""
    starts, measures, windows = points(query), _measures(query), _windows(query)
    seconds = covered_seconds(query, starts)
    length = query.span.length.total_seconds() if query.span else 0.0
    if windows and query.span:
        seconds = windows.seconds(query.span.end)
        length = windows.span(query.span).length.total_seconds()
    found = {
        group: [
            (numbers(column, measure, seconds), few)
            for (column, few), measure in zip(columns, measures, strict=True)
        ]
        for group, columns in _spread(rows, starts, len(measures))
    }
    told = zip(groups(totals, len(measures)), few_of(totals, query.measures), strict=True)
    whole = {group: (values, marks) for (group, _, values), marks in told}
    nothing: tuple[Sequence[float | None], Sequence[str]] = ([None] * len(measures), ())
    return Timeline(
        interval_seconds=(query.interval or timedelta()).total_seconds(),
        starts=starts,
        series=[
            Series(
                key=dict(zip(_by(query), group.key, strict=True)),
                values=values,
                measure=measure.text,
                folded=group.folded,
                total=number(whole.get(group, nothing)[0][at], measure, length),
                few=few,
                few_total=measure.text in whole.get(group, nothing)[1],
            )
            for group in _shown(list(whole), query)
            for at, measure in enumerate(measures)
            for values, few in [found[group][at] if group in found else _nothing(measure, starts)]
        ],
        windows=windows.starts if windows else (),
    )


def _nothing(
    measure: Measure, starts: Sequence[datetime]
) -> tuple[Sequence[Number], Sequence[bool]]:
    """The points of a series without an event."""
    return [number(None, measure, 1.0)] * len(starts), ()


def _spread(
    rows: pl.DataFrame, starts: Sequence[datetime], measures: int
) -> Iterator[tuple[Group, Sequence[tuple[pl.Series, Sequence[bool]]]]]:
    """Each group's measures as columns with a value, or null, for every point, and which of them
    rest on too few numbers.
    """
    grid = pl.DataFrame({"time": pl.Series(starts, dtype=INSTANT)}).with_row_index("at")
    placed = rows.join(grid, on="time")
    keys = [name for name in rows.columns if name.startswith("key.")]
    keys += ["folded"] if "folded" in rows.columns else []
    pieces = placed.partition_by(keys, as_dict=True) if keys else {(): placed}
    for key, piece in pieces.items():
        group = Group(key[:-1], key[-1]) if "folded" in keys else Group(key)
        yield (
            group,
            [
                (
                    pl.repeat(None, len(starts), dtype=pl.Float64, eager=True).scatter(
                        piece["at"], piece[f"m{at}"]
                    ),
                    _few(piece, at, len(starts)),
                )
                for at in range(measures)
            ],
        )


def _few(piece: pl.DataFrame, at: int, count: int) -> Sequence[bool]:
    """Whether each of the points rests on too few numbers; () when none does."""
    name = f"few.{at}"
    if name not in piece.columns or not piece[name].any():
        return ()
    none = pl.repeat(value=False, n=count, dtype=pl.Boolean, eager=True)
    return none.scatter(piece["at"], piece[name]).to_list()


def _shown(found: Sequence[Group], query: Trends) -> Sequence[Group]:
    """The series to show: those found, and those that were named, also when there is nothing."""
    if not query.by:
        named = [Group((name,)) for name in query.events] or [Group(())]
        return [*found, *(group for group in named if group not in found)]
    return found
