"""What a collector is put together from: the one place that knows all of its rooms."""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from store.collector.app import App
from store.collector.bodies import Budget
from store.collector.collector import Collector
from store.collector.commits import Committer
from store.collector.datagrams import Datagrams
from store.collector.dead_letters.box import Box
from store.collector.decoders import Decoders
from store.collector.door import Door
from store.collector.duplicates import IDS_MAX, KEY_COLUMNS, SeenIds, recent
from store.collector.follow.follower import Follower
from store.collector.grpc_door import GrpcDoor
from store.collector.intake import INTAKES
from store.collector.intake.statsd import StatsdIntake
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
from store.parts.part import Part
from store.parts.scan import scan
from store.settings import Settings
from store.statsd import Gauges
from store.tally import Tally

LOG: Final = logging.getLogger("eventdeck.collector")
PARTS_AT_ONCE: Final = 50


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
    parts = recent(catalog.snapshot().parts, now())
    # In groups: all at once took 70 MB more at a million ids, and no less time.
    large = [part for part in parts if part.level]
    small = [part for part in parts if not part.level]
    for part in large:
        _learn(seen, [part])
    for start in range(0, len(small), PARTS_AT_ONCE):
        _learn(seen, small[start : start + PARTS_AT_ONCE])
    return seen


def _learn(seen: SeenIds, parts: Sequence[Part]) -> None:
    """A part that cannot be read costs its own ids, not the start."""
    try:
        events = scan(parts, KEY_COLUMNS, None)
        if len(parts) == 1:  # a compacted part may hold a whole day; the newest stand last
            events = events.tail(IDS_MAX)
        seen.learn(events.collect(), parts)
    except (pl.exceptions.PolarsError, OSError) as error:
        if len(parts) == 1:
            LOG.warning("the ids in %s are not known: %s", parts[0].key, error)
            return
        for part in parts:
            _learn(seen, [part])
