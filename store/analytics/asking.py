"""A query made complete, or refused with a sentence that says what could have been meant."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from store.analytics.analysis import Analysis, AnyAnalysis
from store.analytics.filters import nearest
from store.analytics.intervals import cell_start, checked_zone, resolved_interval
from store.analytics.query import Query
from store.analytics.registry import Known, find
from store.errors import UsageError
from store.schema import FIXED
from store.timespan import WEEKDAYS, TimeSpan, round_width

NOTHING_STORED: Final = timedelta(minutes=15)
"""The span of an answer about an empty store."""
NUMBER_MAX: Final = 10**12
"""Of any option: far more than is stored, and far less than a column of whole numbers holds."""


def complete(
    query: Query, stored: TimeSpan | None, now: datetime, week_start: str = WEEKDAYS[0]
) -> Query:
    """`query` with its span (all that is `stored`, unless it says), its interval and its first day
    of a week (`week_start`, unless it says); a UsageError names the option that makes no sense.
    """
    checked_zone(query.tz)
    query = replace(query, week_start=query.week_start or week_start)
    _check_options(query)
    span = query.span or stored or TimeSpan(now - NOTHING_STORED, now)
    interval = _interval(query, span) if query.is_timed else None
    compare = query.compare if query.compares else None
    as_of = now if query.tells_now else None
    return replace(query, span=span, interval=interval, compare=compare, as_of=as_of)


def _interval(query: Query, span: TimeSpan) -> timedelta:
    if query.interval is not None:
        return resolved_interval(span, query.interval)
    usual = round_width(span.length, query.points_min)
    return resolved_interval(span, query.own_width(usual))


def running_since(query: Query, now: datetime) -> datetime | None:
    """The start of the point that is still filling, if it is in the span."""
    if query.span is None or query.interval is None or now < query.span.start:
        return None
    start: datetime = pl.select(cell_start(query, pl.lit(now))).item()
    return start if start < query.span.end else None


def named(name: str, analyses: Sequence[Known]) -> AnyAnalysis:
    """The analysis of that name, or a UsageError with those that there are."""
    found = find(name, analyses)
    if found is not None:
        return found
    known = ", ".join(analysis.name for analysis in analyses)
    raise UsageError("query", f"there is no analysis {name!r}", next_step=f"take one of: {known}")


def _check_options(query: Query) -> None:
    if query.compare not in (None, "previous"):
        raise UsageError("compare", f"{query.compare!r} is unknown", next_step="write previous")
    if query.week_start not in WEEKDAYS:
        known = ", ".join(WEEKDAYS)
        raise UsageError("week start", f"{query.week_start!r} is no day", next_step=f"take {known}")
    _check_numbers(query)
    if query.by and not query.breaks_down:
        fault = f"{query.analysis} is not broken down"
        raise UsageError("by", fault, next_step=query.instead_of_by)


def _check_numbers(query: Query) -> None:
    if query.limit < 1:
        raise UsageError("limit", f"{query.limit} keeps nothing", next_step="write 1 or more")
    if getattr(query, "offset", 0) < 0:
        raise UsageError("offset", "it leaves out less than nothing", next_step="write 0 or more")
    for part in fields(query):
        value = getattr(query, part.name)
        if isinstance(value, int) and abs(value) > NUMBER_MAX:
            place = part.name.replace("_", " ").strip()
            hint = f"write at most {NUMBER_MAX:,}"
            raise UsageError(place, f"{value:.3g} is more than is counted", next_step=hint)


def check_columns(analysis: Analysis, query: Query, types: Mapping[str, pl.DataType]) -> None:
    """Refuses what nobody ever sent, a typing error, and text where numbers are wanted. In an empty
    store anything may still come.
    """
    may_miss = getattr(analysis, "may_miss", ())
    for name in analysis.columns(query):
        if types and name not in types and name not in FIXED and name not in may_miss:
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
