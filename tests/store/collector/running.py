"""A collector over a shelf in memory."""

import asyncio
import threading

import polars as pl

from store.collector.collector import Collector
from store.collector.commits import Committer
from store.collector.duplicates import SeenIds
from store.collector.ledger import Ledger
from store.normalise import Decoded
from store.settings import CollectorSettings
from store.tally import Tally


class FakePart:
    date = "2026-11-22"
    size_bytes = 100

    def __init__(self, number, events, tally):
        self.key = f"p{number}"
        self.events = events
        self.tally = tally


class Shelf:
    """A sink in memory that can be slow, full or broken."""

    name = "shelf"

    def __init__(self):
        self.parts = []
        self.fault = None
        self.open = threading.Event()
        self.open.set()

    def write(self, events, tally):
        assert self.open.wait(60)
        if self.fault:
            raise self.fault
        self.parts.append(FakePart(len(self.parts), events, tally))
        return [self.parts[-1]]

    def keys(self, part_keys, _suspects):
        frames = [part.events for part in self.parts if part.key in part_keys]
        rows = pl.concat(frames, how="diagonal_relaxed")
        return set(rows.select("event_id", pl.col("event_time").dt.date()).iter_rows())

    def ids(self):
        return [
            part.events["event_id"].to_list() if part.events.width else [] for part in self.parts
        ]

    def tally(self):
        return Tally.total(part.tally for part in self.parts)


class Running:
    """A collector over a shelf, and its task."""

    def __init__(self, clock, processors, **settings):
        self.shelf = Shelf()
        self.settings = CollectorSettings(**settings)
        seen = SeenIds(self.shelf.keys, clock.ticks)
        self.ledger = Ledger(self.shelf.tally)
        committer = Committer(
            self.shelf, seen, self.ledger, part_events_max=self.settings.part_events_max
        )
        self.collector = Collector(self.settings, committer, processors)
        self.task = asyncio.create_task(self.collector.run())

    def send(self, events, *refusals, intake="native"):
        prepared = self.collector.prepare(Decoded(events, refusals), intake)
        return asyncio.create_task(self.collector.accept(prepared))

    async def close(self):
        self.shelf.open.set()
        self.collector.close()
        await self.task
