"""Sessions, paths and percentiles by two keys on ten million events, cold: eventdeck, DuckDB, chDB.

Run it with `python -m tests.benches.bench_journeys [FOLDER] [ROUNDS]`; the store in FOLDER is that of
bench_questions, made when it is missing. Needs the extra `bench`. As there, each question is asked in
a process of its own, `cpu` is the processor time of all threads, the engines take turns, and the best
of the rounds is shown. `peak` is the resident memory of the process at its most.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

SIZE = 10_000_000
ROUNDS = 3
ENGINES = ("eventdeck", "duckdb", "chdb")
GAP = timedelta(minutes=30)
MICROS = GAP // timedelta(microseconds=1)
FAR = 1e-4
"""Events of one instant come in any order at the peers; these differ in a few of a million edges."""
END = "… end"
DEPTH = 4

DUCKDB = {
    "sessions by gap": f"""
        WITH e AS (
            SELECT event_time AS t, epoch_us(t) - epoch_us(lag(t) OVER w) AS gap FROM {{events}}
            WHERE subject_hash IS NOT NULL WINDOW w AS (PARTITION BY subject_hash ORDER BY event_time))
        SELECT count(*) FILTER (gap IS NULL OR gap > {MICROS}),
            sum(gap) FILTER (gap <= {MICROS})::BIGINT / 1e6 FROM e""",
    "sessions in six numbers": f"""
        WITH e AS (
            SELECT subject_hash AS who, event_time AS t, severity >= 17 AS err,
                coalesce(epoch_us(t) - epoch_us(lag(t) OVER w) > {MICROS}, true)::INT AS new
            FROM {{events}} WHERE subject_hash IS NOT NULL
            WINDOW w AS (PARTITION BY subject_hash ORDER BY event_time)),
        n AS (SELECT *, sum(new) OVER (PARTITION BY who ORDER BY t ROWS UNBOUNDED PRECEDING) AS s FROM e),
        g AS (
            SELECT (epoch_us(max(t)) - epoch_us(min(t))) / 1e6 AS long, count(*) AS n,
                count(*) FILTER (err) AS errs FROM n GROUP BY who, s)
        SELECT unnest(range(6)), unnest([count(*), avg(long), median(long) FILTER (n > 1), avg(n),
            count(*) FILTER (errs > 0), count(*) FILTER (n = 1)]) FROM g""",
    "paths of four edges": f"""
        WITH e AS (
            SELECT subject_hash AS who, event_time AS t, event_name AS n,
                coalesce(epoch_us(t) - epoch_us(lag(t) OVER w) > {MICROS}, true)::INT AS new
            FROM {{events}} WHERE subject_hash IS NOT NULL
            WINDOW w AS (PARTITION BY subject_hash ORDER BY event_time)),
        s AS (SELECT *, sum(new) OVER (PARTITION BY who ORDER BY t ROWS UNBOUNDED PRECEDING) AS s FROM e),
        c AS (SELECT *, lag(n) OVER (PARTITION BY who, s ORDER BY t) AS before FROM s),
        d AS (SELECT who, s, t, n FROM c WHERE before IS DISTINCT FROM n),
        f AS (
            SELECT n, row_number() OVER w AS depth, lead(n) OVER w AS next FROM d
            WINDOW w AS (PARTITION BY who, s ORDER BY t))
        SELECT depth, n, coalesce(next, '{END}'), count(*) FROM f WHERE depth <= {DEPTH} GROUP BY ALL""",
    "percentiles by two keys": """
        SELECT event_name, region, q[1], q[2], q[3] FROM (
            SELECT event_name, region, approx_quantile(duration_ms, [0.5, 0.95, 0.99]) AS q
            FROM {events} WHERE duration_ms IS NOT NULL GROUP BY 1, 2)""",
}
_TIME = "toUnixTimestamp64Micro(event_time)"
CHDB = {
    "sessions by gap": f"""
        SELECT sum(1 + arrayCount(gap -> gap > {MICROS}, gaps)),
            sum(arraySum(gap -> if(gap > {MICROS}, 0, gap), gaps)) / 1e6
        FROM (
            SELECT arrayPopFront(arrayDifference(arraySort(groupArray({_TIME})))) AS gaps
            FROM {{events}} WHERE subject_hash IS NOT NULL GROUP BY subject_hash)""",
    "sessions in six numbers": f"""
        SELECT arrayJoin(arrayZip(range(6), [count(), avg(long),
            quantileExactInclusiveIf(0.5)(long, n > 1), avg(n), countIf(errs > 0), countIf(n = 1)])
            ) AS row, row.1, row.2
        FROM (
            SELECT length(s) AS n, (intDiv(s[-1], 2) - intDiv(s[1], 2)) / 1e6 AS long,
                arraySum(arrayMap(e -> e % 2, s)) AS errs
            FROM (
                SELECT arrayJoin(arraySplit(
                    (e, gap) -> gap > {2 * MICROS} + 1, es, arrayDifference(es))) AS s
                FROM (
                    SELECT arraySort(groupArray(
                        {_TIME} * 2 + (ifNull(severity, 0) >= 17))) AS es
                    FROM {{events}} WHERE subject_hash IS NOT NULL GROUP BY subject_hash)))""",
    "paths of four edges": f"""
        SELECT edge.1 AS depth, edge.2 AS n, edge.3 AS next, count() FROM (
            SELECT arrayCompact(arrayMap(e -> e.2, arrayJoin(arraySplit(
                (e, gap) -> gap > {MICROS}, es, arrayDifference(arrayMap(e -> e.1, es)))))) AS nodes,
                arraySlice(arrayPushBack(nodes, '{END}'), 1, {DEPTH + 1}) AS shown,
                arrayJoin(arrayMap((a, b, i) -> (i, a, b), arrayPopBack(shown), arrayPopFront(shown),
                    arrayEnumerate(arrayPopBack(shown)))) AS edge
            FROM (
                SELECT arraySort(groupArray(({_TIME}, event_name))) AS es FROM {{events}}
                WHERE subject_hash IS NOT NULL GROUP BY subject_hash))
        GROUP BY depth, n, next""",
    "percentiles by two keys": """
        SELECT event_name, region, q[1], q[2], q[3] FROM (
            SELECT event_name, region, quantilesDD(0.01, 0.5, 0.95, 0.99)(duration_ms) AS q
            FROM {events} WHERE duration_ms IS NOT NULL GROUP BY event_name, region)""",
}


class Times(NamedTuple):
    """Seconds, and MiB."""

    answer: float
    cpu: float
    peak: float


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch) / "questions"
        rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
        if not folder.exists():
            from tests.benches import shop

            shop.fill(folder, SIZE)
        print(
            f"{'cpu, s; answer, s; peak, MiB':28}{''.join(f'{each:>24}' for each in ENGINES)}  ratio"
        )
        for title in DUCKDB:
            compared(title, folder, rounds)


def compared(title: str, folder: Path, rounds: int) -> None:
    """Prints a row of the table; ends the bench when the answers are not the same."""
    times: dict[str, list[Times]] = {engine: [] for engine in ENGINES}
    answers: dict[str, list[Any]] = {}
    for _ in range(rounds):
        for engine in ENGINES:
            taken, answers[engine] = apart(engine, title, folder)
            times[engine].append(taken)
    for peer in ENGINES[1:]:
        if title != "percentiles by two keys" and not alike(answers[ENGINES[0]], answers[peer]):
            sys.exit(f"{title}: eventdeck and {peer} differ")
    best = [Times(*map(min, zip(*times[engine], strict=True))) for engine in ENGINES]
    shown = "".join(f"{each.cpu:10.2f}{each.answer:7.2f}{each.peak:7.0f}" for each in best)
    print(f"{title:28}{shown}  {best[0].cpu / min(each.cpu for each in best[1:]):.2f}", flush=True)


def alike(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether the numbers are the same, but for ties."""
    one, other = (
        {tuple(row[-len(ours[0]) : -1]): row[-1] for row in rows} for rows in (ours, theirs)
    )
    off = sum(abs(one.get(key, 0) - other.get(key, 0)) for key in {*one, *other})
    return bool(off <= FAR * sum(map(abs, other.values())))


def apart(engine: str, title: str, folder: Path) -> tuple[Times, list[Any]]:
    """Asks in a fresh process."""
    command = [sys.executable, "-m", "tests.benches.bench_journeys", "--one"]
    done = subprocess.run(
        [*command, engine, title, str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    found = json.loads(done.stdout)
    return Times(*found["times"]), found["rows"]


def asker(engine: str, folder: Path) -> Callable[[str], list[Any]]:
    """Imports and connects."""
    if engine == "eventdeck":
        from store.event_store import EventStore

        nothing = EventStore(folder / "nothing")
        for ask in OURS.values():
            ask(nothing)
        return lambda title: OURS[title](EventStore(folder))
    from tests.benches import peers

    queries = DUCKDB if engine == "duckdb" else CHDB
    return peers.ENGINES[engine](folder, queries)


def sessions(store: Any) -> list[Any]:
    from store.analytics.sessions.analysis import Sessions

    told = store.run(Sessions(ignore_session_id=True, link=False)).result.summary
    return [(told["sessions"], (told["mean_seconds"] or 0) * told["sessions"])]


def summary(store: Any) -> list[Any]:
    from store.analytics.sessions.analysis import Sessions

    told = store.run(Sessions(ignore_session_id=True, link=False)).result.summary
    return list(enumerate(told.values()))


def paths(store: Any) -> list[Any]:
    from store.analytics.paths.paths import Paths

    asked = Paths(ignore_session_id=True, link=False, depth=DEPTH + 1, limit=100)
    rows = [row.values for row in store.run(asked).result.rows]
    return [
        (row["depth"], row["from"], row["to"], row["count"])
        for row in rows
        if row["depth"] <= DEPTH
    ]


def percentiles(store: Any) -> list[Any]:
    from store.analytics.percentiles import Percentiles

    rows = store.run(Percentiles(by=("event_name", "region"), limit=1000)).result.rows
    return [
        (*row.key.values(), *(row.values[name] for name in ("p50", "p95", "p99"))) for row in rows
    ]


OURS: Mapping[str, Callable[[Any], list[Any]]] = {
    "sessions by gap": sessions,
    "sessions in six numbers": summary,
    "paths of four edges": paths,
    "percentiles by two keys": percentiles,
}


def one(engine: str, title: str, folder: Path) -> None:
    """In the process of its own: asks, and prints the time and the rows."""
    ask = asker(engine, folder)
    start, cpu = time.perf_counter(), time.process_time()
    rows = ask(title)
    taken = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"times": [*taken, peak], "rows": rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
