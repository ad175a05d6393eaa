"""Anomalies: points that are not as such points usually are."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics import usual
from store.analytics.intervals import POINTS_MAX
from store.analytics.measures import parse_measure
from store.analytics.query import Query, option
from store.analytics.shapes import Answer, Finished, Result, Row, Table, Timeline
from store.analytics.table_json import rows_json
from store.analytics.trends import Trends
from store.analytics.usual import SERIES, Usual
from store.schema import INSTANT
from store.timespan import TimeSpan

COLUMNS: Final = ("start", "end", "value", "expected", "score", "low", "high", "reason")
ROWS_MAX: Final = 1_000
"""More anomalies than these are cut, the least telling first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Anomalies(Query):
    """When something was much more, or much less, than usual."""

    analysis: ClassVar[str] = "anomalies"
    is_timed: ClassVar[bool] = True
    compares: ClassVar[bool] = False
    tells_now: ClassVar[bool] = True

    measure: str = option(
        "count", "count, rate, users, sessions, sum:F, mean:F, min:F, max:F, p95:F"
    )


class AnomaliesAnalysis:
    """A row for each point of the span whose `value` is further from what is `expected` than usual,
    the most telling first: `low` to `high` is usual, `reason` says it in words.

    Expected is the median of the points of the same hour of the week in the eight weeks before (of
    the same weekday, for days), usual are four times their median absolute deviation around it, and
    `score` is the distance in such deviations. With less than four weeks of events before a point,
    all points of the seven days before it take their place; with less than twelve of those nothing
    is said. Where the deviation is 0, counts are held against a Poisson distribution (four sigmas,
    by Anscombe's square roots), other measures against a twentieth of the median as the deviation.
    A point that is still running is left out.
    """

    name = "anomalies"
    query_type = Anomalies

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished]:
        asked = cast(Anomalies, query)
        assert asked.span is not None
        assert asked.interval is not None
        names = ("tz", "week_start", "link", "interval")
        common = {name: getattr(asked, name) for name in names}
        common["span"] = _with_history(asked.span, asked.interval)
        series = Trends(
            **common, where=asked.where, by=asked.by, limit=asked.limit, measures=(asked.measure,)
        )
        told, everything = yield [series, Trends(**common)]
        found = _found(cast(Timeline, told.result), cast(Timeline, everything.result), asked)
        return Finished(
            Table(COLUMNS, found[:ROWS_MAX]),
            events=told.events_scanned,
            sampled=told.sampled,
            exact=told.exact,
            truncated=len(found) > ROWS_MAX,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _with_history(span: TimeSpan, width: timedelta) -> TimeSpan:
    """The span and as much before it as is looked at, in as many points as there may be."""
    room = max(timedelta(), width * (POINTS_MAX - 2) - span.length)
    return TimeSpan(span.start - min(max(usual.WEEKS, width * usual.LONG_POINTS), room), span.end)


def _found(told: Timeline, everything: Timeline, asked: Anomalies) -> list[Row]:
    assert asked.span is not None
    assert asked.interval is not None
    measure = parse_measure(asked.measure)
    first = _first_event(everything)
    if first is None:
        return []
    points = _points(told).filter(pl.col("time") >= first)
    rule = Usual(asked.interval, asked.tz, counts=measure.counts)
    judged = usual.judged(points, first, rule).with_columns(end=_ends(told, asked))
    inside = (pl.col("end") > asked.span.start) & (pl.col("time") < asked.span.end)
    over = pl.col("end") <= asked.as_of if asked.as_of else pl.lit(value=True)
    odd = judged.filter(inside & over & (pl.col("score") > usual.TIMES))
    order = odd.sort("score", "time", SERIES, descending=[True, False, False])
    return [_row(row, told, rule) for row in order.iter_rows(named=True)]


def _first_event(everything: Timeline) -> datetime | None:
    """Where the first event lies: what is empty before is no history."""
    counts = zip(everything.starts, *(each.values for each in everything.series), strict=True)
    return next((start for start, *values in counts if any(values)), None)


def _points(told: Timeline) -> pl.DataFrame:
    """A row for each point of each series that has a value."""
    values = [
        pl.DataFrame(
            {
                SERIES: pl.repeat(at, len(told.starts), dtype=pl.UInt32, eager=True),
                "time": pl.Series(told.starts, dtype=INSTANT),
                "value": pl.Series(each.values, dtype=pl.Float64, strict=False),
            }
        )
        for at, each in enumerate(told.series)
    ]
    empty = pl.DataFrame(schema={SERIES: pl.UInt32, "time": INSTANT, "value": pl.Float64})
    return pl.concat([empty, *values]).filter(pl.col("value").is_not_null())


def _ends(told: Timeline, asked: Anomalies) -> pl.Expr:
    """The ends of points by their starts; the last one is as long as the interval."""
    assert asked.interval is not None
    last = [told.starts[-1] + asked.interval] if told.starts else []
    ends = pl.Series([*told.starts[1:], *last], dtype=INSTANT)
    return pl.col("time").replace_strict(pl.Series(told.starts, dtype=INSTANT), ends)


def _row(row: Mapping[str, Any], told: Timeline, rule: Usual) -> Row:
    series = told.series[row[SERIES]]
    values = {name: row[name] for name in COLUMNS if name in row}
    values |= {"start": row["time"], "reason": usual.reason(row, rule)}
    return Row(series.key, {name: values[name] for name in COLUMNS}, series.folded)
