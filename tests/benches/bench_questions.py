"""Twelve questions on ten million events: eventdeck, DuckDB and chDB, cold, over the same parts.

Run it with `python -m tests.benches.bench_questions [FOLDER] [ROUNDS] [WORD…]`; the store in
FOLDER is made when it is missing, words choose questions by their titles. Needs the extra `bench`.

Each question is asked in a process of its own, so nothing is kept from another one: no partials,
no rollups, no metadata. `answer` is the time from the question to its rows as Python values, in a
process that has imported its modules and is connected (ours: has answered about an empty store);
listing and footers of the store are part of it. `cpu` is the processor time of the same, of all
threads: it tells more on a machine that does other things as well. `process` is from the start of
Python to its end. The engines take turns; the table shows the best of the rounds, and the median of
the answers. The system keeps the files in memory, for all alike.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.benches.questions import OURS, Rows

SIZE = 10_000_000
ROUNDS = 5
ENGINES = ("eventdeck", "duckdb", "chdb")
EXACTLY = {
    "percentiles by name, buckets": ("percentiles by name, exact", 0.01),
    "distinct users per hour": ("distinct users per hour, exact", 0.1),
}
"""What our estimates are held against, and how far they may be from it: the promise of the buckets,
and three deviations. The peers' estimates are theirs to promise."""
ROUNDED = 1e-9
"""Sums of floats depend on their order."""


class Times(NamedTuple):
    """Seconds."""

    answer: float
    cpu: float
    process: float


class Ratios(NamedTuple):
    """Our best time by that of the better peer."""

    answer: float
    cpu: float


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch) / "questions"
        rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
        words = sys.argv[3:]
        if not folder.exists():
            from tests.benches import shop

            shop.fill(folder, SIZE)
        engines = "".join(f"{engine:>16}" for engine in ENGINES)
        print(f"{'answer, ms (median)':32}{engines}  ratio   cpu, ms         ratio  process, s")
        ratios = [
            compared(title, folder, rounds)
            for title in OURS
            if not words or any(word in title for word in words)
        ]
        for name, column in zip(Ratios._fields, zip(*ratios, strict=True), strict=True):
            mean = math.exp(statistics.fmean(map(math.log, column)))
            ahead = sum(ratio < 1 for ratio in column)
            print(
                f"{name}: geometric mean of the ratios {mean:.2f}, ahead in {ahead} of {len(column)}"
            )


def compared(title: str, folder: Path, rounds: int) -> Ratios:
    """Prints a row of the table."""
    times: dict[str, list[Times]] = {engine: [] for engine in ENGINES}
    answers: dict[str, Rows] = {}
    for _ in range(rounds):
        for engine in ENGINES:
            taken, answers[engine] = apart(engine, title, folder)
            times[engine].append(taken)
    check(title, folder, answers)
    best = [Times(*map(min, zip(*times[engine], strict=True))) for engine in ENGINES]
    medians = [statistics.median(each.answer for each in times[engine]) for engine in ENGINES]
    ours, *peers = best
    ratios = Ratios(
        ours.answer / min(peer.answer for peer in peers), ours.cpu / min(peer.cpu for peer in peers)
    )
    answered = "".join(
        f"{each.answer * 1e3:8.0f} ({median * 1e3:5.0f})"
        for each, median in zip(best, medians, strict=True)
    )
    cpu = " ".join(f"{each.cpu * 1e3:5.0f}" for each in best)
    process = " ".join(f"{each.process:.1f}" for each in best)
    told = f"{ratios.answer:5.2f}  {cpu}  {ratios.cpu:5.2f}  {process}"
    print(f"{title:32}{answered}  {told}", flush=True)
    return ratios


def check(title: str, folder: Path, answers: Mapping[str, Rows]) -> None:
    """Ends the bench when the answers are not the same."""
    ours = answers[ENGINES[0]]
    if title in EXACTLY:
        exact, tolerance = EXACTLY[title]
        others = {"the exact answer": apart("duckdb", exact, folder)[1]}
    else:
        tolerance, others = ROUNDED, {peer: answers[peer] for peer in ENGINES[1:]}
    for name, rows in others.items():
        if fault := difference(ours, rows, tolerance):
            sys.exit(f"{title}: eventdeck and {name} differ: {fault}")


def apart(engine: str, title: str, folder: Path) -> tuple[Times, Rows]:
    """Asks in a fresh process."""
    command = [sys.executable, "-m", "tests.benches.bench_questions", "--one"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, engine, title, str(folder)], capture_output=True, text=True, check=False
    )
    process = time.perf_counter() - start
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout)
    return Times(found["seconds"], found["cpu"], process), found["rows"]


def difference(ours: list[Any], theirs: list[Any], tolerance: float) -> str:
    """Where two answers differ; "" when they do not."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows and {len(theirs)}"
    for one, other in zip(_in_order(ours), _in_order(theirs), strict=True):
        same = (
            math.isclose(a, b, rel_tol=tolerance) if isinstance(a, float | int) and b else a == b
            for a, b in zip(one, other, strict=True)
        )
        if not all(same):
            return f"{one} and {other}"
    return ""


def _in_order(rows: list[Any]) -> list[Any]:
    """By their keys: texts and whole numbers come before what is measured."""
    return sorted(rows, key=lambda row: [str(value) for value in row])


def asker(engine: str, folder: Path) -> Callable[[str], Rows]:
    """Imports and connects."""
    if engine != "eventdeck":
        from tests.benches import peers

        return peers.ENGINES[engine](folder)
    from store.event_store import EventStore

    nothing = EventStore(folder / "nothing")
    for title in ("count per minute by name", "percentiles by name, buckets"):
        OURS[title](nothing)
    return lambda title: OURS[title](EventStore(folder))


def one(engine: str, title: str, folder: Path) -> None:
    """In the process of its own: asks, and prints the time and the rows."""
    ask = asker(engine, folder)
    start, cpu = time.perf_counter(), time.process_time()
    rows = ask(title)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu, "rows": rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
