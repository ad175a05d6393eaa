"""A store of 1, 10 and 100 million events: memory of those who serve it, and refresh as it grows.

Run it with `python -m tests.benches.bench_memory [FOLDER] [SIZE…]`; stores in FOLDER are made once
and used again (100 million events are 1.7 GB). For each size a dashboard's process asks what the
Overview asks, cold and then after every 10,000 new events; beside it runs a collector that has the
same store. Memory is what is resident, and the most that ever was, of the processes with all their
children. A folder `memory-SIZE` may be a store that was maintained (`bench_cold` makes such ones).
The refresh of a size is compared with that of the smallest.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from store.allocator import give_freed_memory_back

SIZES = (1_000_000, 10_000_000, 100_000_000)
COMMIT = 200_000
NEW_EVENTS = 10_000
REFRESHES = 12
BOUND_MIB = 350
REST_SECONDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        sizes = [int(size) for size in sys.argv[2:]] or SIZES
        first = None
        for size in sizes:
            folder = root / f"memory-{size}"
            if not folder.exists():
                from tests.benches import bench_refresh

                bench_refresh.fill(folder, size, min(COMMIT, size // 20))
            collector = collector_memory(folder)
            told = asked_apart(folder, size)
            first = first or told
            both = {name: told[name] + collector[name] for name in collector}
            print(
                f"{size:>11,} events: cold {told['cold']:7.0f} ms; refresh {told['wall']:4.0f} ms (cpu "
                f"{told['cpu']:3.0f}), ratio {told['wall'] / first['wall']:.2f} (cpu "
                f"{told['cpu'] / first['cpu']:.2f}); resident {told['resident']:.0f} MiB (most "
                f"{told['most']:.0f}) + collector {collector['resident']:.0f} (most "
                f"{collector['most']:.0f}) = {both['resident']:.0f} of {BOUND_MIB}; each page once "
                f"{told['share']:.0f} + {collector['share']:.0f} = {both['share']:.0f}",
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
    give_freed_memory_back()
    import tui.app  # noqa: F401 - what a dashboard has in memory beside its answers
    from store.event_store import EventStore
    from tests.benches.overview import START, STORED, questions

    now = START + STORED
    store = EventStore(folder, now=lambda: now)
    cold = timed(lambda: store.run_all(questions(now)))
    refreshes: list[tuple[float, float]] = []
    for _ in committing(folder, size):
        now += timedelta(seconds=1)
        asked = questions(now)
        refreshes.append(timed(lambda asked=asked: store.run_all(asked)))
    wall, cpu = (statistics.median(column) for column in zip(*refreshes, strict=True))
    time.sleep(REST_SECONDS)
    return {"cold": cold[0], "wall": wall, "cpu": cpu, **memory(Path("/proc/self"))}


def committing(folder: Path, size: int) -> Iterator[str]:
    """Comes back after each commit of a process beside, which takes them away in the end."""
    command = [sys.executable, "-m", "tests.benches.bench_memory", "--commits"]
    with subprocess.Popen(
        [*command, str(folder), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for told in writer.stdout:
            yield told
            writer.stdin.write("\n")
            writer.stdin.flush()


def commits(folder: Path, size: int) -> None:
    """In a process of its own: a dashboard has no writer in memory."""
    from store.parts.layout import StoreFolder
    from store.parts.writer import PartWriter
    from store.testing import FrozenClock
    from tests.benches import bench_refresh
    from tests.benches.overview import START, STORED

    clock = FrozenClock(START + STORED)
    writer = PartWriter(StoreFolder.open(folder), now=clock)
    try:
        for at in range(REFRESHES):
            clock.advance(timedelta(seconds=1))
            first, length = size * 10 + at * NEW_EVENTS, timedelta(seconds=1)
            made = bench_refresh.new_events(first, NEW_EVENTS, clock(), length)
            writer.commit(made, bench_refresh.tally(made))
            print(at, flush=True)
            sys.stdin.readline()
    finally:
        for part in folder.glob(f"events/*/*-{writer.writer}-*"):
            part.unlink()


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds, by the clock and of both cores."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return (time.perf_counter() - wall) * 1_000, (time.process_time() - cpu) * 1_000


def collector_memory(folder: Path) -> dict[str, float]:
    """MiB of a collector that serves the store, with its children, some seconds after its start."""
    command = [sys.executable, "-m", "tui.cli", "--store", str(folder), "collect", "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        assert "listening" in running.stdout.readline()
        time.sleep(REST_SECONDS)
        found = [memory(process) for process in family(running.pid)]
        return {name: sum(each[name] for each in found) for name in found[0]}
    finally:
        running.terminate()
        running.wait()


def family(process: int) -> list[Path]:
    """The process and all that it started."""
    folder = Path(f"/proc/{process}")
    children = (folder / "task" / str(process) / "children").read_text().split()
    return [folder, *(each for child in children for each in family(int(child)))]


def memory(process: Path) -> dict[str, float]:
    """MiB: `resident`, `most` that ever was, and `share`: what is resident, but of pages that other
    processes have as well only its part, so that shares add up.
    """
    lines = (process / "status").read_text() + (process / "smaps_rollup").read_text()
    found = dict(re.findall(r"^(\w+):\s+(\d+) kB$", lines, re.MULTILINE))
    named = {"resident": "VmRSS", "most": "VmHWM", "share": "Pss"}
    return {name: int(found[field]) / 1024 for name, field in named.items()}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--dashboard"]:
        print(json.dumps(dashboard(Path(sys.argv[2]), int(sys.argv[3]))))
    elif sys.argv[1:2] == ["--commits"]:
        commits(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
