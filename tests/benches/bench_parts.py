"""Parts: what a commit costs by columns, what the catalog costs by parts, and a scan of 300 parts.

`python -m tests.benches.bench_parts`. Each figure is the median of rounds that alternate with the
peer's, in one run on one disk.
"""

import os
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import polars as pl
import pyarrow.parquet as pq

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder, folder_of
from store.parts.part import Part
from store.parts.scan import scan
from store.parts.writer import PartWriter, encoded
from store.schema import INSTANT, PART
from store.tally import Tally
from store.timespan import TimeSpan

START = datetime(2026, 11, 22, tzinfo=UTC)
ROWS = 1_000
PARTS = 10_000
NO_TALLY = Tally()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for columns, rounds in ((8, 60), (30, 40), (100, 20), (500, 8)):
            commits(Path(folder) / f"commit{columns}", columns, rounds)
        scans(Path(folder) / "scan")
        catalogs(Path(folder) / "catalog")


def events(rows: int, columns: int, seed: int = 1) -> pl.DataFrame:
    """Eight columns as an intake makes them, the others texts of fifty values."""
    rng = random.Random(seed)
    first = round(START.timestamp() * 1e6)
    times = sorted(first + rng.randrange(3_600_000_000) for _ in range(rows))
    frame = pl.DataFrame(
        {
            "event_id": [rng.randbytes(16).hex() for _ in range(rows)],
            "event_time": pl.Series(times).cast(INSTANT),
            "event_type": ["log"] * rows,
            "event_name": rng.choices(["visit", "signup", "pay", "tool_call"], k=rows),
            "received_time": pl.Series([times[-1]] * rows).cast(INSTANT),
            "user_id": [f"user{rng.randrange(100)}" for _ in range(rows)],
            "duration_ms": [rng.expovariate(0.01) for _ in range(rows)],
            "tokens": [rng.randrange(100_000) for _ in range(rows)],
        }
    )
    more = {f"a{n:03}": [f"v{rng.randrange(50)}" for _ in range(rows)] for n in range(8, columns)}
    return frame.with_columns(pl.Series(name, values) for name, values in more.items())


def commits(root: Path, columns: int, rounds: int) -> None:
    """A durable commit beside the least that is durable: write, fsync, rename, fsync."""
    writer = PartWriter(StoreFolder.open(root / "s", create=True), now=lambda: START)
    frame, count = events(ROWS, columns), iter(range(10_000))
    (root / "bare").mkdir()

    def bare() -> None:
        staged, path = root / "bare" / "staged", root / "bare" / f"{next(count)}.parquet"
        pq.write_table(frame.to_arrow(), staged, compression="zstd", write_page_checksum=True)
        synced(staged)
        staged.rename(path)
        synced(path.parent)

    ours, peer = alternating(lambda: writer.commit(frame, NO_TALLY), bare, rounds)
    told(f"commit of {ROWS:,} events, {columns} columns", ours, "bare write and fsync", peer)


def synced(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def scans(root: Path) -> None:
    """One collect over 300 parts of different columns, beside a collect a part."""
    writer = PartWriter(StoreFolder.open(root / "s", create=True), now=lambda: START)
    rng = random.Random(2)
    frame = events(ROWS, 68)
    always = frame.columns[:8]
    parts: list[Part] = []
    for _ in range(300):
        attributes = rng.sample(frame.columns[8:], 8)
        typed = {0: pl.Float64, 1: pl.String}.get(len(parts) % 3, pl.Int64)
        part = frame.select(*always, *attributes).with_columns(pl.col("tokens").cast(typed))
        parts += writer.commit(part, NO_TALLY)
    wanted = ["event_name", "tokens", "a010", "a020"]

    def ours() -> int:
        return counted(scan(parts, wanted, None))

    def peer() -> int:
        frames = [
            pl.read_parquet(part.path, columns=[c for c in wanted if c in part.columns])
            .cast({"tokens": pl.String})
            .with_columns(pl.lit(n, pl.UInt32).alias(PART))
            for n, part in enumerate(parts)
        ]
        return counted(pl.concat(frames, how="diagonal").lazy())

    assert ours() == peer() == 300
    told("scan of 300 parts", *interleaved(ours, "a read a part", peer, 7))

    (large,) = writer.commit(events(250_000, 8), NO_TALLY)
    minute = TimeSpan(START + timedelta(minutes=30), START + timedelta(minutes=31))
    cut = interleaved(
        lambda: scan([large], frame.columns[:8], minute).collect(),
        "all of it",
        lambda: scan([large], frame.columns[:8], None).collect(),
        7,
    )
    told("a minute of a part of 250,000 events", *cut)


def counted(frame: pl.LazyFrame) -> int:
    return frame.group_by(PART).agg(pl.all().count()).collect().height


def catalogs(root: Path) -> None:
    """Ten thousand parts: names, footers, and what one more part costs."""
    folder = StoreFolder.open(root / "s", create=True)
    writer = PartWriter(folder, now=lambda: START)
    frame = events(5, 20)
    (model,) = writer.commit(frame, NO_TALLY)
    paths = [copied(model, frame, number).path for number in range(1, PARTS)]
    catalog = Catalog(folder)
    first = seconds(catalog.snapshot)
    assert len(catalog.snapshot().parts) == PARTS
    footers = seconds(lambda: [pq.read_metadata(path) for path in paths[:1_000]]) * PARTS / 1_000
    told(f"first snapshot of {PARTS:,} parts", first, "pyarrow.read_metadata of each", footers)
    day = model.path.parent
    listing = median(seconds(lambda: os.listdir(day)) for _ in range(9))  # noqa: PTH208

    def live() -> tuple[float, float]:
        writer.commit(frame, NO_TALLY)
        return seconds(catalog.generation), seconds(catalog.snapshot)

    polls, refreshes = zip(*(live() for _ in range(15)), strict=True)
    told("generation after a commit", median(polls), "os.listdir", listing)
    told("snapshot after a commit", median(refreshes), "os.listdir", listing)
    time.sleep(3)
    catalog.generation()
    quiet = median(seconds(catalog.generation) for _ in range(50))
    told("generation, nothing new", quiet, "os.listdir", listing)


def copied(model: Part, frame: pl.DataFrame, number: int) -> Part:
    path = model.path.with_name(f"0-copies-{number}.parquet")
    part = replace(model, writer="copies", sequence=number, path=path)
    assert path.parent.name == folder_of(part.date)
    path.write_bytes(encoded(frame, part))
    return part


def seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def alternating(
    ours: Callable[[], object], peer: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Medians of both, taken in turns, so that other load on the machine meets both."""
    pairs = [(seconds(ours), seconds(peer)) for _ in range(rounds + 1)][1:]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def interleaved(
    ours: Callable[[], object], name: str, peer: Callable[[], object], rounds: int
) -> tuple[float, str, float]:
    mine, theirs = alternating(ours, peer, rounds)
    return mine, name, theirs


def told(what: str, ours: float, name: str, peer: float) -> None:
    print(
        f"{what:<42}{ours * 1e3:9.2f} ms   {name:<30}{peer * 1e3:9.2f} ms"
        f"   ratio {ours / peer:5.2f}"
    )


if __name__ == "__main__":
    main()
