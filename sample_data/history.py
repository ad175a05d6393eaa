"""What happened in a span of the made-up world, as one frame of raw events."""

from datetime import datetime, timedelta

import polars as pl

from sample_data.agent import agent_events, trouble_events
from sample_data.metrics import metric_events
from sample_data.shop import shop_events
from sample_data.world import World, hex4, hexed


def happened(
    world: World, start: datetime, end: datetime, *, metric_every: timedelta
) -> pl.DataFrame:
    """The events, as a decoder finds them, of all who come in [start, end): some end later.

    `event_id` follows the order of `event_time`; `received_time` is when they were told, for
    some an hour later. Rows stand in no order.
    """
    found = [
        shop_events(world, start, end),
        agent_events(world, start, end),
        metric_events(world, start, end, metric_every),
        world.deploy_events(start, end),
    ]
    if world.live and start <= world.now < end:
        found.append(trouble_events(world))
    return _told(world, pl.concat(found, how="diagonal_relaxed"))


def _told(world: World, events: pl.DataFrame) -> pl.DataFrame:
    draw, time_us = world.chance, pl.col("time_us")
    mean_us = pl.when(pl.col("offline")).then(30 * 60e6).otherwise(60_000.0)
    delay_us = (-(1 - draw.uniform("on its way")).log() * mean_us).cast(pl.Int64)
    return events.with_columns(
        event_id=uuids(time_us, time_us.rank("ordinal"), draw.integer("id")),
        event_time=instant(time_us),
        received_time=instant(time_us + delay_us),
    ).drop("time_us", "offline")


def instant(time_us: pl.Expr) -> pl.Expr:
    """Unix microseconds as an instant."""
    return time_us.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def uuids(time_us: pl.Expr, place: pl.Expr, random: pl.Expr) -> pl.Expr:
    """UUIDv7 texts: milliseconds, the place among all (below 2^26), 32 random bits."""
    row = place.cast(pl.UInt64)
    stamp = (time_us // 1000).cast(pl.UInt64)
    return pl.concat_str(
        hexed(stamp // 2**16, 8),
        pl.lit("-"),
        hex4(stamp % 2**16),
        pl.lit("-"),
        hex4(0x7000 + row // 2**14 % 2**12),
        pl.lit("-"),
        hex4(0x8000 + row % 2**14),
        pl.lit("-5eed"),
        hexed(random, 8),
    )
