"""What sessions come to: all of them, and those of each breakdown value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from store.analytics.breakdown import (
    BrokenDown,
    Group,
    broken_down,
    broken_down_json,
    groups,
    key_columns,
    ranked,
)
from store.analytics.query import Query
from store.analytics.sessions.values import named
from store.analytics.shapes import Result, Row, Table
from store.analytics.sums import mean_seconds
from store.analytics.table_json import flat_rows_json

SUMMARY: Final = (
    *("sessions", "mean_seconds", "median_seconds", "events_per_session"),
    *("with_errors", "bounced"),
)


def summary(found: pl.DataFrame) -> Mapping[str, Any]:
    """What `sessions` come to; null where there is nothing to take a mean of."""
    length = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    is_single = pl.col("events") == 1
    told = found.select(
        pl.len().alias("sessions"),
        mean_seconds(length).alias("mean_seconds"),
        length.filter(~is_single).median().alias("median_seconds"),
        pl.col("events").mean().alias("events_per_session"),
        (pl.col("errors") > 0).sum().alias("with_errors"),
        is_single.sum().alias("bounced"),
    )
    return told.row(0, named=True)


def by_value(found: pl.DataFrame, query: Query) -> Iterator[Group]:
    """The summary of the sessions of each value, those of the most first; none without `by`."""
    if not query.by:
        return
    keys = key_columns(query.by)
    sessions = named(found)
    best = ranked(sessions.group_by(keys).len("size"), query.limit)
    yield from groups(sessions.join(best, on=keys), best, query, _table)


def _table(found: pl.DataFrame) -> Table:
    told = summary(found)
    return Table(SUMMARY, [Row({}, told)], told)


def sessions_json(result: Result) -> Mapping[str, Any]:
    """`{"summary": …, "rows": …}`; broken down, each value's summary."""
    return broken_down_json(result, flat_rows_json, lambda each: {"summary": dict(each.summary)})


def with_groups(whole: Table, found: Sequence[Group], query: Query) -> Table:
    """The table of sessions, or of the summaries of each value where it is broken down."""
    return broken_down(whole, found, SUMMARY) if query.by else whole


def with_summary(table: Table, more: Mapping[str, Any]) -> Table:
    """The same table with another summary of all of it."""
    if isinstance(table, BrokenDown):
        return replace(table, summary=more, whole=replace(table.whole, summary=more))
    return replace(table, summary=more)
