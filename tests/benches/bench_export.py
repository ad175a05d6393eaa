"""What an export costs, beside DuckDB's COPY of the same parts: `python -m tests.benches.bench_export
[EVENTS]`. Time and the most memory, each in a process of its own.
"""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import polars as pl

from store.event_store import EventStore
from store.exporter import export_file
from store.testing import NOON, write

EVENTS = 1_000_000
PART_EVENTS = 50_000
FORMATS = {"ndjson": "JSON", "csv": "CSV", "parquet": "PARQUET"}


def fill(folder: Path, count: int) -> None:
    """One day, in parts that overlap in time."""
    for start in range(0, count, PART_EVENTS):
        row = pl.int_range(start, min(start + PART_EVENTS, count), eager=True)
        noise = (row * 2_654_435_761) % 86_400_000
        write(
            folder,
            pl.DataFrame(
                {
                    "event_id": "e" + row.cast(pl.String).str.zfill(12),
                    "event_time": pl.Series([NOON]).new_from_index(0, len(row))
                    - timedelta(hours=12)
                    + noise.cast(pl.Duration("ms")),
                    "event_type": pl.Series(["span"]).new_from_index(0, len(row)),
                    "event_name": "route/" + (row % 50).cast(pl.String),
                    "user_id": "user-" + (noise % 10_000).cast(pl.String),
                    "message": "request " + noise.cast(pl.String) + " done",
                    "duration_ms": noise / 1_000,
                    "http.status_code": 200 + row % 5,
                }
            ),
        )


def ours(folder: Path, target: Path, _kind: str) -> None:
    export_file(target, store=EventStore(folder))


def duckdb(folder: Path, target: Path, kind: str) -> None:
    import duckdb

    parts = folder / "events" / "*" / "*.parquet"
    query = (
        f"SELECT * FROM read_parquet('{parts}', union_by_name=true) ORDER BY event_time, event_id"
    )
    duckdb.sql(f"COPY ({query}) TO '{target}' (FORMAT {kind})")


def measured(who: str, folder: Path, target: Path, kind: str) -> tuple[float, float]:
    """Seconds and MB, with the interpreter and all imports."""
    words = [
        sys.executable,
        "-m",
        "tests.benches.bench_export",
        who,
        str(folder),
        str(target),
        kind,
    ]
    found = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return float(found[0]), float(found[1])


def alone(who: str, folder: str, target: str, kind: str) -> None:
    started = time.perf_counter()
    {"ours": ours, "duckdb": duckdb}[who](Path(folder), Path(target), kind)
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000)


def main(count: int = EVENTS) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        fill(folder, count)
        print(f"{count:,} events, {len(EventStore(folder).snapshot().parts)} parts")
        for suffix, kind in FORMATS.items():
            mine = measured("ours", folder, Path(name) / f"a.{suffix}", kind)
            peer = measured("duckdb", folder, Path(name) / f"b.{suffix}", kind)
            print(
                f"{suffix:8} {mine[0]:6.2f} s {mine[1]:6.0f} MB   duckdb {peer[0]:6.2f} s "
                f"{peer[1]:6.0f} MB   ratio {mine[0] / peer[0]:.2f}"
            )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        alone(*sys.argv[1:5])
    else:
        main(*map(int, sys.argv[1:]))
