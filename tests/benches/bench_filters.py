"""A filter against the same condition written by hand in Polars, over two million events.

Run it with `python -m tests.benches.bench_filters`.
"""

import time
from collections.abc import Callable

import polars as pl

from store.analytics.filters import parse_filter

ROWS = 2_000_000
ROUNDS = 5
CASES = {
    "service_name=api": pl.col("service_name") == "api",
    "severity>=warning duration_ms>100": (pl.col("severity") >= 13) & (pl.col("duration_ms") > 100),
    "plan=pro,team -service_name=web": pl.col("plan").is_in(["pro", "team"])
    & (pl.col("service_name") != "web"),
    "message~DENIED": pl.col("message").str.to_lowercase().str.contains("denied", literal=True),
    "eacces": pl.any_horizontal(
        pl.col(name).str.to_lowercase().str.contains("eacces", literal=True)
        for name in ("message", "service_name", "plan")
    ),
}


def main() -> None:
    events = sample()
    for text, by_hand in CASES.items():
        ours = parse_filter(text).expr(events.schema)
        assert events.filter(ours).equals(events.filter(by_hand)), text
        mine, peer = best(lambda e=ours: events.select(e)), best(lambda e=by_hand: events.select(e))
        print(f"{text:36} {mine:7.2f} ms, by hand {peer:7.2f} ms, ratio {mine / peer:.2f}")
    started = time.perf_counter()
    for _ in range(1_000):
        parse_filter("severity>=warning (plan=pro or plan=team) -user_id=ada message~denied")
    print(f"reading a filter {(time.perf_counter() - started) * 1_000:.0f} µs")


def best(run: Callable[[], object]) -> float:
    """Milliseconds of the fastest of some rounds."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1_000)
    return min(times)


def sample() -> pl.DataFrame:
    at = pl.int_range(ROWS)
    return pl.select(
        severity=pl.when(at % 7 == 0).then(17).when(at % 3 == 0).then(9).cast(pl.UInt8),
        service_name=pl.when(at % 2 == 0).then(pl.lit("api")).otherwise(pl.lit("web")),
        duration_ms=(at % 1_000).cast(pl.Float64),
        plan=pl.when(at % 5 == 0).then(pl.lit("pro")).when(at % 5 == 1).then(pl.lit("free")),
        message=pl.when(at % 50 == 0)
        .then(pl.lit("EACCES: permission denied, open /var/lib/x/"))
        .otherwise(pl.lit("request done: /api/items/"))
        + at.cast(pl.String),
    )


if __name__ == "__main__":
    main()
