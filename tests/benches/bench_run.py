"""`eventdeck run` against `cat` in the same place: bytes a second, the delay of a line, the start.

    python -m tests.benches.bench_run

The reader is this process, for both. Figures are the best of ROUNDS.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.collecting import collecting, settings
from tests.running import ROOT, command, environment, rows

MEGABYTES: Final = 400
ROUNDS: Final = 3
LINES: Final = 2_000
PLAIN: Final = b"2026-11-22 13:00:00,123 INFO shop.cart handled request in 12 ms for /cart/items\n"
EVENT: Final = (
    b'{"_e":1,"event":"handled","timestamp":"2026-11-22T13:00:00Z","route":"/cart","n":1}\n'
)
PROGRAM: Final = """
import os, sys
data = open(sys.argv[2], "rb").read()
for _ in range(int(sys.argv[1])):
    assert os.write(1, data) == len(data)
"""
PING: Final = """
import os, sys
for line in sys.stdin.buffer:
    os.write(1, line)
"""


def through(argv: Sequence[str], size: int, store: Path) -> float:
    """Megabytes a second from the first byte that comes out to the last."""
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, cwd=ROOT, env=environment(store)
    ) as process:
        assert process.stdout is not None
        buffer = bytearray(1024 * 1024)
        read: Callable[[bytearray], int] = process.stdout.raw.readinto  # type: ignore[attr-defined]
        got = read(buffer)
        begun = time.perf_counter()
        while got < size:
            got += read(buffer)
        ended = time.perf_counter()
        assert not read(buffer)
    assert process.returncode == 0
    return size / 1e6 / (ended - begun)


def delay_us(argv: Sequence[str], store: Path) -> float:
    """The median time from a line that goes in to the same line out."""
    pipe = subprocess.PIPE
    taken = []
    with subprocess.Popen(
        argv, stdin=pipe, stdout=pipe, cwd=ROOT, env=environment(store)
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(LINES):
            begun = time.perf_counter()
            process.stdin.write(PLAIN)
            process.stdin.flush()
            process.stdout.readline()
            taken.append(time.perf_counter() - begun)
        process.stdin.close()
    return statistics.median(taken[LINES // 10 :]) * 1e6


def start_ms(argv: Sequence[str], store: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, env=environment(store), check=True)
    return (time.perf_counter() - begun) * 1e3


def told(name: str, ours: float, peer: float, unit: str, *, low_is_good: bool = False) -> None:
    ratio = peer / ours if low_is_good else ours / peer
    print(f"{name:34} {ours:10,.1f} {unit}   cat {peer:10,.1f} {unit}   ratio {ratio:.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        store = Path(scratch) / "store"
        outputs = {
            "no event": PLAIN * 800,
            "one line in ten an event": (PLAIN * 9 + EVENT) * 80,
        }
        with collecting(settings(store)):
            for name, data in outputs.items():
                file = Path(scratch) / "data"
                file.write_bytes(data)
                megabytes = MEGABYTES if name == "no event" else 60
                pieces = megabytes * 10**6 // len(data)
                program = [sys.executable, "-c", PROGRAM, str(pieces), str(file)]
                piped = ["sh", "-c", '"$@" | cat', "sh", *program]
                best = [
                    max(through(argv, pieces * len(data), store) for _ in range(ROUNDS))
                    for argv in (command(*program), piped)
                ]
                told(f"passed through, {name}", *best, "MB/s")
            ping = [sys.executable, "-uc", PING]
            piped = ["sh", "-c", '"$@" | cat', "sh", *ping]
            best = [min(delay_us(a, store) for _ in range(ROUNDS)) for a in (command(*ping), piped)]
            told("delay of a line there and back", *best, "us", low_is_good=True)
            best = [
                min(start_ms(a, store) for _ in range(ROUNDS))
                for a in (command("true"), ["sh", "-c", "true | cat"])
            ]
            told("start, with a collector there", *best, "ms", low_is_good=True)
            stored = len(rows(store, "event_name"))
            print(f"{stored:,} events were stored meanwhile; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
