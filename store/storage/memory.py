"""Storage in this process: for tests and development, and gone with it."""

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from store.analytics.filters import parse_filter
from store.event import EventIds
from store.importer.known_ids import fresh
from store.normalise import Arrival, united
from store.normalise.columns import columns_of, free_name
from store.normalise.json_text import loads
from store.parts.columns import storable
from store.parts.writer import by_date
from store.parts.writer import in_order as sorted_by_time
from store.schema import FIXED, OVERFLOW, column
from store.settings import Limits
from store.storage.asking import asked_for, check_age, in_order, metrics
from store.storage.storage import Deleted, Events, Where
from store.storage.taking import SOURCE, taken
from store.tally import Receipt, Tally
from store.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class _Held:
    """The events of one call and one UTC date, as a part would hold them."""

    events: pl.DataFrame
    received: datetime


class Memory:
    """A Storage that holds frames. What a receipt calls stored is there until the process ends."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now` gives UTC times."""
        self._now = now
        self._ids = EventIds(lambda: now().timestamp())
        self._held: tuple[_Held, ...] = ()
        self._tally = Tally()
        self._lock = threading.Lock()

    def store_events(self, events: Events) -> Receipt:
        return self._stored(events, metrics=False)

    def store_metrics(self, metrics: Events) -> Receipt:
        return self._stored(metrics, metrics=True)

    def query_events(
        self,
        span: TimeSpan | None = None,
        where: Where = None,
        *,
        columns: Collection[str] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> pl.DataFrame:
        keep = parse_filter(where)
        events = united([held.events for held in self._held])
        wanted = asked_for(events.columns, columns)
        known = _with(events, [*wanted, "event_time", "event_id"]).lazy()
        time = pl.col("event_time")
        if span is not None:
            known = known.filter((time >= span.start) & (time < span.end))
        found = known.filter(keep.expr(events.schema))
        return (
            in_order(found, newest_first=newest_first, limit=limit)
            .select(map(column, wanted))
            .collect()
        )

    def query_metrics(
        self,
        span: TimeSpan | None = None,
        where: Where = None,
        *,
        columns: Collection[str] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> pl.DataFrame:
        wanted = metrics(where)
        return self.query_events(
            span, wanted, columns=columns, newest_first=newest_first, limit=limit
        )

    def delete_old_data(
        self,
        older_than: timedelta,
        *,
        imported: bool = False,  # noqa: ARG002  as the protocol has it
    ) -> Deleted:
        """As the protocol has it; nothing here is ever imported."""
        check_age(older_than)
        before = self._now() - older_than
        with self._lock:
            old = [held for held in self._held if held.received <= before]
            self._held = tuple(held for held in self._held if held.received > before)
        return Deleted(sum(held.events.height for held in old), len(old))

    def tally(self) -> Tally:
        return self._tally

    def _stored(self, rows: Events, *, metrics: bool) -> Receipt:
        arrival = Arrival(self._now(), SOURCE, self._ids, Limits())
        coming = taken(rows, arrival, metrics=metrics)
        with self._lock:
            new = self._fresh(coming.events)
            receipt, tally = coming.settled(new)
            if new.height:
                days = by_date(sorted_by_time(new))
                self._held += tuple(_Held(_columns(part), arrival.received) for _, part in days)
            self._tally += tally
        return receipt

    def _fresh(self, events: pl.DataFrame) -> pl.DataFrame:
        """Those whose id their date does not have."""
        if not events.height:
            return events
        once = fresh(events, {})
        date = pl.col("event_time").dt.date().alias("_date")
        if not self._held:
            return once
        ids = pl.concat([held.events.select("event_id", date) for held in self._held])
        dated = once.with_columns(date)
        return dated.join(ids, on=["event_id", "_date"], how="anti", maintain_order="left").drop(
            "_date"
        )


def _columns(events: pl.DataFrame) -> pl.DataFrame:
    """As a reader sees a part: in its types, every attribute a column."""
    stored = storable(events)
    if OVERFLOW not in stored.columns:
        return stored
    objects = [loads(text.encode()) if text else {} for text in stored[OVERFLOW]]
    taken = set(stored.columns)
    unfolded = [
        values
        for name in sorted(set().union(*objects))
        for values in columns_of(
            free_name(name, taken), [each.get(name) for each in objects], taken, exact=True
        )
    ]
    return stored.drop(OVERFLOW).with_columns(unfolded)


def _with(events: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """With the columns that no event has, as nulls."""
    missing = [name for name in dict.fromkeys(names) if name not in events.columns]
    nulls = [pl.lit(None, FIXED.get(name, pl.String())).alias(name) for name in missing]
    if events.width:
        return events.with_columns(nulls)
    return pl.DataFrame(schema={name: FIXED.get(name, pl.String()) for name in missing})
