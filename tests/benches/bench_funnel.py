"""Funnels on ten million events: eventdeck, DuckDB and chDB, cold, over the same parts.

Run it with `python -m tests.benches.bench_funnel [FOLDER] [ROUNDS]`; the store in FOLDER is made
when it is missing. Needs the extra `bench`.

Each question is asked in a process of its own, as in `bench_questions`: `answer` is from the
question to its rows, `cpu` the processor time of all threads, `peak` the most memory of the
process. chDB's `strict_order` ends a run for good where ours may begin again, and DuckDB has no
words for it: that row tells times alone.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tests.benches.bench_questions import ENGINES, SIZE, difference
from tests.benches.questions import STEPS, WINDOW

ROUNDS = 3
TITLES: Final = ("four steps", "four steps by region", "four steps, strict")
_MICROS: Final = "toUnixTimestamp64Micro(event_time)"
_CONDITIONS: Final = ", ".join(f"event_name = '{step}'" for step in STEPS)
_NAMES: Final = ", ".join(f"'{step}'" for step in STEPS)
_W: Final = WINDOW // timedelta(microseconds=1)
_LEVELS: Final = ", ".join(f"countIf(level >= {at})" for at in range(1, len(STEPS) + 1))


def _reached(step: int) -> str:
    return f"""CASE WHEN name = '{STEPS[step]}' THEN max(s{step - 1}) OVER so_far END AS r{step},
        CASE WHEN t - r{step} <= {_W} THEN r{step} END AS s{step}"""


_COUNTS: Final = ", ".join(f"count(DISTINCT who) FILTER (s{at} IS NOT NULL)" for at in range(4))
_CHAINS: Final = f"""
    WITH e AS (
        SELECT subject_hash AS who, epoch_us(event_time) AS t, event_name AS name, region
        FROM {{events}} WHERE subject_hash IS NOT NULL AND event_name IN ({_NAMES})),
    a AS (SELECT *, CASE WHEN name = '{STEPS[0]}' THEN t END AS s0 FROM e),
    b AS (SELECT *, {_reached(1)} FROM a {{w}}), c AS (SELECT *, {_reached(2)} FROM b {{w}}),
    d AS (SELECT *, {_reached(3)} FROM c {{w}})""".replace(
    "{w}", "WINDOW so_far AS (PARTITION BY who ORDER BY t ROWS UNBOUNDED PRECEDING)"
)
DUCKDB: Final = {
    TITLES[0]: f"{_CHAINS} SELECT {_COUNTS} FROM d",
    TITLES[1]: f"""{_CHAINS}, f AS (SELECT who, arg_min(region, t) AS first FROM e GROUP BY who)
        SELECT first, {_COUNTS} FROM d JOIN f USING (who) GROUP BY first""",
}
_FOUND: Final = "{events} WHERE subject_hash IS NOT NULL"
CHDB: Final = {
    TITLES[0]: f"""SELECT {_LEVELS} FROM (
        SELECT windowFunnel({_W})(toUInt64({_MICROS}), {_CONDITIONS}) AS level
        FROM {_FOUND} AND event_name IN ({_NAMES}) GROUP BY subject_hash)""",
    TITLES[1]: f"""SELECT first, {_LEVELS} FROM (
        SELECT windowFunnel({_W})(toUInt64({_MICROS}), {_CONDITIONS}) AS level,
            argMin(region, event_time) AS first
        FROM {_FOUND} AND event_name IN ({_NAMES}) GROUP BY subject_hash) GROUP BY first""",
    TITLES[2]: f"""SELECT {_LEVELS} FROM (
        SELECT windowFunnel({_W}, 'strict_order')(toUInt64({_MICROS}), {_CONDITIONS}) AS level
        FROM {_FOUND} GROUP BY subject_hash)""",
}


def ours(folder: Path, title: str) -> list[tuple[Any, ...]]:
    """The rows as the peers give them."""
    from store.analytics.funnel.analysis import Funnel
    from store.event_store import EventStore

    by = ("region",) if title == TITLES[1] else ()
    order = "strict" if title == TITLES[2] else "ordered"
    found = EventStore(folder).run(Funnel(steps=STEPS, window=WINDOW, by=by, order=order)).result
    if by:
        return [(*g.key.values(), *(step.count for step in g.steps)) for g in found.groups]
    return [tuple(step.count for step in found.steps)]


def one(engine: str, title: str, folder: Path) -> None:
    """In the process of its own: asks, and prints what it took and the rows."""
    from tests.benches import peers

    if engine == "eventdeck":
        ours(folder / "nothing", title)
    else:
        peers.DUCKDB.update(DUCKDB)
        peers.CHDB.update(CHDB)
        ask = peers.ENGINES[engine](folder)
    start, cpu = time.perf_counter(), time.process_time()
    rows = ours(folder, title) if engine == "eventdeck" else ask(title)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "rows": rows}))


def apart(engine: str, title: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benches.bench_funnel", "--one", engine, title]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def compared(title: str, folder: Path, rounds: int) -> None:
    """Prints a row of the table."""
    engines = [e for e in ENGINES if e != "duckdb" or title in DUCKDB]
    found = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            found[engine].append(apart(engine, title, folder))
    best = {
        e: {k: min(f[k] for f in found[e]) for k in ("seconds", "cpu", "peak")} for e in engines
    }
    for peer in engines[1:]:
        fault = difference(found[engines[0]][0]["rows"], found[peer][0]["rows"], 1e-3)
        if fault and title != TITLES[2]:
            sys.exit(f"{title}: eventdeck and {peer} differ: {fault}")
    cells = "".join(
        f"{e:>11} {best[e]['seconds'] * 1e3:5.0f} {best[e]['cpu'] * 1e3:5.0f} {best[e]['peak']:5}"
        for e in engines
    )
    peer = min(best[e]["seconds"] for e in engines[1:])
    cpu = min(best[e]["cpu"] for e in engines[1:])
    ratios = best["eventdeck"]["seconds"] / peer, best["eventdeck"]["cpu"] / cpu
    print(f"{title:22}{cells}   ratio {ratios[0]:.2f}, of cpu {ratios[1]:.2f}", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch) / "questions"
        rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
        if not folder.exists():
            from tests.benches import shop

            shop.fill(folder, SIZE)
        print(f"{'':22}{'answer, cpu (ms), peak (MB)':>40}")
        for title in TITLES:
            compared(title, folder, rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
