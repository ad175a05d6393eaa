"""What the two services measure of themselves: load, memory, queues, requests, tokens."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import polars as pl

from sample_data.world import World, rhythm


class Metric(NamedTuple):
    """A value that follows how busy it is: `base` + `swing` per unit of rhythm, with noise."""

    service: str
    name: str
    kind: str
    unit: str
    base: float
    swing: float
    noise: float
    bad_factor: float = 1.0
    """What the bad deploy does to it."""


METRICS: Final = (
    Metric("shop", "process.cpu.utilization", "gauge", "1", 0.08, 0.31, 0.06, 1.7),
    Metric("shop", "process.memory.usage", "gauge", "By", 4.1e8, 3.2e7, 0.01, 1.35),
    Metric("shop", "queue.depth", "gauge", "{jobs}", 1.0, 6.0, 0.5, 6.0),
    Metric("shop", "http.requests", "counter", "{requests}", 0.0, 50.0, 0.1, 0.9),
    Metric("shop", "response.size", "histogram", "By", 2.0e4, 1.0e3, 0.6),
    Metric("agent", "process.cpu.utilization", "gauge", "1", 0.05, 0.12, 0.1),
    Metric("agent", "process.memory.usage", "gauge", "By", 2.6e8, 1.5e7, 0.02),
    Metric("agent", "agents.running", "gauge", "{agents}", 2.0, 30.0, 0.08),
    Metric("agent", "tokens.used", "counter", "{tokens}", 0.0, 9.0e4, 0.25),
)


def metric_events(world: World, start: datetime, end: datetime, every: timedelta) -> pl.DataFrame:
    """Each metric once in `every`, on its multiples since `start`."""
    facts = pl.DataFrame(METRICS, schema=list(Metric._fields), orient="row")
    times = pl.select(
        time_us=pl.int_range(
            round(start.timestamp() * 1e6), round(end.timestamp() * 1e6), every // _US
        )
    )
    draw, since = world.chance, world.since_now(pl.col("time_us"))
    bad = since.is_between(-9 * 3600, -7 * 3600)
    level = pl.col("base") + pl.col("swing") * rhythm(since)
    value = draw.lognormal("measured", level, pl.col("noise"))
    measured = value * pl.when(bad).then(pl.col("bad_factor")).otherwise(1.0)
    whole = pl.col("unit") != "1"
    return times.join(facts, how="cross").select(
        "time_us",
        "unit",
        event_type=pl.lit("metric"),
        event_name="name",
        service_name="service",
        service_version=world.version_of(pl.col("service"), pl.col("time_us")),
        metric_kind="kind",
        value=pl.when(whole).then(measured.round(0)).otherwise(measured.round(4)),
        component=pl.lit("runtime"),
    )


_US: Final = timedelta(microseconds=1)
