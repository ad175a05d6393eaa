"""What happened in a span of the made-up world, as one frame in the order of arrival."""

from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from sample_data.agent import agent_events, trouble_events
from sample_data.chance import Chance
from sample_data.metrics import metric_events
from sample_data.shop import shop_events
from sample_data.world import World, hex4, hex16

BLOCK: Final = timedelta(minutes=8)


def block(now: datetime, number: int, *, seed: int, world: World) -> pl.DataFrame:
    """The events of everyone who comes in the `number`-th block after `now` (before it: below 0).

    A dashboard's demo plays one block after another: what of a block has arrived by `now` is
    history, the rest happens live.
    """
    start = now + number * BLOCK
    told = World(now, Chance(seed * 10_000 + number), world.density, world.deploys)
    return happened(told, start, start + BLOCK, metric_every=timedelta(seconds=5))


def happened(
    world: World, start: datetime, end: datetime, *, metric_every: timedelta
) -> pl.DataFrame:
    """Raw events (as a decoder finds them) of all who come in [start, end), with `event_id`, and
    with `received_time`, by which they are sorted: some are told late.
    """
    found = [
        shop_events(world, start, end),
        agent_events(world, start, end),
        metric_events(world, start, end, metric_every),
        world.deploy_events(start, end),
    ]
    if start <= world.now < end and len(world.deploys) > 6:
        found.append(trouble_events(world))
    events = pl.concat(found, how="diagonal_relaxed").sort("time_us", maintain_order=True)
    return _received(world, events)


def _received(world: World, events: pl.DataFrame) -> pl.DataFrame:
    draw = world.chance
    prompt_us = draw.lognormal("on its way", 45_000.0, 0.7)
    late_us = draw.lognormal("offline for", 22 * 60e6, 1.0)
    offline = pl.col("offline").fill_null(value=False)
    delay = pl.when(offline).then(late_us).otherwise(prompt_us).cast(pl.Int64)
    return (
        events.with_columns(
            event_id=uuids(pl.col("time_us"), draw.integer("id")),
            event_time=_instant(pl.col("time_us")),
            received_time=_instant(pl.col("time_us") + delay),
        )
        .drop("time_us", "offline")
        .sort("received_time", maintain_order=True)
    )


def _instant(time_us: pl.Expr) -> pl.Expr:
    return time_us.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def uuids(time_us: pl.Expr, random: pl.Expr) -> pl.Expr:
    """UUIDv7 texts that keep the order of the rows: milliseconds, the row, 32 random bits."""
    row = pl.int_range(pl.len(), dtype=pl.UInt64)
    stamp = hex16((time_us // 1000).cast(pl.UInt64)).str.tail(12)
    return pl.concat_str(
        stamp.str.head(8),
        pl.lit("-"),
        stamp.str.tail(4),
        pl.lit("-"),
        hex4(0x7000 + row // 2**14 % 2**12),
        pl.lit("-"),
        hex4(0x8000 + row % 2**14),
        pl.lit("-5eed"),
        hex16(random).str.tail(8),
    )


def midnight_after(instant: datetime) -> datetime:
    """The first UTC midnight after it."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)
