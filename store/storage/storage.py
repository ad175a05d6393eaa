"""What a storage is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import polars as pl

from store.event import Event
from store.tally import Receipt, Tally
from store.timespan import TimeSpan

Events = pl.DataFrame | Iterable[Event | Mapping[str, Any]]
"""Rows, flat or nested, as `POST /v1/events` takes them."""
Where = str | Mapping[str, Any] | None
"""A filter: `duration_ms>100 plan=pro`, or the same as `{"duration_ms": {"$gt": 100}, "plan":
"pro"}`; None is everything.
"""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What `delete_old_data` took away."""

    events: int
    parts: int


class Storage(Protocol):
    """Events in, and the same events out. All doors are safe across threads."""

    def store_events(self, events: Events) -> Receipt:
        """Stores all rows that are events, and says what became of each; what the receipt calls
        stored is found by every question that is asked afterwards, and survives what the storage
        survives.

        Only `event_name` is required. A missing `event_id`, `event_time`, `event_type` is filled
        in; secrets are masked; values come back exactly. An id that its UTC date has already is a
        duplicate and stored once. A row that is no event is rejected, and the others are stored.
        NoRoomError, ReadOnlyStoreError, StoreError: nothing of this call was stored.
        """
        ...

    def store_metrics(self, metrics: Events) -> Receipt:
        """As `store_events`; every row becomes an event of type `metric`, and one without a
        number as its `value` is rejected.
        """
        ...

    def query_events(
        self,
        span: TimeSpan | None = None,
        where: Where = None,
        *,
        columns: Collection[str] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """The events of `span` (None: all) that pass the filter, by (event_time, event_id) or the
        other way round, at most `limit` of them.

        With `columns` those, in that order, null where no event has such a one; without, all that
        any stored event has: the fixed ones first, then attributes by name. Without events, a frame
        without rows, with these columns. UsageError: the filter or the limit makes no sense.
        """
        ...

    def query_metrics(
        self,
        span: TimeSpan | None = None,
        where: Where = None,
        *,
        columns: Collection[str] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> pl.DataFrame:
        """As `query_events`, of the events of type `metric` alone."""
        ...

    def delete_old_data(self, older_than: timedelta, *, imported: bool = False) -> Deleted:
        """Takes away what came in that long ago or longer. A part goes as a whole, once all of its
        events are so old by the time they were received, whatever time they happened at; what was
        imported stays unless asked for. Younger events are not touched. UsageError: a negative age.
        """
        ...

    def tally(self) -> Tally:
        """What became of all rows that ever came to this storage."""
        ...
