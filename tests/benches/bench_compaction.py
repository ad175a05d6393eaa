"""Compaction of one day of many events: time, peak memory, and the intake's rate during it.

    python -m tests.benches.bench_compaction [EVENTS] [--intake]

A day of EVENTS (10 million) in commits of 20,000 becomes parts of whole hours, by a process as the
collector starts it. The peers: DuckDB and Polars (streaming) sort the same files into one, without
a look at duplicates, tallies or seals. With `--intake`, the rate of a collector's intake while its
store is compacted over and over, beside the rate while nothing else runs.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.settings import Settings, settings_document
from store.tally import Receipt, Tally
from tests.benches import bench_intake
from tests.benches.shop import START, commits

COMMIT = 20_000
INTAKE_EVENTS = 400_000
PEERS = {
    "DuckDB": """
import duckdb, sys
duckdb.sql("SET preserve_insertion_order = false; SET memory_limit = '1GB'; SET temp_directory = '{out}.spill'")
duckdb.sql("COPY (SELECT * FROM read_parquet('{parts}', union_by_name = true, hive_partitioning = false)"
           " ORDER BY event_time, event_id) TO '{out}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 32768)")
""",
    "Polars": """
import polars as pl
(pl.scan_parquet('{parts}', missing_columns='insert', extra_columns='ignore', hive_partitioning=False)
 .sort('event_time', 'event_id').sink_parquet('{out}', row_group_size=32768))
""",
}
ROUND = """
import json, os, sys
from store.maintenance.__main__ import NICENESS
os.nice(NICENESS)
from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.parts.layout import StoreFolder
from store.settings import settings_from
settings = settings_from(json.load(sys.stdin), "standard input")
with Maintainer(StoreFolder.open(settings.store), settings) as maintainer:
    maintainer.round((Compaction(),))
"""


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    events = numbers[0] if numbers else 10_000_000
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch, "store")
        fill(store, events)
        if "--intake" in sys.argv:
            intake_beside(store, Path(scratch))
        else:
            compaction(store, events, Path(scratch))


def fill(store: Path, events: int) -> None:
    day = timedelta(days=1)
    writer = PartWriter(StoreFolder.open(store, create=True), now=lambda: START + day)
    for frame in commits(events, length=day, each=COMMIT):
        writer.commit(frame, Tally.of(Receipt(stored=frame.height), intake="bench"))


def compaction(store: Path, events: int, scratch: Path) -> None:
    before = Catalog(StoreFolder.open(store)).snapshot().parts
    size = sum(part.size_bytes for part in before)
    print(f"{events:,} events, {len(before):,} parts, {size / 1e6:.0f} MB", flush=True)
    own = scratch / "own"
    shutil.copytree(store, own, copy_function=os.link)
    seconds, work, peak = measured(*maintenance(own))
    after = Catalog(StoreFolder.open(own)).snapshot().parts
    say("eventdeck", events, seconds, work, peak, sum(part.size_bytes for part in after))
    print(f"now {len(after)} parts, {sum(part.rows for part in after):,} events", flush=True)
    parts = f"{store}/events/*/0-*.parquet"
    for name, program in PEERS.items():
        out = scratch / f"{name}.parquet"
        run = [sys.executable, "-c", program.format(parts=parts, out=out)]
        say(name, events, *measured(run), out.stat().st_size if out.exists() else 0)
        out.unlink(missing_ok=True)


def say(name: str, events: int, seconds: float, work: float, peak: int, size: int) -> None:
    print(
        f"{name:10} {seconds:6.1f} s, {work:6.1f} s of CPU ({events / work / 1e6:.2f} M/s), "
        f"peak {peak} MB, {size / 1e6:.0f} MB on disk",
        flush=True,
    )


def maintenance(store: Path) -> tuple[list[str], bytes]:
    """A process as the collector starts it, but for the other jobs; its standard input."""
    document = json.dumps(settings_document(Settings(store=store))).encode()
    return [sys.executable, "-c", ROUND], document


def measured(run: list[str], given: bytes = b"") -> tuple[float, float, int]:
    """Seconds, seconds of CPU, and the peak of resident memory in MB."""
    begun = time.perf_counter()
    one_thread = {"POLARS_MAX_THREADS": "1"} if given else {}
    with subprocess.Popen(
        run, cwd=bench_intake.ROOT, stdin=subprocess.PIPE, env=os.environ | one_thread
    ) as process:
        process.stdin.write(given)
        process.stdin.close()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    work = usage.ru_utime + usage.ru_stime
    return time.perf_counter() - begun, work, usage.ru_maxrss // 1024


def intake_beside(store: Path, scratch: Path) -> None:
    bodies = scratch / "bodies"
    bench_intake.write_bodies(bodies, INTAKE_EVENTS // bench_intake.BATCH)
    rates = {True: [], False: []}
    for turn in range(6):
        is_beside = turn % 2 == 1
        stop = threading.Event()
        compacting = threading.Thread(target=compact_for_ever, args=(store, scratch, stop))
        if is_beside:
            compacting.start()
            time.sleep(2)
        seconds, _, _ = bench_intake.collected(scratch / f"intake-{turn}", bodies)
        rates[is_beside].append(INTAKE_EVENTS / seconds)
        stop.set()
        if is_beside:
            compacting.join()
    alone, beside = sorted(rates[False])[1], sorted(rates[True])[1]
    print(
        f"intake {alone:,.0f}/s alone, {beside:,.0f}/s beside a compaction: ratio "
        f"{beside / alone:.2f} (wanted: at least 0.8)"
    )


def compact_for_ever(store: Path, scratch: Path, stop: threading.Event) -> None:
    """The same day again and again, from its commits on."""
    while not stop.is_set():
        copy = scratch / "copy"
        shutil.copytree(store, copy, copy_function=os.link)
        run, given = maintenance(copy)
        one_thread = os.environ | {"POLARS_MAX_THREADS": "1"}
        with subprocess.Popen(
            run, cwd=bench_intake.ROOT, stdin=subprocess.PIPE, env=one_thread
        ) as process:
            process.stdin.write(given)
            process.stdin.close()
            while process.poll() is None:
                if stop.wait(0.1):
                    process.terminate()
        shutil.rmtree(copy)


if __name__ == "__main__":
    main()
