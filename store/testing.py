"""For tests of eventdeck and of programs that use it: clocks that stand still, events out of a few
words, stores out of events. Nothing else in the package imports this.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import xxhash

from store.event_store import EventStore
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED, REQUIRED
from store.tally import Receipt, Tally

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""Where tests begin unless they say otherwise."""


class FrozenClock:
    """A clock that moves only when it is told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


def events_of(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Events as parts hold them, out of rows that name what matters.

    What is missing is filled in: an `event_id` by the row's number, NOON and a second more for
    each row, type `log`, name `event`, `received_time` as `event_time`, and `subject_hash`.
    """
    filled = []
    for at, row in enumerate(rows):
        time = row.get("event_time", NOON + timedelta(seconds=at))
        subject = row.get("user_id") or row.get("install_id")
        filled.append(
            {
                "event_id": f"e{at:06}",
                "event_time": time,
                "event_type": "log",
                "event_name": "event",
                "received_time": time,
                "subject_hash": xxhash.xxh3_64_intdigest(subject.encode()) if subject else None,
                **row,
            }
        )
    names = dict.fromkeys([*REQUIRED, *(name for row in filled for name in row)])
    types = {name: FIXED.get(name) for name in names}
    return pl.DataFrame(filled, schema=types, infer_schema_length=None, strict=False)


def journeys(
    *, start: datetime = NOON, step: timedelta = timedelta(minutes=1), **people: str
) -> pl.DataFrame:
    """`journeys(ada="signup pay", bob="pay")`: what each did, one event a `step` from `start`."""
    rows = [
        {"event_time": start + at * step, "event_name": name, "user_id": person}
        for person, names in people.items()
        for at, name in enumerate(names.split())
    ]
    return events_of({"event_id": f"e{at:06}", **row} for at, row in enumerate(rows))


def store_of(
    root: Path,
    *commits: pl.DataFrame,
    clock: FrozenClock | None = None,
    **options: Any,
) -> EventStore:
    """A store at `root` with a part (for each date) of every commit; `options` of EventStore."""
    now = clock or FrozenClock()
    write(root, *commits, clock=now)
    return EventStore(root, now=now, **options)


def write(root: Path, *commits: pl.DataFrame, clock: FrozenClock | None = None) -> None:
    """Adds commits to the store at `root`, by a writer of their own."""
    writer = PartWriter(StoreFolder.open(root, create=True), now=clock or FrozenClock())
    for events in commits:
        writer.commit(events, Tally.of(Receipt(stored=events.height), intake="test"))
