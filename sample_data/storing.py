"""From raw events of the made-up world to a store."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from sample_data.chance import Chance
from sample_data.history import happened
from sample_data.world import World
from store.event import EventIds
from store.normalise import Arrival, normalised
from store.parts.writer import PartWriter
from store.settings import Limits
from store.tally import Receipt, Tally

SEED: Final = 41
END: Final = datetime(2026, 11, 22, 14, tzinfo=UTC)
LENGTH: Final = timedelta(hours=24)
# Of so many visits to the shop, or sessions of the agent, the sample holds one.
THINNED: Final = {"shop": 210, "agent": 11}
STORE: Final = Path(__file__).parent / "store"


def sample() -> pl.DataFrame:
    """The events of the sample store, all stored by END."""
    world = World(END, Chance(SEED), THINNED)
    raw = happened(world, END - LENGTH, END, metric_every=timedelta(minutes=4))
    return stored(raw, END)


def stored(raw: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Raw events as the store has them at `now`: those that had been received by then."""
    known = raw.filter((pl.col("received_time") < now) & (pl.col("event_time") < now))
    arrival = Arrival(now, "native", EventIds(time.time), Limits())
    decoded = normalised(known.drop("received_time"), arrival, str, small=True)
    if decoded.refusals:
        raise ValueError(f"the sample is no valid sample: {decoded.refusals[0]}")
    return decoded.events.with_columns(known["received_time"])


def commit(writer: PartWriter, events: pl.DataFrame) -> None:
    """Stores events that the native intake took."""
    writer.commit(events, Tally.of(Receipt(stored=events.height), intake="native"))
