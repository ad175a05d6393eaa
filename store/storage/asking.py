"""The end of every question to a storage: order, limit, columns."""

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

import polars as pl

from store.analytics.filters import Filter, parse_filter
from store.errors import UsageError
from store.schema import FIXED, REQUIRED
from store.storage.storage import Where

METRICS: Filter = parse_filter("event_type=metric")
_ORDER = ("event_time", "event_id")


def asked_for(known: Iterable[str], columns: Collection[str] | None) -> list[str]:
    """The columns of an answer: those wanted, else all known, in their order."""
    if columns is not None:
        return list(dict.fromkeys(columns))
    names = {*known, *REQUIRED}
    return [name for name in FIXED if name in names] + sorted(names - set(FIXED))


def in_order(events: pl.LazyFrame, *, newest_first: bool, limit: int | None) -> pl.LazyFrame:
    """The first `limit` events by time and id."""
    if limit is not None and limit < 0:
        raise UsageError("limit", f"{limit} is less than nothing", next_step="write 0 or more")
    ordered = events.sort(_ORDER, descending=newest_first)
    return ordered if limit is None else ordered.head(limit)


def metrics(where: Where) -> Mapping[str, object]:
    """The filter that finds metrics alone."""
    return METRICS.and_(parse_filter(where)).document()


def check_age(older_than: timedelta) -> None:
    """A UsageError for a negative age, which would be the future."""
    if older_than < timedelta():
        step = "write timedelta(days=30)"
        raise UsageError("delete_old_data", f"{older_than} is no age", next_step=step)
