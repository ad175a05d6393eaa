"""The promise over a kill -9, at length: every acknowledged event is there once after a restart.

    python -m tests.benches.bench_kill [KILLS]

Four senders retry numbered batches, of sizes around those at which buffers fill, while the
collector is killed at random moments and started again. At the end, all ids in the parts are
compared with those acknowledged, the tally with their number, and the restarts are timed.
"""

import random
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from tests.collecting import Collecting, ndjson, read_answer, request, settings

SIZES = (1, 2, 100, 999, 1000, 1001, 3000)


class Sender(threading.Thread):
    """Sends until it is told to stop; each batch until it is acknowledged."""

    def __init__(self, name: str, port: dict[str, int], stop: threading.Event) -> None:
        super().__init__()
        self.prefix = name
        self.port = port
        self.stop = stop
        self.acknowledged: list[str] = []
        self.again = 0

    def run(self) -> None:
        chance = random.Random(self.prefix)
        number = 0
        while not self.stop.is_set():
            ids = [f"{self.prefix}-{number}-{row}" for row in range(chance.choice(SIZES))]
            events = ({"event_id": i, "event_name": "x", "event_time": "2026-11-22"} for i in ids)
            body = request("POST", "/v1/events", ndjson(*events))
            while not self.is_acknowledged(body):
                self.again += 1
                time.sleep(0.01)
            self.acknowledged += ids
            number += 1

    def is_acknowledged(self, body: bytes) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port["now"]), timeout=10) as link:
                link.sendall(body)
                return read_answer(link).status == 200
        except OSError:
            return False


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chance = random.Random(kills)
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch, "store")
        running, port, stop = Collecting(settings(store)), {"now": 0}, threading.Event()
        port["now"] = running.port
        senders = [Sender(name, port, stop) for name in "abcd"]
        for sender in senders:
            sender.start()
        restarts = []
        for _ in range(kills):
            time.sleep(chance.expovariate(4))
            running.stop(signal.SIGKILL)
            begun = time.monotonic()
            running = Collecting(settings(store))
            restarts.append(time.monotonic() - begun)
            port["now"] = running.port
        stop.set()
        for sender in senders:
            sender.join()
        tally = running.get("/v1/tally")
        running.stop()
        judge(store, senders, tally, restarts)


def judge(store: Path, senders: list[Sender], tally: dict, restarts: list[float]) -> None:
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    stored = scan(parts, ["event_id"], None).collect()["event_id"].to_list()
    wanted = [event_id for sender in senders for event_id in sender.acknowledged]
    lost = len(set(wanted) - set(stored))
    twice = len(stored) - len(set(stored))
    print(f"{len(restarts)} kills, {sum(sender.again for sender in senders)} batches sent again")
    print(
        f"{len(wanted):,} events acknowledged, {len(stored):,} stored: {lost} lost, {twice} twice"
    )
    print(
        f"tally: {tally['stored']:,} stored, {tally['duplicate']:,} duplicate; adds up: "
        f"{tally['received'] == sum(tally.get(f, 0) for f in ('stored', 'filtered', 'sampled_out', 'duplicate', 'rejected', 'dropped'))}"
    )
    restarts.sort()
    print(
        f"accepting again after {restarts[len(restarts) // 2]:.2f} s, {restarts[-1]:.2f} s at most"
    )
    assert lost == twice == 0
    assert tally["stored"] == len(stored) == len(wanted)


if __name__ == "__main__":
    main()
