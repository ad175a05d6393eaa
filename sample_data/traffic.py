"""Live traffic of the made-up world: `python -m sample_data.traffic http://127.0.0.1:4318`.

A shop and coding agents tell a collector what they do, through the client, about a hundred events
a second. With `--now` and `--seed` it goes on where `demo_history` ended. After a minute a
new version of `agent` comes, and one developer's tools fail.
"""

import argparse
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from sample_data.copies import BLOCK, block
from store.client import Client

TICK: Final = timedelta(milliseconds=250)
# After a sleep of the machine, what was missed longer ago stays untold.
CATCH_UP: Final = timedelta(minutes=1)


class Traffic:
    """Plays the blocks that begin around and after `now`, each event when it is told."""

    def __init__(self, now: datetime, seed: int) -> None:
        self._now = now
        self._seed = seed
        self._until = now
        self._next_block = -1
        self._waiting = pl.DataFrame()

    def due(self, instant: datetime) -> Iterator[dict[str, Any]]:
        """What is told from the last call up to `instant`; missing attributes are absent."""
        since = max(self._until, instant - CATCH_UP)
        self._load(since, instant)
        told = pl.col("received_time")
        rows = self._waiting.filter(told.is_between(since, instant, closed="left"))
        self._waiting = self._waiting.filter(told >= instant)
        self._until = instant
        return map(_present, rows.drop("received_time").iter_rows(named=True))

    def _load(self, since: datetime, instant: datetime) -> None:
        first = max(self._next_block, (since - self._now) // BLOCK - 1)
        last = (instant - self._now) // BLOCK
        for number in range(first, last + 1):
            raw = block(self._now, number, seed=self._seed)
            told = raw.with_columns(pl.col("event_time").dt.timestamp("us"))
            self._waiting = pl.concat([self._waiting, told], how="diagonal_relaxed").sort(
                "received_time"
            )
        self._next_block = max(self._next_block, last + 1)


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


def play(
    traffic: Traffic,
    client: Client,
    stop: threading.Event,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Records what is due, every TICK, until `stop` is set."""
    services = {name: client.with_context(service_name=name) for name in ("shop", "agent")}
    while not stop.wait(TICK.total_seconds()):
        for event in traffic.due(clock()):
            service = services[event.pop("service_name")]
            service.record(event.pop("event_type"), event.pop("event_name"), **event)


def main(arguments: list[str] | None = None) -> int:
    """Until standard input ends (`--attached`: the one who holds it has gone) or Ctrl+C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the collector's address")
    parser.add_argument("--now", type=datetime.fromisoformat, default=datetime.now(UTC))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--attached", action="store_true", help="end with standard input")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    if options.attached:
        threading.Thread(target=_wait_for_end, args=(stop,), daemon=True).start()
    with Client(url=options.url) as client:
        try:
            play(Traffic(options.now, options.seed), client, stop)
        except KeyboardInterrupt:
            return 0
    return 0


def _wait_for_end(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
