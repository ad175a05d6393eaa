"""The Overview on 100,000 and on 10,000,000 stored events: cold, and each refresh after a new part.

Run it with `python -m tests.benches.bench_refresh [FOLDER]`; stores in FOLDER are made once and
used again. The peer of the cold answer is one bare Polars query a panel over the same files, and
of the refresh on the large store that on the small one.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from store.event_store import EventStore
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Receipt, Tally
from store.testing import FrozenClock
from tests.benches.overview import START, STORED, questions

NEW_EVENTS = 1_000
REFRESHES = 40
SIZES = {100_000: 1_000, 10_000_000: 200_000}
"""Stored events, and how many came in one commit."""
NAMES = {
    "render_frame": 221,
    "http.server.request": 96,
    "page_view": 71,
    "db.query": 58,
    "tool_use": 41,
    "llm_request": 18,
    "token_usage": 18,
    "search": 13,
    "cache_miss": 9,
    "session_start": 4,
    "session_end": 4,
    "signup": 2,
    "tool_error": 1,
    "checkout": 0.8,
    "purchase": 0.4,
    "deploy_finished": 0.01,
}


class Cost(NamedTuple):
    """Milliseconds: by the clock, and of both cores; the second wavers less on a busy machine."""

    wall: float
    cpu: float


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(sys.argv[1] if len(sys.argv) > 1 else folder)
        small, large = (measured(root, size) for size in SIZES)
    wall, cpu = large.wall / small.wall, large.cpu / small.cpu
    print(f"refresh, large against small: ratio {wall:.2f} (of processor time {cpu:.2f})")


def measured(root: Path, size: int) -> Cost:
    """Prints what a store of that size takes; returns the median refresh."""
    folder = root / f"store-{size}"
    if not folder.exists():
        fill(folder, size, SIZES[size])
    clock = FrozenClock(START + STORED)
    warm = EventStore(root / "nothing", now=clock)
    warm.run_all(questions(clock()))
    store = EventStore(folder, now=clock)
    store.snapshot()
    cold = timed(lambda: store.run_all(questions(clock())))
    peer = timed(lambda: bare(folder))
    writer = PartWriter(StoreFolder.open(folder), now=clock)
    refreshes = []
    for at in range(REFRESHES):
        clock.advance(timedelta(seconds=1))
        made = new_events(size * 10 + at * NEW_EVENTS, NEW_EVENTS, clock(), timedelta(seconds=1))
        writer.commit(made, tally(made))
        refreshes.append(timed(lambda: store.run_all(questions(clock()))))
    median = Cost(*(statistics.median(column) for column in zip(*refreshes, strict=True)))
    print(
        f"{size:>10,} events: cold {cold.wall:6.0f} ms (cpu {cold.cpu:.0f}), bare Polars "
        f"{peer.wall:6.0f} ms (cpu {peer.cpu:.0f}), ratio {cold.wall / peer.wall:.2f} (cpu "
        f"{cold.cpu / peer.cpu:.2f}); refresh {median.wall:.0f} ms (cpu {median.cpu:.0f}), "
        f"slowest {max(refreshes).wall:.0f} ms",
        flush=True,
    )
    for part in folder.glob(f"events/*/*-{writer.writer}-*"):
        part.unlink()
    return median


def bare(folder: Path) -> None:
    """The same numbers without anything kept: one collect over all files."""
    files = sorted(folder.glob("events/*/*.parquet"))
    columns = {
        name: kind
        for name, kind in pl.read_parquet_schema(files[0]).items()
        if not name.startswith("_")
    }
    events = pl.scan_parquet(files, schema=columns, extra_columns="ignore", hive_partitioning=False)
    time_cell = pl.col("event_time").dt.truncate("20m")
    bucket = (pl.col("duration_ms").log() * 50).ceil().cast(pl.Int32).alias("bucket")
    timed_events = events.with_columns(cell=time_cell)
    slow = timed_events.filter(pl.col("duration_ms").is_finite()).with_columns(bucket)
    pl.collect_all(
        [
            timed_events.group_by("cell", "severity").len(),
            slow.group_by("cell", "bucket").len(),
            timed_events.group_by("cell").agg(pl.col("subject_hash").n_unique()),
            timed_events.group_by("cell").agg(pl.col("session_id").n_unique()),
            timed_events.group_by("event_name", "cell").agg(
                pl.len(), (pl.col("severity") >= 17).sum(), pl.col("event_time").max()
            ),
            slow.group_by("event_name", "bucket").len(),
            events.group_by("service_name", "service_version").agg(pl.col("event_time").min()),
        ],
        engine="streaming",
    )


def timed(run: Callable[[], object]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Cost((time.perf_counter() - wall) * 1_000, (time.process_time() - cpu) * 1_000)


def fill(folder: Path, size: int, commit: int) -> None:
    """A store of 48 hours, written as a collector would, `commit` events at once."""
    writer = PartWriter(StoreFolder.open(folder, create=True), now=lambda: START)
    length = STORED * commit / size
    for at in range(size // commit):
        events = new_events(at * commit, commit, START + length * (at + 1), length)
        writer.commit(events, tally(events))


def tally(events: pl.DataFrame) -> Tally:
    return Tally.of(Receipt(stored=events.height), intake="bench")


def new_events(first: int, count: int, end: datetime, length: timedelta) -> pl.DataFrame:
    """Skewed users, names, versions and durations; a quarter comes from browsers, half of those
    without a user; the last hour slower, with a new error of one user.
    """
    number = pl.col("number")

    def chance(seed: int) -> pl.Expr:
        return number.hash(seed).cast(pl.Float64) / 2**64

    step = length / count
    shares = pl.Series(list(NAMES.values()), dtype=pl.Float64).cum_sum()
    place = pl.lit(shares / shares[-1]).search_sorted(chance(1)).clip(0, len(NAMES) - 1)
    late = pl.col("event_time") > START + STORED - timedelta(hours=1)
    user = ((chance(2) ** -0.8 - 1) * 200).cast(pl.Int64) % 50_000
    normal = (-2 * (chance(3) + 1e-12).log()).sqrt() * (6.283 * chance(4)).cos()
    name = pl.lit(pl.Series(list(NAMES))).gather(place)
    raw = (
        pl.select(number=pl.int_range(first, first + count, dtype=pl.UInt64))
        .with_columns(
            event_time=(
                pl.lit(end - length).cast(pl.Datetime("us", "UTC"))
                + (number - first).cast(pl.Int64) * step
                - pl.duration(microseconds=(-chance(5).log() * 2e6).cast(pl.Int64))
            ).clip(START, end - timedelta(microseconds=1)),
            event_name=name,
            user=user,
            is_browser=chance(6) < 0.25,
            is_known=chance(7) < 0.5,
        )
        .with_columns(
            session=pl.col("user") * 1_000 + (pl.col("event_time") - START).dt.total_hours() // 2
        )
    )
    identity = pl.when(pl.col("is_browser") & ~pl.col("is_known")).then(None).otherwise("user")
    device = pl.when("is_browser").then("user")
    return raw.select(
        event_id=pl.format("{}-{}", number.hash(9), number),
        event_time="event_time",
        event_type=pl.lit("log"),
        event_name="event_name",
        received_time="event_time",
        severity=pl.when(chance(10) < 0.0136)
        .then(17)
        .when(chance(10) < 0.04)
        .then(13)
        .otherwise(9)
        .cast(pl.UInt8),
        service_name=pl.when("is_browser").then(pl.lit("shop")).otherwise(pl.lit("api")),
        service_version=pl.when(late).then(pl.lit("2.4.0")).otherwise(pl.lit("2.3.1")),
        install_id=pl.format("device-{}", device),
        user_id=pl.format("user-{}", identity),
        subject_hash=pl.coalesce(identity.hash(1), device.hash(2)),
        session_id=pl.format("{}", pl.col("session").hash(3)),
        duration_ms=pl.when(name.str.len_chars() < 13).then((3 + 1.2 * normal).exp())
        * pl.when(late).then(1.5).otherwise(1.0),
        message=pl.when(pl.col("event_name") == "tool_error").then(
            pl.lit("EACCES: permission denied")
        ),
        region=pl.when(number % 3 == 0).then(pl.lit("eu-west-1")).otherwise(pl.lit("us-east-1")),
    )


if __name__ == "__main__":
    main()
