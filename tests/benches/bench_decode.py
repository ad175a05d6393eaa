"""NDJSON bodies to masked events, exactly, against Polars reading the same bytes inexactly.

`python -m tests.benches.bench_decode`. Batches of 1,000 events, processor time; the best of
many rounds in turns. The peer is pl.read_ndjson: it rounds mixed numbers, keeps times as text,
and neither checks, fills in, flattens nor masks.
"""

import io
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from store.collector.processors.mask import Mask
from store.event import EventIds
from store.normalise import Arrival, decode_json
from store.settings import Limits
from tests.benches.bench_intake import event

BATCH = 1_000
BATCHES = 10
ROUNDS = 40


def bodies(kind: str) -> list[bytes]:
    chance = random.Random(1)
    made = []
    for start in range(0, BATCH * BATCHES, BATCH):
        events = [event(chance, start + n) for n in range(BATCH)]
        if kind == "nested":
            events = [{"properties": each, "event_name": each["event_name"]} for each in events]
        if kind == "20 shapes":
            events = [each | {f"a{n % 20}": "x", f"b{n % 20}": n} for n, each in enumerate(events)]
        made.append("\n".join(map(json.dumps, events)).encode())
    return made


def microseconds(step: Callable[[bytes], object], given: list[bytes]) -> float:
    """An event's share of the processor time."""
    started = time.process_time()
    for body in given:
        step(body)
    return (time.process_time() - started) / BATCH / BATCHES * 1e6


def main() -> None:
    mask = Mask()
    arrival = Arrival(datetime.now(UTC), "native", EventIds(time.time), Limits())
    for kind in ("flat", "nested", "20 shapes"):
        given = bodies(kind)
        ours = peer = float("inf")
        for _ in range(ROUNDS):
            ours = min(ours, microseconds(lambda b: mask(decode_json(b, arrival).events), given))
            peer = min(peer, microseconds(lambda b: pl.read_ndjson(io.BytesIO(b)), given))
        print(f"{kind}: {ours:.2f} us an event, pl.read_ndjson {peer:.2f}: {ours / peer:.2f} of it")


if __name__ == "__main__":
    main()
