"""The first Overview of a process: imports, footers, rollups, events at the ragged ends, answers.

Run it with `python -m tests.benches.bench_cold [EVENTS] [FOLDER]`; the store in FOLDER is made and
maintained once, and used again. The peers, in the same run: a bare import of textual and Polars, and
the same Overview without rollups.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from store.event_store import EventStore
from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.parts.layout import StoreFolder
from store.settings import Settings
from store.testing import FrozenClock
from tests.benches import bench_refresh

RAGGED = timedelta(minutes=37, seconds=13)
"""No edge of the span falls on an hour, a quarter or five minutes."""
NOW = bench_refresh.START + bench_refresh.STORED - RAGGED
RUNS = 5
COMMIT = 200_000


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2] if len(sys.argv) > 2 else temporary) / f"maintained-{size}"
        if not folder.exists():
            made(folder, size)
        bare = seconds("import textual.app, polars")
        rolled = seconds(_child(folder))
        events = seconds(_child(folder, "without"), runs=1)
    print(
        f"{size:,} events: first Overview {rolled:.2f} s, a bare import {bare:.2f} s, "
        f"ratio {rolled / bare:.2f}; without rollups {events:.2f} s, ratio {rolled / events:.2f}"
    )


def made(folder: Path, size: int) -> None:
    """A store as the collector and its maintainer leave it."""
    bench_refresh.fill(folder, size, COMMIT)
    clock = FrozenClock(bench_refresh.START + bench_refresh.STORED)
    settings = Settings(store=folder)
    with Maintainer(StoreFolder.open(folder), settings, now=clock) as maintainer:
        for job in (Compaction(), Rollups()):
            started = time.perf_counter()
            maintainer.round([job])
            print(f"{job.name}: {time.perf_counter() - started:.0f} s", flush=True)


def seconds(code: str, runs: int = RUNS) -> float:
    """The median time of a fresh process that runs the code."""
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
        found.append(time.perf_counter() - started)
    return statistics.median(found)


def _child(folder: Path, *how: str) -> str:
    arguments = ", ".join(map(repr, (str(folder), *how)))
    return f"from tests.benches.bench_cold import overview; overview({arguments})"


def overview(folder: str, *how: Sequence[str]) -> None:
    """What the child does."""
    store = EventStore(Path(folder), now=FrozenClock(NOW))
    if how:
        store._catalog._with_rollups = lambda found: found
    store.run_all(bench_refresh.questions(NOW))


if __name__ == "__main__":
    main()
