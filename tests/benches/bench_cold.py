"""The first Overview of a process: imports, footers, rollups, events at the ragged ends, answers.
Seconds of processor time, which waver less than those of the clock on a busy machine.

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
from datetime import timedelta
from pathlib import Path

from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.maintenance.rollups import Rollups
from store.maintenance.volumes import BoundVolumes
from store.parts.layout import StoreFolder
from store.settings import Settings
from store.testing import FrozenClock
from tests.benches import bench_refresh
from tests.benches.overview import START, STORED

RAGGED = timedelta(minutes=37, seconds=13)
"""No edge of the span falls on an hour, a quarter or five minutes."""
NOW = START + STORED - RAGGED
RUNS = 5
COMMIT = 200_000
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Where it is set, Python compiles our modules in every process, and those of the peer in none."""


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2] if len(sys.argv) > 2 else temporary) / f"maintained-{size}"
        if not folder.exists():
            made(folder, size)
        bare = seconds("import textual.app, polars")
        rolled = seconds(_child(folder))
        events = seconds(_child(folder, rollups=False), runs=1)
    print(
        f"{size:,} events: first Overview {rolled:.2f} s, a bare import {bare:.2f} s, "
        f"ratio {rolled / bare:.2f}; without rollups {events:.2f} s, ratio {rolled / events:.2f}"
    )


def made(folder: Path, size: int) -> None:
    """A store as the collector and its maintainer leave it."""
    bench_refresh.fill(folder, size, COMMIT)
    clock = FrozenClock(START + STORED)
    settings = Settings(store=folder)
    with Maintainer(StoreFolder.open(folder), settings, now=clock) as maintainer:
        for job in (Compaction(), Rollups(), BoundVolumes()):
            started = time.perf_counter()
            maintainer.round([job])
            print(f"{job.name}: {time.perf_counter() - started:.0f} s", flush=True)


def seconds(code: str, runs: int = RUNS) -> float:
    """The median time of a fresh process that runs the code, all of whose modules are compiled, as
    an installation leaves them.
    """
    compiled = {name: text for name, text in os.environ.items() if name != NO_BYTECODE}
    subprocess.run([sys.executable, "-c", code], check=True, env=compiled)
    found = []
    for _ in range(runs):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, env=compiled)
        after = os.times()
        user, system = after.children_user, after.children_system
        found.append(user + system - before.children_user - before.children_system)
    return statistics.median(found)


def _child(folder: Path, *, rollups: bool = True) -> str:
    plain = "" if rollups else "store._catalog._with_rollups = lambda found: found"
    return f"""
import textual.app, datetime, pathlib
from store.event_store import EventStore
from tests.benches.overview import questions
now = datetime.datetime.fromisoformat({NOW.isoformat()!r})
store = EventStore(pathlib.Path({str(folder)!r}), now=lambda: now)
{plain}
store.run_all(questions(now))
"""


if __name__ == "__main__":
    main()
