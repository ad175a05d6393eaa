"""Intake over HTTP, durable, against a bare loop over the same bytes.

    python -m tests.benches.bench_intake [EVENTS]

A collector process takes NDJSON in batches of 1,000 from 4 connections (raw sockets, in a process
of their own). The peer parses the same bytes with Polars, writes and fsyncs parts of the same
numbers of events, and does nothing else. Both run in turn, three times; the middle ratio counts.
"""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import polars as pl

BATCH = 1_000
CONNECTIONS = 4
ROUNDS = 3
ROOT = Path(__file__).parents[2]
COLLECTOR = """
import sys
from pathlib import Path
from store.collector.server import serve
from store.settings import OFF, CollectorSettings, Settings
settings = Settings(Path(sys.argv[1]), CollectorSettings(port=0, grpc_port=OFF, statsd_port=OFF))
serve(settings, announce=lambda listening: print(listening.http, flush=True))
"""


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        bodies = Path(scratch, "bodies")
        write_bodies(bodies, events // BATCH)
        for turn in range(ROUNDS):
            store = Path(scratch, f"store-{turn}")
            seconds, work, peak = collected(store, bodies)
            parts = part_sizes(store, events)
            bare, bare_work = bare_loop(Path(scratch, f"bare-{turn}"), bodies, parts)
            ratios.append(bare / seconds)
            print(
                f"collector {events / seconds:9,.0f}/s, {work:.2f} s of CPU, {len(parts)} parts, "
                f"{peak} MB   bare loop {events / bare:9,.0f}/s, {bare_work:.2f} s of CPU   "
                f"ratio {bare / seconds:.2f}",
                flush=True,
            )
    print(f"median ratio {statistics.median(ratios):.2f} (wanted: at least 0.5)")


def write_bodies(path: Path, count: int) -> None:
    """Length-prefixed NDJSON bodies of events such as a shop sends."""
    chance = random.Random(1)
    with path.open("wb") as file:
        for batch in range(count):
            lines = [json.dumps(event(chance, batch * BATCH + i)) for i in range(BATCH)]
            body = "\n".join(lines).encode()
            file.write(len(body).to_bytes(4, "little") + body)


def event(chance: random.Random, number: int) -> dict[str, object]:
    second = number // 1000
    return {
        "event_id": f"{chance.getrandbits(128):032x}",
        "event_time": f"2026-11-22T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{number % 1000:03}Z",
        "event_type": "behavioral",
        "event_name": chance.choice(("signup", "view", "cart", "pay", "search")),
        "user_id": f"user{chance.randrange(10_000)}",
        "session_id": f"s{chance.randrange(50_000)}",
        "duration_ms": round(chance.expovariate(0.01), 3),
        "plan": chance.choice(("free", "pro", "team")),
        "items": chance.randrange(10),
    }


def read_bodies(path: Path) -> list[bytes]:
    data, bodies, place = path.read_bytes(), [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "little")
        bodies.append(data[place + 4 : place + 4 + size])
        place += 4 + size
    return bodies


def collected(store: Path, bodies: Path) -> tuple[float, float, int]:
    """Seconds from the first byte sent to the last answer, seconds of CPU that the collector took
    for it, and its peak in MB.
    """
    collector = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, store], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = collector.stdout.readline().strip()
        before = cpu_seconds(collector.pid)
        sender = [sys.executable, "-m", "tests.benches.bench_intake", "--send", url, str(bodies)]
        done = subprocess.run(sender, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        with urllib.request.urlopen(f"{url}/v1/stats") as answer:
            helper = json.load(answer)["decoder_pid"]
        work = cpu_seconds(collector.pid) - before + (cpu_seconds(helper) if helper else 0)
        status = Path(f"/proc/{collector.pid}/status").read_text()
    finally:
        collector.terminate()
        collector.wait()
    peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
    return float(done.stdout), work, peak


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_all(url: str, path: str) -> None:
    """The load generator."""
    host, port = url.removeprefix("http://").split(":")
    head = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
    requests = [
        head + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in read_bodies(Path(path))
    ]
    shares = [requests[i::CONNECTIONS] for i in range(CONNECTIONS)]
    threads = [threading.Thread(target=send, args=(host, int(port), share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(time.perf_counter() - begun)


def send(host: str, port: int, requests: list[bytes]) -> None:
    """One connection: the next batch when the last one is acknowledged."""
    with socket.create_connection((host, port)) as connection:
        for request in requests:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(4096) or b"}"
            if b'"stored":1000,' not in answer:
                os.write(2, answer)
                os._exit(1)


def part_sizes(store: Path, events: int) -> list[int]:
    """Events of each part, in the order of their commits; all of them are there."""
    paths = sorted(
        store.glob("events/*/0-*.parquet"), key=lambda path: int(path.stem.split("-")[2])
    )
    sizes = [pl.scan_parquet(path).select(pl.len()).collect().item() for path in paths]
    assert sum(sizes) == events, f"{sum(sizes)} of {events} stored"
    return [size for size in sizes if size]


def bare_loop(folder: Path, bodies: Path, parts: list[int]) -> tuple[float, float]:
    """Seconds, and seconds of CPU, to parse, write and fsync the same without a collector."""
    folder.mkdir()
    batches = iter(read_bodies(bodies))
    begun, work = time.perf_counter(), time.process_time()
    for number, rows in enumerate(parts):
        body = b"\n".join(next(batches) for _ in range(rows // BATCH))
        staged = folder / f"{number}.staged"
        with staged.open("wb") as file:
            pl.read_ndjson(body).write_parquet(file)
            file.flush()
            os.fsync(file.fileno())
        staged.rename(folder / f"{number}.parquet")
    return time.perf_counter() - begun, time.process_time() - work


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        send_all(*sys.argv[2:])
    else:
        main()
