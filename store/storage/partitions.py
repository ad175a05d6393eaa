"""Storage in a folder of parts: durable, readable by any Parquet tool, shared with collectors."""

import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import polars as pl

from store.analytics.filters import parse_filter
from store.errors import StoreError
from store.event import EventIds
from store.event_store import EventStore
from store.importer.known_ids import by_date, fresh
from store.maintenance.covered import CoveredParts
from store.maintenance.expiry import Expiry
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.normalise import Arrival
from store.parts.writer import PartWriter
from store.schema import PART, column
from store.settings import Limits, RetentionSettings, Settings
from store.storage.asking import asked_for, check_age, in_order, metrics
from store.storage.storage import Deleted, Events, Where
from store.storage.taking import SOURCE, taken
from store.tally import Receipt, Tally
from store.timespan import TimeSpan

ATTEMPTS_MAX: Final = 5
LOCK_PATIENCE_SECONDS: Final = 10.0
_AGE_ALONE: Final = RetentionSettings(max_bytes=0, min_free_disk=0)
T = TypeVar("T")


class Partitions:
    """A Storage over PartWriter and EventStore.

    What a receipt calls stored is on the medium. An id that another process is storing in the same
    moment is told apart at compaction. A merge of parts meanwhile does no harm.
    """

    def __init__(
        self, root: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Makes the folder when it is missing. NotAStoreError, NewerFormatError,
        ReadOnlyStoreError: it cannot be a store.
        """
        self._store = EventStore(root, now=now, create=True)
        self._writer = PartWriter(self._store.folder, now=now)
        self._now = now
        self._ids = EventIds(lambda: now().timestamp())
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
        parse_filter(where)

        def found() -> pl.DataFrame:
            wanted = asked_for(self._store.column_types(), columns)
            read = dict.fromkeys([*wanted, "event_time", "event_id"])
            events = self._store.events(span, where, [name for name in read if name != PART])
            ordered = in_order(events, newest_first=newest_first, limit=limit)
            return ordered.select(map(column, wanted)).collect()

        return self._while_parts_stand(found)

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

    def delete_old_data(self, older_than: timedelta, *, imported: bool = False) -> Deleted:
        """As the protocol has it; their rollups stay, and answer for them. Waits for whoever
        maintains the store. BusyError: for too long.
        """
        check_age(older_than)
        folder = self._store.folder
        # An age of nothing would mean that nothing goes by age.
        keep = replace(_AGE_ALONE, raw=max(older_than, timedelta(microseconds=1)))
        maintainer = Maintainer(
            folder,
            Settings(folder.root, retention=keep),
            now=self._now,
            eager=True,
            patience_seconds=LOCK_PATIENCE_SECONDS,
        )
        with maintainer:
            before = self._store.snapshot().parts
            report = maintainer.round(
                (CoveredParts(), Rollups(imported=imported), Expiry(imported=imported))
            )
            left = {part.key for part in self._store.snapshot().parts}
        if report.faults:
            raise StoreError("delete_old_data", report.faults[0], place=str(folder.root))
        gone = [part for part in before if part.key not in left]
        return Deleted(sum(part.rows for part in gone), len(gone))

    def tally(self) -> Tally:
        return self._store.tally()

    def _stored(self, rows: Events, *, metrics: bool) -> Receipt:
        arrival = Arrival(self._now(), SOURCE, self._ids, Limits())
        coming = taken(rows, arrival, metrics=metrics)
        with self._lock:
            new = self._while_parts_stand(lambda: self._fresh(coming.events))
            receipt, tally = coming.settled(new)
            self._writer.commit(new, tally)
        return receipt

    def _fresh(self, events: pl.DataFrame) -> pl.DataFrame:
        if not events.height:
            return events
        return fresh(events, by_date(self._store.snapshot().parts))

    def _while_parts_stand(self, read: Callable[[], T]) -> T:
        """What `read` gives, once it met no part that was merged away meanwhile."""
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return read()
            except FileNotFoundError:
                continue
        return read()
