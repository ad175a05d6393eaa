"""Twelve questions on ten million events: eventdeck, DuckDB and chDB, cold, over the same parts.

Run it with `python -m tests.benches.bench_questions [FOLDER] [ROUNDS] [WORD…]`; the store in
FOLDER is made when it is missing, words choose questions by their titles. Needs the extra `bench`.

Each question is asked in a process of its own, so nothing is kept from another one: no partials,
no rollups, no metadata. `answer` is the time from the question to its rows as Python values, in a
process that has imported its modules and is connected (ours: has answered about an empty store);
listing and footers of the store are part of it. `process` is from the start of Python to its end.
The engines take turns; the table shows the best of the rounds, and the medians. The system keeps
the files in memory, for all alike.
"""

import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
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
    answer: float
    process: float


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch) / "questions"
        rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
        words = sys.argv[3:]
        if not folder.exists():
            from tests.benches import shop

            shop.fill(folder, SIZE)
        print(
            f"{'answer, ms (median)':34} {'eventdeck':>14} {'duckdb':>14} {'chdb':>14}  ratio  process"
        )
        ratios = [
            compared(title, folder, rounds)
            for title in OURS
            if not words or any(word in title for word in words)
        ]
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        print(f"geometric mean of the ratios to the better peer: {mean:.2f}")


def compared(title: str, folder: Path, rounds: int) -> float:
    """Prints a row of the table; returns our best time by that of the better peer."""
    times: dict[str, list[Times]] = defaultdict(list)
    answers: dict[str, Rows] = {}
    for _ in range(rounds):
        for engine in ENGINES:
            taken, answers[engine] = apart(engine, title, folder)
            times[engine].append(taken)
    check(title, folder, answers)
    best = {engine: min(each.answer for each in found) for engine, found in times.items()}
    whole = {engine: min(each.process for each in found) for engine, found in times.items()}
    median = {e: statistics.median(each.answer for each in found) for e, found in times.items()}
    ratio = best["eventdeck"] / min(best["duckdb"], best["chdb"])
    cells = [f"{best[e] * 1e3:5.0f} ({median[e] * 1e3:5.0f})" for e in ENGINES]
    wholes = " ".join(f"{whole[e]:.2f}" for e in ENGINES)
    print(
        f"{title:34} {cells[0]:>14} {cells[1]:>14} {cells[2]:>14}  {ratio:5.2f}  {wholes}",
        flush=True,
    )
    return ratio


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
    return Times(found["seconds"], process), found["rows"]


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
    start = time.perf_counter()
    rows = ask(title)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
