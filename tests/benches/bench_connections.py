"""Many connections at once: 500 idle ones, and 50 that each send a batch of 100 events now and then.

    python -m tests.benches.bench_connections [SECONDS]

Each busy connection sends NDJSON once a second, at a moment of its own; told is how long the
answer took, which comes when the events are durable. The peer is the same with one connection
alone.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benches.bench_intake import COLLECTOR, ROOT, event

IDLE = 500
BUSY = 50
BATCH = 100
PERIOD_SECONDS = 1.0
HEAD = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    for idle, busy in ((0, 1), (IDLE, BUSY)):
        with tempfile.TemporaryDirectory() as scratch:
            took = measured(Path(scratch), idle, busy, seconds)
        print(
            f"{idle:3} idle, {busy:2} busy: {len(took):5} batches of {BATCH}   "
            f"p50 {at(took, 0.5):6.1f} ms   p99 {at(took, 0.99):6.1f} ms   max {took[-1]:6.1f} ms",
            flush=True,
        )
    print("wanted: a p99 of at most 50 ms")


def at(took: list[float], share: float) -> float:
    return took[min(len(took) - 1, int(share * len(took)))]


def measured(store: Path, idle: int, busy: int, seconds: float) -> list[float]:
    """Milliseconds of each batch, ascending."""
    collector = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, store], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = collector.stdout.readline().strip()
        port = int(url.rpartition(":")[2])
        return sorted(asyncio.run(crowd(port, idle, busy, seconds)))
    finally:
        collector.terminate()
        collector.wait()


async def crowd(port: int, idle: int, busy: int, seconds: float) -> list[float]:
    waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(idle)]
    took: list[float] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(sender(port, number, until, took) for number in range(busy)))
    for _, writer in waiting:
        writer.close()
    return took


async def sender(port: int, number: int, until: float, took: list[float]) -> None:
    chance = random.Random(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(chance.random() * PERIOD_SECONDS)
    while time.monotonic() < until:
        lines = [json.dumps(event(chance, place)) for place in range(BATCH)]
        body = "\n".join(lines).encode()
        begun = time.perf_counter()
        writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        length = int(answer.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        spent = time.perf_counter() - begun
        took.append(spent * 1000)
        await asyncio.sleep(max(0.0, PERIOD_SECONDS - spent))
    writer.close()


if __name__ == "__main__":
    main()
