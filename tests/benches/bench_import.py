"""Import of scattered history: 300,000 rows over 4,000 hours, sorted by user, in one file.

`python -m tests.benches.bench_import [rows]`. The peer is the same rows sorted by time. Each is
imported into a store of its own, in turns; the best of three counts. Wanted: few parts (one a
date), and at least half of the peer's rate.
"""

import json
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.importer import import_files
from store.settings import Settings

HOURS = 4_000
START = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 3


def history(rows: int) -> list[dict[str, object]]:
    pick = random.Random(7)
    return [
        {
            "event_name": pick.choice(("page_view", "add_to_cart", "purchase")),
            "event_time": (START + timedelta(hours=pick.random() * HOURS)).isoformat(),
            "event_type": "behavioral",
            "user_id": f"u{pick.randrange(3_000):05}",
            "duration_ms": round(pick.expovariate(0.01), 3),
            "path": f"/shop/{pick.randrange(50)}",
            "status": pick.choice((200, 200, 404)),
        }
        for _ in range(rows)
    ]


def write(path: Path, rows: list[dict[str, object]], by: str) -> Path:
    ordered = sorted(rows, key=lambda row: str(row[by]))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ordered))
    return path


def imported(path: Path, rows: int) -> tuple[float, int]:
    """Rows a second, and the parts that they made."""
    with tempfile.TemporaryDirectory(dir=path.parent) as root:
        settings = Settings(store=Path(root) / "store")
        started = time.perf_counter()
        receipt = import_files([path], settings=settings)
        seconds = time.perf_counter() - started
        if receipt.stored != rows:
            raise RuntimeError(f"{receipt.stored:,} of {rows:,} rows were stored")
        return rows / seconds, sum(1 for _ in settings.store.rglob("*.parquet"))


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    with tempfile.TemporaryDirectory() as root:
        events = history(rows)
        files = {
            "sorted by user": write(Path(root) / "user.ndjson", events, "user_id"),
            "sorted by time": write(Path(root) / "time.ndjson", events, "event_time"),
        }
        rates = dict.fromkeys(files, 0.0)
        for _ in range(ROUNDS):
            for name, path in files.items():
                rate, parts = imported(path, rows)
                rates[name] = max(rates[name], rate)
                print(f"{name}: {rate:,.0f} rows/s, {parts} parts")
    scattered, ordered = rates.values()
    print(f"{rows:,} rows of {HOURS:,} hours: {scattered:,.0f} rows/s sorted by user,")
    print(f"{ordered:,.0f} rows/s sorted by time: {scattered / ordered:.2f} of it (wanted 0.5)")


if __name__ == "__main__":
    main()
