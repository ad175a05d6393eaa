"""The sample day again, ending whenever it is wanted."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from sample_data.chance import Chance
from sample_data.history import happened, uuids
from sample_data.storing import END, STORE, THINNED, commit, stored
from sample_data.world import World
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter

BLOCK: Final = timedelta(minutes=8)
_STANDS_FOR: Final = {service: float(thinned) for service, thinned in THINNED.items()}
# The dashboard opens with fifteen minutes and compares them with the fifteen before.
BLOCKS_BEFORE: Final = 4


def copy_shifted(to: Path, now: datetime) -> None:
    """A store in `to` with the sample's day, its 24 hours ending at `now`."""
    writer = PartWriter(StoreFolder.open(to, create=True), now=lambda: now)
    commit(writer, _shifted(now))


def demo_history(to: Path, now: datetime, *, seed: int) -> list[Callable[[], None]]:
    """The commits that fill a store in `to`, the most wanted first, each for any thread. Live
    traffic (with the same `now` and `seed`) continues it without a seam.

    The last half hour is as dense as the traffic (`block` makes both); before it each event of
    the sample stands for as many as THINNED says (`sample_rate`), so that a day's chart has one height.
    """
    writer = PartWriter(StoreFolder.open(to, create=True), now=lambda: now)

    def recent(number: int) -> Callable[[], None]:
        return lambda: commit(writer, stored(block(now, number, seed=seed), now))

    def older() -> None:
        before = pl.col("event_time") < now - BLOCKS_BEFORE * BLOCK
        counted = ~pl.col("event_type").is_in(["metric", "log"])
        rate = pl.when(counted).then(pl.col("service_name").replace_strict(_STANDS_FOR))
        commit(writer, _shifted(now).filter(before).with_columns(sample_rate=rate))

    latest, *others = (recent(number) for number in range(-1, -BLOCKS_BEFORE - 1, -1))
    return [latest, others[0], older, *others[1:]]


def block(now: datetime, number: int, *, seed: int) -> pl.DataFrame:
    """The raw events of everyone who comes in the `number`-th eight minutes after `now` (before
    it: below 0). What of it was received before `now` is history, the rest happens live.
    """
    start = now + number * BLOCK
    world = World(now, Chance(seed * 10_000 + number), live=True)
    return happened(world, start, start + BLOCK, metric_every=timedelta(seconds=5))


def _shifted(now: datetime) -> pl.DataFrame:
    files = sorted(STORE.glob("events/*/*.parquet"))
    events = pl.concat([pl.read_parquet(file) for file in files], how="diagonal_relaxed")
    by = now - END
    time_us = (pl.col("event_time") + by).dt.timestamp("us")
    order = pl.int_range(pl.len())
    return events.sort("event_time", "event_id").with_columns(
        pl.col("event_time", "received_time") + by,
        event_id=uuids(time_us, order, Chance(round(now.timestamp())).integer("id")),
    )
