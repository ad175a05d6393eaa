"""Writes events into a store until it is ended: ROOT EVENTS_A_SECOND COMMITS_A_SECOND."""

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED
from store.tally import Tally

NAMES = ("page_view", "db.query", "http.server.request", "tool_use", "render_frame", "search")


def events(size, made, chance):
    now = datetime.now(UTC)
    return pl.DataFrame(
        {
            "event_id": [f"live-{made + n}" for n in range(size)],
            "event_time": [now - timedelta(microseconds=n * 3) for n in range(size)][::-1],
            "event_type": ["span"] * size,
            "event_name": chance.choices(NAMES, (9, 7, 5, 3, 2, 1), k=size),
            "severity": chance.choices((9, 13, 17), (97, 2, 1), k=size),
            "user_id": [f"u{chance.randrange(300)}" for _ in range(size)],
            "duration_ms": [chance.lognormvariate(3, 1) for _ in range(size)],
        },
        schema_overrides={"event_time": FIXED["event_time"], "severity": FIXED["severity"]},
    )


def main():
    root, rate, commits = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    writer = PartWriter(StoreFolder.open(root), now=lambda: datetime.now(UTC))
    chance = random.Random(7)
    size = max(1, rate // commits)
    begun = time.monotonic()
    number = 0
    while True:
        writer.commit(events(size, number * size, chance), Tally())
        number += 1
        time.sleep(max(0.0, begun + number / commits - time.monotonic()))


if __name__ == "__main__":
    main()
