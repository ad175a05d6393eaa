"""Bytes on disk of a million events: eventdeck's parts, a DuckDB file, a MergeTree of chDB.

Run it with `python -m tests.benches.bench_bytes`. The peers hold the very rows that our parts hold,
sorted by time as ours are, with the types of our columns and the peers' own compression; the
MergeTree is merged into one part per date, DuckDB has written its checkpoint. Needs the extra
`bench`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = 1_000_000
TYPES = {
    "String": "Nullable(String)",
    "Float64": "Nullable(Float64)",
    "Int64": "Nullable(Int64)",
    "UInt64": "Nullable(UInt64)",
    "UInt8": "Nullable(UInt8)",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        # In processes of their own: DuckDB and chDB do not share one gladly.
        sizes = {engine: measured(engine, scratch) for engine in ENGINES}
    for engine, size in sizes.items():
        ratio = f", ours is {sizes['ours'] / size:.2f} of it" if engine != "ours" else ""
        print(f"{engine:8} {size / SIZE:6.1f} bytes an event{ratio}")


def measured(engine: str, scratch: str) -> int:
    command = [sys.executable, "-m", "tests.benches.bench_bytes", engine, scratch]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def ours(root: Path) -> int:
    from tests.benches import shop

    shop.fill(root / "ours", SIZE)
    return sum(file.stat().st_size for file in root.glob("ours/events/*/*"))


def duckdb(root: Path) -> int:
    import duckdb

    file = root / "events.duckdb"
    connection = duckdb.connect(str(file))
    parts = f"read_parquet('{root}/ours/events/*/*.parquet', union_by_name = true)"
    connection.execute(f"CREATE TABLE events AS SELECT * FROM {parts} ORDER BY event_time")
    connection.execute("CHECKPOINT")
    connection.close()
    return file.stat().st_size


def chdb(root: Path) -> int:
    import chdb
    import polars as pl

    files = sorted((root / "ours" / "events").glob("*/*.parquet"))
    schema = pl.read_parquet_schema(max(files, key=lambda file: file.stat().st_size))
    given = {"event_time": "DateTime64(6)", "received_time": "DateTime64(6)", "event_id": "String"}
    columns = ", ".join(
        f"`{name}` {given.get(name) or TYPES[str(kind)]}" for name, kind in schema.items()
    )
    connection = chdb.connect(str(root / "chdb"))
    connection.query(
        f"CREATE TABLE events ({columns}) ENGINE = MergeTree PARTITION BY toDate(event_time) "
        "ORDER BY (event_time, event_id)"
    )
    structure = columns.replace("'", "\\'")
    connection.query(
        f"INSERT INTO events SELECT * FROM file('{root}/ours/events/*/*.parquet', Parquet, "
        f"'{structure}')"
    )
    connection.query("OPTIMIZE TABLE events FINAL")
    # What was merged stays on disk for minutes; only what counts is to be measured.
    counts = "SELECT sum(bytes_on_disk) FROM system.parts WHERE table = 'events' AND active"
    return int(str(connection.query(counts, "CSV")))


ENGINES = {"ours": ours, "duckdb": duckdb, "chdb": chdb}

if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(ENGINES[sys.argv[1]](Path(sys.argv[2])))
    else:
        main()
