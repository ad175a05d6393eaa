"""A query made complete, or refused with a sentence that says what could have been meant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from store.analytics.analysis import Analysis
from store.analytics.filters import Filter, nearest, parse_filter
from store.analytics.intervals import WEEKDAYS, cell_start, checked_zone, resolved_interval
from store.analytics.query import Query
from store.errors import UsageError
from store.schema import FIXED
from store.timespan import TimeSpan

OLDEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD_MAX: Final = timedelta(days=2)
"""Events before OLDEST or further ahead are out of time: a clock was wrong."""
NOTHING_STORED: Final = timedelta(minutes=15)
"""The span of an answer about an empty store."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with everything resolved, and who answers it."""

    analysis: Analysis
    query: Query
    where: Filter

    @property
    def span(self) -> TimeSpan:
        assert self.query.span is not None
        return self.query.span


def asked(
    query: Query,
    analyses: Sequence[Analysis],
    types: Mapping[str, pl.DataType],
    stored: TimeSpan | None,
    now: datetime,
) -> Asked:
    """`query` with its span and its interval, checked against the columns that there are.

    A UsageError names what is wrong and what is near.
    """
    analysis = _named(query.analysis, analyses)
    zone = checked_zone(query.tz)
    _check_options(query)
    span = query.span or stored or TimeSpan(now - NOTHING_STORED, now)
    interval = resolved_interval(span, query.interval) if query.is_timed else None
    complete = replace(query, span=span, interval=interval)
    _check_columns(analysis, complete, types)
    return Asked(analysis, complete, parse_filter(query.where, zone=zone))


def running_since(query: Query, now: datetime) -> datetime | None:
    """The start of the point that is still filling, if it is in the span."""
    if query.span is None or query.interval is None or now < query.span.start:
        return None
    start: datetime = pl.select(cell_start(query, pl.lit(now))).item()
    return start if start < query.span.end else None


def in_time(span: TimeSpan, now: datetime) -> TimeSpan | None:
    """What of a span is neither too old nor too far ahead to be true."""
    start, end = max(span.start, OLDEST), min(span.end, now + AHEAD_MAX)
    return TimeSpan(start, end) if start < end else None


def _named(name: str, analyses: Sequence[Analysis]) -> Analysis:
    for analysis in analyses:
        if analysis.name == name:
            return analysis
    known = ", ".join(analysis.name for analysis in analyses)
    raise UsageError("query", f"there is no analysis {name!r}", next_step=f"take one of: {known}")


def _check_options(query: Query) -> None:
    if query.compare not in (None, "previous"):
        raise UsageError("compare", f"{query.compare!r} is unknown", next_step="write previous")
    if query.week_start not in WEEKDAYS:
        known = ", ".join(WEEKDAYS)
        raise UsageError("week start", f"{query.week_start!r} is no day", next_step=f"take {known}")
    if query.limit < 1:
        raise UsageError("limit", f"{query.limit} keeps nothing", next_step="write 1 or more")


def _check_columns(analysis: Analysis, query: Query, types: Mapping[str, pl.DataType]) -> None:
    """What nobody ever sent is a typing error; in an empty store anything may still come."""
    for name in analysis.columns(query):
        if types and name not in types and name not in FIXED:
            near = nearest(name, types)
            hint = f"did you mean {near}?" if near else "see inspect for the names there are"
            raise UsageError("attribute", f"no event has {name!r}", next_step=hint)
    for name in analysis.numbers(query):
        kind = types.get(name) or FIXED.get(name, pl.Float64())
        if not (kind.is_numeric() or kind in (pl.Boolean, pl.Null)):
            numeric = [other for other, of in types.items() if of.is_numeric()]
            raise UsageError(
                "attribute",
                f"{name!r} holds {'text' if kind == pl.String else 'times'}, not numbers",
                next_step=f"numbers are in {', '.join(numeric[:8])}" if numeric else "",
            )
