"""A store of 1, 10 and 100 million events: memory of those who serve it, and refresh as it grows.

Run it with `python -m tests.benches.bench_memory [FOLDER] [SIZE…]`; stores in FOLDER are made once
and used again (100 million events are 1.7 GB). For each size a dashboard's process asks what the
Overview asks, cold and then after every 10,000 new events; beside it runs a collector that has the
same store. Memory is what is resident, and the most that ever was, of the processes with all their
children. The refresh of a size is compared with that of the smallest.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.benches import bench_refresh
from tests.benches.bench_refresh import START, STORED

SIZES = (1_000_000, 10_000_000, 100_000_000)
COMMIT = 200_000
NEW_EVENTS = 10_000
REFRESHES = 12
BOUND_MIB = 350


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        sizes = [int(size) for size in sys.argv[2:]] or SIZES
        first = None
        for size in sizes:
            folder = root / f"memory-{size}"
            if not folder.exists():
                bench_refresh.fill(folder, size, min(COMMIT, size // 20))
            collector = collector_memory(folder)
            told = asked_apart(folder, size)
            first = first or told
            resident = told["resident"] + collector
            print(
                f"{size:>11,} events: cold {told['cold']:7.0f} ms; refresh {told['wall']:4.0f} ms (cpu "
                f"{told['cpu']:3.0f}), ratio {told['wall'] / first['wall']:.2f} (cpu "
                f"{told['cpu'] / first['cpu']:.2f}); resident {told['resident']:.0f} MiB (most "
                f"{told['most']:.0f}) + collector {collector:.0f} = {resident:.0f} of {BOUND_MIB}",
                flush=True,
            )


def asked_apart(folder: Path, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benches.bench_memory", "--dashboard"]
    done = subprocess.run(
        [*command, str(folder), str(size)], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def dashboard(folder: Path, size: int) -> dict[str, float]:
    """In the process of a dashboard: the cold answers, the refreshes, and its memory."""
    import tui.app  # noqa: F401 - what a dashboard has in memory beside its answers
    from store.event_store import EventStore
    from store.parts.layout import StoreFolder
    from store.parts.writer import PartWriter
    from store.testing import FrozenClock

    clock = FrozenClock(START + STORED)
    store = EventStore(folder, now=clock)
    cold = bench_refresh.timed(lambda: store.run_all(bench_refresh.questions(clock())))
    writer = PartWriter(StoreFolder.open(folder), now=clock)
    refreshes: list[Any] = []
    try:
        for at in range(REFRESHES):
            clock.advance(timedelta(seconds=1))
            first, length = size * 10 + at * NEW_EVENTS, timedelta(seconds=1)
            made = bench_refresh.new_events(first, NEW_EVENTS, clock(), length)
            writer.commit(made, bench_refresh.tally(made))
            questions = bench_refresh.questions(clock())
            refreshes.append(bench_refresh.timed(lambda asked=questions: store.run_all(asked)))
    finally:
        for part in folder.glob(f"events/*/*-{writer.writer}-*"):
            part.unlink()
    wall, cpu = (statistics.median(column) for column in zip(*refreshes, strict=True))
    resident, most = memory(Path("/proc/self"))
    return {"cold": cold.wall, "wall": wall, "cpu": cpu, "resident": resident, "most": most}


def collector_memory(folder: Path) -> float:
    """MiB of a collector that serves the store, with its children, some seconds after its start."""
    command = [sys.executable, "-m", "tui.cli", "--store", str(folder), "collect", "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        assert "listening" in running.stdout.readline()
        time.sleep(5)
        return sum(memory(process)[0] for process in family(running.pid))
    finally:
        running.terminate()
        running.wait()


def family(process: int) -> list[Path]:
    """The process and all that it started."""
    folder = Path(f"/proc/{process}")
    children = (folder / "task" / str(process) / "children").read_text().split()
    return [folder, *(each for child in children for each in family(int(child)))]


def memory(process: Path) -> tuple[float, float]:
    """Resident MiB: now, and at most."""
    lines = (process / "status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in lines)
    resident, most = (int(found[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return resident, most


if __name__ == "__main__":
    if sys.argv[1:2] == ["--dashboard"]:
        print(json.dumps(dashboard(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
