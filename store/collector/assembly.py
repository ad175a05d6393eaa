"""What a collector is put together from: the one place that knows all of its rooms."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from store.collector.app import App
from store.collector.bodies import Budget
from store.collector.collector import Collector
from store.collector.commits import Committer
from store.collector.datagrams import Datagrams
from store.collector.dead_letters.box import Box
from store.collector.decoders import Decoders
from store.collector.door import Door
from store.collector.duplicates import SeenIds
from store.collector.follow.follower import Follower
from store.collector.grpc_door import GrpcDoor
from store.collector.intake import INTAKES
from store.collector.intake.statsd import StatsdIntake
from store.collector.learning import keys_of, recent
from store.collector.ledger import Ledger
from store.collector.maintaining import Maintaining
from store.collector.processors import PROCESSORS
from store.collector.security import Guard
from store.collector.sinks import SINKS
from store.collector.sinks.parts import StoredKeys
from store.collector.stats import Stats
from store.event import EventIds
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.settings import Settings
from store.statsd import Gauges
from store.tally import Tally


def now() -> datetime:
    return datetime.now(UTC)


class Assembled(NamedTuple):
    """A collector, and its doors."""

    app: App
    collector: Collector
    datagrams: Datagrams
    follower: Follower
    grpc: GrpcDoor


def assembled(
    settings: Settings, folder: StoreFolder, decoders: Decoders, maintaining: Maintaining
) -> Assembled:
    """A collector over `folder`. Reads the footers of the store's parts, and the ids of the last
    day's.
    """
    collector = _collector(settings, folder, decoders)
    decoders.is_ahead = lambda: collector.is_committing
    ids = EventIds(time.time)
    budget = Budget(settings.collector.bodies_bytes_max)
    stats = Stats(collector, budget, decoders, maintaining, [intake.name for intake in INTAKES])
    door = Door(
        collector,
        decoders,
        limits=settings.limits,
        budget=budget,
        ids=ids,
        refused=stats.refused,
    )
    pages = {
        "/healthz": collector.health,
        "/v1/tally": collector.tally,
        "/v1/stats": stats.as_json,
    }
    guard = Guard(settings.collector)
    app = App(door, INTAKES, pages, guard)
    datagrams = Datagrams(
        StatsdIntake(),
        collector,
        decoders,
        settle=Gauges().settled,
        limits=settings.limits,
        ids=ids,
    )
    follower = _follower(settings, folder, collector, decoders, ids)
    return Assembled(app, collector, datagrams, follower, GrpcDoor(door, guard))


def _collector(settings: Settings, folder: StoreFolder, decoders: Decoders) -> Collector:
    catalog = Catalog(folder)
    committer = Committer(
        SINKS[0].over(folder, now),
        _seen_ids(folder, catalog),
        Ledger(lambda: Tally.total(part.tally for part in catalog.snapshot().told)),
        part_events_max=settings.collector.part_events_max,
    )
    return Collector(
        settings.collector,
        committer,
        PROCESSORS,
        coming=lambda: decoders.waiting,
        settling=lambda: decoders.settling,
        dead_letters=Box(folder),
    )


def _follower(
    settings: Settings,
    folder: StoreFolder,
    collector: Collector,
    decoders: Decoders,
    ids: EventIds,
) -> Follower:
    return Follower(
        [Path(path).absolute() for path in settings.collector.follow],
        folder,
        collector,
        decoders,
        limits=settings.limits,
        ids=ids,
        logs=settings.collector.follow_logs,
    )


def _seen_ids(folder: StoreFolder, catalog: Catalog) -> SeenIds:
    seen = SeenIds(StoredKeys(folder, catalog), time.monotonic)
    seen.learn(keys_of(recent(catalog.snapshot().parts, now())))
    pa.default_memory_pool().release_unused()  # 16 MB, which it would keep for good
    return seen
