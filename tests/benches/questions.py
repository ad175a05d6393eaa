"""Twelve questions about the shop's events, as eventdeck is asked them.

The rows are plain numbers and texts, in any order, so that they compare with the peers'.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from store.analytics.filters import parse_filter
from store.analytics.percentiles import Percentiles
from store.analytics.shapes import Table, Timeline
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_rows import EventRows
from store.event_store import EventStore
from store.timespan import EPOCH

Rows = list[tuple[Any, ...]]
USER = "user-83636"
"""One with 994 of ten million events."""
SEEN = ("event_name", "service_name", "duration_ms", "path", "status")
STEPS = ("product_viewed", "add_to_cart", "begin_checkout", "purchase")
WINDOW = timedelta(hours=1)
GAP = timedelta(minutes=30)
LARGE = (10_000, 20_000)
"""Of response_bytes."""


def minutes(store: EventStore) -> Rows:
    return series(store, Trends(interval=timedelta(minutes=1)))


def minutes_by_name(store: EventStore) -> Rows:
    return series(store, Trends(by=("event_name",), interval=timedelta(minutes=1)))


def error_share(store: EventStore) -> Rows:
    counts = table(store, Top(by=("service_name", "severity_class"), limit=100), ["value"])
    services = {service for service, _, _ in counts}

    def total(service: str, *classes: str) -> int:
        return sum(n for of, what, n in counts if of == service and what in (classes or (what,)))

    return [(name, total(name, "error", "fatal") / total(name)) for name in services]


def percentiles_exact(store: EventStore) -> Rows:
    query = Percentiles(by=("event_name",), exact=True, limit=100)
    return table(store, query, ["p50", "p95", "p99"])


def percentiles_bucketed(store: EventStore) -> Rows:
    query = Percentiles(by=("event_name",), limit=100)
    return table(store, query, ["p50", "p95", "p99"])


def users_an_hour(store: EventStore) -> Rows:
    return series(store, Trends(measures=("users",), interval=timedelta(hours=1), link=False))


def top_pages(store: EventStore) -> Rows:
    return table(store, Top(by=("path",), limit=20), ["value"])


def newest_of_user(store: EventStore) -> Rows:
    span = store.span()
    assert span is not None
    rows = EventRows.open(store.snapshot().parts, span, parse_filter(f"user_id={USER}"))
    page = rows.page(range(100), SEEN)
    return [
        (_micros(row["event_time"]), *(row.get(name) for name in SEEN)) for row in page.values()
    ]


def large_responses(store: EventStore) -> Rows:
    where = f"response_bytes>={LARGE[0]} response_bytes<{LARGE[1]}"
    return series(store, Trends(where=where, interval=timedelta(minutes=10)))


def sum_by_two(store: EventStore) -> Rows:
    query = Top(by=("service_name", "region"), measure="sum:duration_ms", limit=100)
    return table(store, query, ["value"])


def sessions(store: EventStore) -> Rows:
    user, time = pl.col("subject_hash"), pl.col("event_time")
    known = store.events(columns=["subject_hash", "event_time"]).filter(user.is_not_null())
    # Sorting each user's times takes a sixth of sorting all events by user and time, and less once
    # they stand together: they come nearly in order.
    times = known.group_by(user).agg(time.to_physical())
    gaps = times.select(time.list.sort().list.diff()).explode(time)
    micros = GAP // timedelta(microseconds=1)
    begins = time.is_null() | (time > micros)
    within = time.filter(~begins).sum().alias("within")
    return gaps.select(begins.sum(), within, pl.len().alias("n")).collect(engine="streaming").rows()


def funnel(store: EventStore) -> Rows:
    user, time = pl.col("subject_hash"), pl.col("event_time")
    ordered = (
        store.events(columns=["subject_hash", "event_time", "event_name"])
        .filter(pl.col("event_name").is_in(STEPS) & user.is_not_null())
        .sort("subject_hash", "event_time")
    )
    at = time
    for step, name in enumerate(STEPS):
        # When the newest run that can still go on began, for each event that goes on with it.
        began = time if step == 0 else at.forward_fill().over("subject_hash")
        at = pl.when((pl.col("event_name") == name) & (time - began <= WINDOW)).then(began)
        ordered = ordered.with_columns(at.alias(f"{step}"))
        at = pl.col(f"{step}")
    reached = [user.filter(pl.col(f"{step}").is_not_null()).n_unique() for step in range(4)]
    return [
        (n,) for n in ordered.select(pl.concat_list(reached)).collect(engine="streaming").item()
    ]


def series(store: EventStore, query: Trends) -> Rows:
    timeline = store.run(query).result
    assert isinstance(timeline, Timeline)
    starts = [int(start.timestamp()) for start in timeline.starts]
    return [
        (*key, start, value)
        for key, values in ((tuple(each.key.values()), each.values) for each in timeline.series)
        for start, value in zip(starts, values, strict=True)
        if value
    ]


def table(store: EventStore, query: Top | Percentiles, values: Sequence[str]) -> Rows:
    found = store.run(query).result
    assert isinstance(found, Table)
    return [
        (*row.key.values(), *(row.values[name] for name in values))
        for row in found.rows
        if not row.folded
    ]


def _micros(time: Any) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


OURS: Final[Mapping[str, Callable[[EventStore], Rows]]] = {
    "count per minute": minutes,
    "count per minute by name": minutes_by_name,
    "error share by service": error_share,
    "percentiles by name, exact": percentiles_exact,
    "percentiles by name, buckets": percentiles_bucketed,
    "distinct users per hour": users_an_hour,
    "top 20 of 113,000 paths": top_pages,
    "one user, newest 100": newest_of_user,
    "range of an attribute, histogram": large_responses,
    "sum by two keys": sum_by_two,
    "sessions": sessions,
    "funnel of four steps": funnel,
}
