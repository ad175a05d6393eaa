"""Seeded telemetry of a web shop: what benches ask questions about.

Skewed names, users and pages; durations with a long tail; four services, errors, prices; ids as
programs make them (UUIDv7). The same numbers give the same events.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import xxhash

from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Receipt, Tally

START = datetime(2026, 11, 20, tzinfo=UTC)
LENGTH = timedelta(days=2)
COMMIT = 150_000
USERS = 200_000
PAGES = 300_000
SERVICES = ("web", "api", "checkout", "worker")
REGIONS = ("eu-west-1", "us-east-1", "us-west-2", "ap-south-1", "sa-east-1")
NAMES = {  # name: how frequent, service, median of duration_ms (0: it has none)
    "render_frame": (200, "web", 16.0),
    "page_view": (110, "web", 0.0),
    "http.server.request": (96, "api", 12.0),
    "db.query": (58, "api", 3.0),
    "tool_use": (41, "worker", 800.0),
    "product_viewed": (36, "web", 0.0),
    "llm_request": (18, "worker", 2_400.0),
    "token_usage": (18, "worker", 0.0),
    "search": (16, "api", 45.0),
    "add_to_cart": (12, "web", 0.0),
    "cache_miss": (9, "api", 1.0),
    "begin_checkout": (5, "checkout", 30.0),
    "session_start": (4, "web", 0.0),
    "purchase": (2, "checkout", 220.0),
    "signup": (1, "web", 0.0),
    "tool_error": (0.8, "worker", 90.0),
    "deploy_finished": (0.01, "worker", 60_000.0),
}


def fill(folder: Path, size: int, *, length: timedelta = LENGTH) -> None:
    """A store of `size` events over `length`, written as a collector would."""
    writer = PartWriter(StoreFolder.open(folder, create=True), now=lambda: START + length)
    for events in commits(size, length=length):
        writer.commit(events, Tally.of(Receipt(stored=events.height), intake="bench"))


def commits(size: int, *, length: timedelta = LENGTH, each: int = COMMIT) -> Iterator[pl.DataFrame]:
    """The events in the order in which they came, so many at once."""
    for first in range(0, size, each):
        count = min(each, size - first)
        start = START + length * first / size
        yield made(first, count, start, length * count / size)


def made(seed: int, count: int, start: datetime, length: timedelta) -> pl.DataFrame:
    """`count` events within `length` from `start` on, a few seconds out of order."""
    rng = np.random.default_rng(seed)
    lateness = rng.exponential(2e6, count).astype(np.int64)
    steps = np.arange(count) * int(length / timedelta(microseconds=1)) // count
    since = int((start - START) / timedelta(microseconds=1))
    micros = np.maximum(since + steps - lateness, 0) + int(START.timestamp()) * 1_000_000
    name = _weighted(rng, count, [share for share, _, _ in NAMES.values()])
    user = _skewed(rng, count, USERS)
    anonymous = rng.random(count) < 0.1
    severe, price = rng.random(count), rng.lognormal(3.2, 0.9, count).round(2)
    is_sale = np.isin(name, [list(NAMES).index("add_to_cart"), list(NAMES).index("purchase")])
    median = np.array([each for _, _, each in NAMES.values()])[name]
    duration = (median * rng.lognormal(0, 0.9, count)).round(3)
    status = np.where(severe < 0.012, 500, np.where(severe < 0.05, 404, 200))
    is_call = np.isin(name, [list(NAMES).index("http.server.request"), list(NAMES).index("search")])
    page = _skewed(rng, count, PAGES)
    row = pl.DataFrame({"name": name, "user": user, "page": page}).with_columns(
        slot=pl.Series(micros // 3_600_000_000 // 2)
    )
    services = [service for _, service, _ in NAMES.values()]
    return row.select(
        event_id=_uuids(rng, micros),
        event_time=pl.Series(micros).cast(pl.Datetime("us", "UTC")),
        event_type=pl.lit("log"),
        event_name=_words(list(NAMES), name),
        received_time=pl.Series(micros + lateness).cast(pl.Datetime("us", "UTC")),
        severity=pl.Series(
            np.where(severe < 0.012, 17, np.where(severe < 0.05, 13, 9)), dtype=pl.UInt8
        ),
        service_name=_words(services, name),
        service_version=_words(["2.3.1", "2.4.0"], (micros > np.median(micros)).astype(int)),
        user_id=pl.when(pl.Series(~anonymous)).then(pl.format("user-{}", "user")),
        subject_hash=pl.when(pl.Series(~anonymous)).then(_subjects().gather(pl.col("user"))),
        session_id=pl.format("{}-{}", "user", "slot"),
        trace_id=pl.when(pl.Series(is_call)).then(pl.Series(_hex(rng.bytes(16 * count), 32))),
        duration_ms=pl.when(pl.Series(median > 0)).then(pl.Series(duration)),
        message=pl.when(pl.Series(severe < 0.012)).then(pl.lit("EACCES: permission denied")),
        amount=pl.when(pl.Series(is_sale)).then(pl.Series(price)),
        path=pl.format("/products/{}", "page"),
        region=_words(REGIONS, _weighted(rng, count, [5, 4, 2, 1, 1])),
        response_bytes=pl.when(pl.Series(is_call)).then(
            pl.Series(rng.lognormal(8, 1.4, count).astype(np.int64))
        ),
        status=pl.when(pl.Series(is_call)).then(pl.Series(status)),
    )


def _weighted(rng: np.random.Generator, count: int, weights: list[float]) -> np.ndarray:
    edges = np.cumsum(weights)
    return np.searchsorted(edges / edges[-1], rng.random(count), side="right")


def _skewed(rng: np.random.Generator, count: int, among: int) -> np.ndarray:
    """Numbers of which a few are frequent, and most are rare."""
    return ((rng.pareto(0.7, count) * 60).astype(np.int64) * 7_919) % among


def _words(words: list[str] | tuple[str, ...], places: np.ndarray) -> pl.Expr:
    return pl.lit(pl.Series(words)).gather(pl.lit(pl.Series(places)))


def _subjects() -> pl.Expr:
    hashes = [xxhash.xxh3_64_intdigest(f"user-{user}".encode()) for user in range(USERS)]
    return pl.lit(pl.Series(hashes, dtype=pl.UInt64))


def _uuids(rng: np.random.Generator, micros: np.ndarray) -> pl.Series:
    """UUIDv7s: 48 bits of milliseconds, 74 of chance."""
    halves = rng.integers(0, 2**64, (len(micros), 2), dtype=np.uint64)
    halves[:, 0] = (
        (micros.astype(np.uint64) // np.uint64(1_000) << np.uint64(16))
        | np.uint64(0x7000)
        | (halves[:, 0] & np.uint64(0xFFF))
    )
    halves[:, 1] = halves[:, 1] >> np.uint64(2) | np.uint64(1 << 63)
    digits = pl.Series(_hex(halves.astype(">u8").tobytes(), 32)).to_frame("d")
    starts = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    groups = [pl.col("d").str.slice(start, length) for start, length in starts]
    return digits.select(pl.concat_str(groups, separator="-")).to_series()


def _hex(data: bytes, digits: int) -> pa.Array:
    """The bytes as texts of so many hexadecimal digits each."""
    text = data.hex().encode()
    offsets = np.arange(0, len(text) + 1, digits, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.tobytes()), pa.py_buffer(text)
    )
