"""Retention, users a day and of seven days, and compare over ten million events: eventdeck, DuckDB and chDB, cold.

Run it with `python -m tests.benches.bench_cohorts [FOLDER] [ROUNDS] [WORD…]`; the stores in FOLDER
are made when they are missing (the wide one takes minutes), words choose questions by their titles.
Needs the extra `bench`.

As in bench_questions, each question is asked in a process of its own, and `cpu` tells more than
`answer` on a machine that does other things as well. `peak` is the most memory that the process
had, its modules included. The answers of the engines are checked against each other, but for
compare: there ours tests and ranks what the peers only count, and looks at a sample, and what is
checked is that it finds the two differences that are there.
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
from typing import Any

from tests.benches import shop, wide_shop

SIZE = 10_000_000
DAYS = 30
ENGINES = ("eventdeck", "duckdb", "chdb")
MONTH, WIDE = "month", "wide"
LENGTHS = {MONTH: timedelta(days=DAYS), WIDE: timedelta(days=2)}
LATE = 0.75
"""Where the last quarter of the wide store begins, which is what is compared."""
_FIRST = int(shop.START.timestamp()) // 86_400
_SPLIT = int((shop.START + LENGTHS[WIDE] * LATE).timestamp() * 1e6)
_NOBODY = "subject_hash IS NOT NULL"
_DUCK_DAY, _CH_DAY = "epoch_us(event_time) // 86400000000", "toUInt32(toDate(event_time))"
_CH_MICROS = "toUnixTimestamp64Micro(event_time)"

Ask = Callable[[Path], Any]


def retention_of_a_day(folder: Path) -> Any:
    from store.analytics.retention import Retention
    from store.timespan import TimeSpan

    day = TimeSpan(shop.START, shop.START + timedelta(days=1))
    query = Retention(span=day, periods=DAYS - 1, mode="recurring")
    (cohort, _) = _store(folder, MONTH).run(query).result.rows
    return [list(cohort.values["retained"])]


def retention_of_all_days(folder: Path) -> Any:
    from store.analytics.retention import Retention

    found = _store(folder, MONTH).run(Retention(periods=DAYS - 1)).result.rows
    return sorted(
        [start, k, users]
        for start, row in enumerate(found[:-1])
        for k, users in enumerate(row.values["retained"])
        if users
    )


def users_a_day(folder: Path) -> Any:
    from store.analytics.trends import Trends

    query = Trends(measures=("users",), interval=timedelta(days=1))
    return [list(_store(folder, MONTH).run(query).result.series[0].values)]


def users_of_seven_days(folder: Path) -> Any:
    from store.analytics.trends import Trends

    query = Trends(measures=("users",), rolling=timedelta(days=7))
    return [list(_store(folder, MONTH).run(query).result.series[0].values)]


def compare(folder: Path) -> Any:
    from store.analytics.compare import Compare
    from store.timespan import TimeSpan

    end = shop.START + LENGTHS[WIDE]
    late = TimeSpan(shop.START + LENGTHS[WIDE] * LATE, end)
    query = Compare(span=late, against="before", attributes=wide_shop.ATTRIBUTES)
    rows = _store(folder, WIDE).run(query).result.rows
    return [row.key["attribute"] for row in rows[:2]]


def _store(folder: Path, name: str) -> Any:
    from store.event_store import EventStore

    return EventStore(folder / name, now=lambda: shop.START + LENGTHS[name])


OURS: Mapping[str, Ask] = {
    "retention of a day over 30": retention_of_a_day,
    "retention of 30 days over 30": retention_of_all_days,
    "users a day": users_a_day,
    "users of 7 days, every day": users_of_seven_days,
    "compare over 30 attributes": compare,
}
STORES = dict(zip(OURS, (MONTH, MONTH, MONTH, MONTH, WIDE), strict=True))
_DAYS = f"""
    WITH active AS (SELECT DISTINCT subject_hash AS who, {{day}} - {_FIRST} AS day
        FROM {{events}} WHERE {_NOBODY}),
    born AS (SELECT who, min(day) AS start FROM active GROUP BY who)
    SELECT start, day - start AS k, count(*) FROM active JOIN born USING (who) GROUP BY ALL"""
_CODE = "CASE WHEN {0} > 0 THEN CAST(ceil(ln({0}) / ln(1.02)) AS INTEGER) END"
_BUCKETS = ", ".join(f"{_CODE.format(name)} AS c_{name}" for name in wide_shop.NUMBERS)
_SETS = (*wide_shop.WORDS, *(f"c_{name}" for name in wide_shop.NUMBERS))
_COUNTED = f"""
    SELECT {", ".join(_SETS)}, sum(late), sum(1 - late) FROM (
        SELECT {", ".join(wide_shop.WORDS)}, {_BUCKETS},
            CASE WHEN {{micros}} >= {_SPLIT} THEN 1 ELSE 0 END AS late FROM {{events}})
    GROUP BY GROUPING SETS ({", ".join(f"({name})" for name in _SETS)})"""
_ON_FIRST = ", ".join(f"{_CH_DAY} = {_FIRST + at}" for at in range(DAYS))
_DUCK_COHORT = f"""
    WITH active AS (SELECT DISTINCT subject_hash AS who, {_DUCK_DAY} - {_FIRST} AS day
        FROM {{events}} WHERE {_NOBODY})
    SELECT list(users ORDER BY day) FROM (
        SELECT day, count(*) AS users FROM active
        WHERE who IN (SELECT who FROM active WHERE day = 0) GROUP BY day)"""
DUCKDB = {
    "retention of a day over 30": _DUCK_COHORT,
    "retention of 30 days over 30": _DAYS.replace("{day}", _DUCK_DAY),
    "users a day": f"""
        SELECT list(users ORDER BY day) FROM (
            SELECT {_DUCK_DAY} AS day, approx_count_distinct(subject_hash) AS users FROM {{events}}
            GROUP BY 1)""",
    "users of 7 days, every day": f"""
        WITH active AS (SELECT DISTINCT {_DUCK_DAY} AS day, subject_hash AS who FROM {{events}}),
        days AS (SELECT DISTINCT day FROM active)
        SELECT list(users ORDER BY day) FROM (
            SELECT days.day, approx_count_distinct(who) AS users FROM days
            JOIN active ON active.day BETWEEN days.day - 6 AND days.day GROUP BY 1)""",
    "compare over 30 attributes": _COUNTED.replace("{micros}", "epoch_us(event_time)"),
}
CHDB = {
    "retention of a day over 30": f"""
        SELECT sumForEach(days) FROM (
            SELECT retention({_ON_FIRST}) AS days FROM {{events}} WHERE {_NOBODY}
            GROUP BY subject_hash)""",
    "retention of 30 days over 30": _DAYS.replace("{day}", _CH_DAY).replace(
        "GROUP BY ALL", "GROUP BY start, k"
    ),
    "users a day": f"""
        SELECT groupArray(users) FROM (
            SELECT {_CH_DAY} AS day, uniqCombined(subject_hash) AS users FROM {{events}}
            GROUP BY day ORDER BY day)""",
    "users of 7 days, every day": f"""
        SELECT groupArray(users) FROM (
            SELECT uniqCombinedMerge(state) OVER (
                ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS users
            FROM (SELECT {_CH_DAY} AS day, uniqCombinedState(subject_hash) AS state
                FROM {{events}} GROUP BY day)
            ORDER BY day)""",
    "compare over 30 attributes": _COUNTED.replace("{micros}", _CH_MICROS),
}
COLUMNS = "".join(
    [f", {name} Nullable(String)" for name in wide_shop.WORDS]
    + [f", {name} Nullable(Float64)" for name in wide_shop.NUMBERS]
)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch)
        rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
        titles = [title for title in OURS if any(word in title for word in sys.argv[3:] or [""])]
        for name in dict.fromkeys(STORES[title] for title in titles):
            if not (folder / name).exists():
                made = shop.fill if name == MONTH else wide_shop.fill
                made(folder / name, SIZE, length=LENGTHS[name])
        head = "".join(f"{engine:>26}" for engine in ENGINES)
        print(f"{'answer s, cpu s, peak MiB':30}{head}   ratio of answer, of cpu")
        for title in titles:
            report(title, folder, rounds)


def report(title: str, folder: Path, rounds: int) -> None:
    """Prints the best of each engine, and ours by the better of the peers."""
    found: dict[str, list[Mapping[str, Any]]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine in ENGINES:
            found[engine].append(apart(engine, title, folder))
    check(title, {engine: each[0]["rows"] for engine, each in found.items()})
    best = [
        {name: min(each[name] for each in found[engine]) for name in ("seconds", "cpu", "peak")}
        for engine in ENGINES
    ]
    cells = "".join(f"{b['seconds']:12.2f} {b['cpu']:6.2f} {b['peak']:6.0f}" for b in best)
    ours, *peers = best
    ratios = [ours[name] / min(peer[name] for peer in peers) for name in ("seconds", "cpu")]
    print(f"{title:30}{cells}   {ratios[0]:.2f}  {ratios[1]:.2f}", flush=True)


def check(title: str, rows: Mapping[str, Any]) -> None:
    """Ends the bench when the answers are not the same."""
    ours = rows["eventdeck"]
    if title.startswith("compare"):
        if set(ours) != {"kind_3", "number_2"}:
            sys.exit(f"{title}: found {ours}")
        return
    for peer in ENGINES[1:]:
        theirs = rows[peer]
        if title.startswith("users"):
            pairs = zip(ours[0], theirs[0], strict=True)
            same = all(abs(one - other) < 0.15 * other for one, other in pairs)
        elif title.startswith("retention of a day"):
            same = ours[0] == list(theirs[0][0])
        else:
            same = ours == sorted(map(list, theirs))
        if not same:
            sys.exit(f"{title}: eventdeck and {peer} differ: {str(ours)[:300]} {str(theirs)[:300]}")


def apart(engine: str, title: str, folder: Path) -> Mapping[str, Any]:
    """Asks in a fresh process."""
    command = [sys.executable, "-m", "tests.benches.bench_cohorts", "--one", engine, title]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def one(engine: str, title: str, folder: Path) -> None:
    """In the process of its own: asks, and prints the time, the memory and the rows."""
    ask = asker(engine, title, folder)
    start, cpu = time.perf_counter(), time.process_time()
    rows = ask(title)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    if title.startswith("compare") and engine != "eventdeck":
        rows = len(rows)
    if title.startswith("users") and engine != "eventdeck":
        rows = [list(rows[0][0])]
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "rows": rows}))


def asker(engine: str, title: str, folder: Path) -> Callable[[str], Any]:
    """Imports and connects."""
    from tests.benches import peers

    if engine == "duckdb":
        return peers.duckdb(folder / STORES[title], DUCKDB)
    if engine == "chdb":
        return peers.chdb(folder / STORES[title], CHDB, COLUMNS if STORES[title] == WIDE else "")
    from store.analytics.reach import Reach
    from store.event_store import EventStore

    EventStore(folder / "nothing").run(Reach())
    return lambda title: OURS[title](folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
