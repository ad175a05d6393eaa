"""A store under load whose processes are killed in turn, and what must hold after each kill.

Senders go on sending all the while, each batch until it is acknowledged. Victims are the
collector, the maintainer, the commands that maintain, and an import. They die at a random moment,
or at a named step (tests.mortal), the least tried first.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import polars as pl

from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.maintainer import LOCK_FILE
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock
from store.parts.scan import scan
from store.parts.writer import PartWriter
from store.settings import settings_document
from store.tally import Tally
from store.testing import events_of
from store.timespan import TimeSpan
from tests.collecting import ROOT, Collecting, ndjson, read_answer, request, settings

WRITE_SECONDS_MAX = 5.0
STEP_SECONDS = 5.0
"""A collector that has not come to its step by then dies where it stands."""
LIFE_SECONDS = 60.0
SIZES = (1, 2, 10, 100)
OLD_DAYS = 100
IMPORTED = 300


class Sender(threading.Thread):
    """Sends until it is told to stop; each batch until it is acknowledged."""

    def __init__(self, name: str, port: Callable[[], int], stop: threading.Event) -> None:
        super().__init__(name=name)
        self.port = port
        self.stop = stop
        self.acknowledged: list[str] = []
        self.again = 0
        self.batches = 0

    def run(self) -> None:
        chance = random.Random(self.name)
        while not self.stop.is_set():
            self.batches += 1
            ids = [f"{self.name}-{self.batches}-{row}" for row in range(chance.choice(SIZES))]
            while not is_acknowledged(ids, self.port()):
                self.again += 1
                time.sleep(0.02)
            self.acknowledged += ids
            time.sleep(chance.expovariate(8))


def is_acknowledged(ids: Sequence[str], port: int) -> bool:
    body = ndjson(*({"event_id": each, "event_name": "x"} for each in ids))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
            link.sendall(request("POST", "/v1/events", body))
            return read_answer(link).status == 200
    except OSError:
        return False


@dataclass
class Kills:
    """What died where, how often."""

    at: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: int = 0
    """Processes that were through before their death came."""
    seconds_to_write: list[float] = field(default_factory=list)
    """From a death to the next write that was accepted; a new collector's start is in it."""
    again: int = 0
    acknowledged: int = 0


class Battlefield:
    """Use it with `with`; `round` kills one victim and raises AssertionError if the store is hurt."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.store = folder / "store"
        self.kills = Kills()
        self._folder = folder
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._tried: Counter[tuple[str, str]] = Counter()
        self._unfinished: dict[Path, list[str]] = {}
        self._imported: list[str] = []
        self._old = 0
        self._died = 0.0
        self._catalog = Catalog(StoreFolder.open(self.store))
        self._collector = self._collecting()
        self._senders = [Sender(name, self._port, self._stop) for name in "abcd"]

    def __enter__(self) -> Self:
        for sender in self._senders:
            sender.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for sender in self._senders:
            sender.join()
        self._collector.stop(signal.SIGKILL)
        # A round that it had started goes on without it.
        assert FileLock(self.store / LOCK_FILE).acquire(patience_seconds=LIFE_SECONDS)
        self.kills.again = sum(sender.again for sender in self._senders)
        self.kills.acknowledged = self._acknowledged().len()

    def round(self, victim: str) -> None:
        """Kills `victim` once, under load; then all that was acknowledged is there once, and a new
        write is accepted in time.
        """
        step = self._next_step(victim)
        if victim == "collector":
            self._kill_collector(step)
        else:
            self._kill_command(victim, step)
        self._write_something()
        self.assert_whole()
        if victim == "expire":
            self._assert_old_ones_are_counted()

    def assert_whole(self) -> None:
        """Each acknowledged event can be read once, and no other one twice."""
        wanted = self._acknowledged()
        found = self._stored()
        lost = wanted.filter(~wanted.is_in(found.implode()))
        assert lost.is_empty(), f"{lost.len()} of {wanted.len()} events lost: {lost.head(5)}"
        twice = found.filter(found.is_duplicated())
        assert twice.is_empty(), f"{twice.n_unique()} events are there twice: {twice.head(5)}"

    def steps_of(self, victim: str) -> list[str]:
        """The steps that it has passed so far, in this battle."""
        file = self._orders(victim) / "steps"
        return sorted(set(file.read_text().splitlines())) if file.exists() else []

    def _next_step(self, victim: str) -> str | None:
        """The step at which it dies now; None is a random moment."""
        steps = self.steps_of(victim)
        if not steps or self._chance.random() < 0.2:
            return None
        fewest = min(self._tried[victim, step] for step in steps)
        step = self._chance.choice([s for s in steps if self._tried[victim, s] == fewest])
        self._tried[victim, step] += 1
        return step

    def _orders(self, victim: str) -> Path:
        folder = self._folder / victim
        folder.mkdir(exist_ok=True)
        return folder

    def _order(self, victim: str, step: str | None) -> None:
        death = self._orders(victim) / "death"
        death.unlink(missing_ok=True)
        if step:
            death.write_text(step)

    def _collecting(self) -> Collecting:
        self._order("collector", None)
        running = Collecting(settings(self.store), self._orders("collector"))
        # What it did to come up, it does not do again.
        (self._orders("collector") / "steps").unlink(missing_ok=True)
        return running

    def _port(self) -> int:
        return self._collector.port

    def _kill_collector(self, step: str | None) -> None:
        self._order("collector", step)
        seconds = STEP_SECONDS if step else self._chance.expovariate(5)
        self._await_death("collector", self._collector.process, step, seconds)
        self._collector.end()
        self._collector = self._collecting()

    def _kill_command(self, victim: str, step: str | None) -> None:
        """The first of its kind lives, and shows what steps there are."""
        known = bool(self.steps_of(victim))
        self._order(victim, step)
        process = self._start(VICTIMS[victim](self), self._orders(victim))
        seconds = self._chance.uniform(0.5, 1.5) if known and not step else LIFE_SECONDS
        self._await_death(victim, process, step, seconds)
        _assert_fine(process)

    def _start(self, command: "Command", orders: Path) -> "subprocess.Popen[bytes]":
        words, text = command
        run = [sys.executable, "-m", "tests.mortal", str(orders), *words]
        process = subprocess.Popen(
            run, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        assert process.stdin
        with process.stdin as pipe:
            pipe.write(text.encode())
        return process

    def _await_death(
        self, victim: str, process: "subprocess.Popen[bytes]", step: str | None, seconds: float
    ) -> None:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            step = None
        self._died = time.monotonic()
        if process.returncode == -signal.SIGKILL:
            self.kills.at[victim, step or "at random"] += 1
        else:
            self.kills.ended += 1

    def _write_something(self) -> None:
        begun = time.monotonic()
        while not is_acknowledged([f"probe-{begun}"], self._port()):
            assert time.monotonic() - begun < WRITE_SECONDS_MAX, "nothing is accepted any more"
            time.sleep(0.02)
        self.kills.seconds_to_write.append(time.monotonic() - self._died)

    def _acknowledged(self) -> pl.Series:
        sent = [each for sender in self._senders for each in tuple(sender.acknowledged)]
        return pl.Series([*sent, *self._imported], dtype=pl.String)

    def _stored(self) -> pl.Series:
        for _ in range(10):
            try:
                parts = self._catalog.snapshot().parts
                return scan(parts, ["event_id"], None).collect()["event_id"]
            except FileNotFoundError:
                continue
        raise AssertionError("parts vanish as soon as they are listed")

    def import_file(self) -> Path:
        """A file with history, scattered over days."""
        name = f"import-{len(self._unfinished)}"
        ids = [f"{name}-{row}" for row in range(IMPORTED)]
        events = (
            {"event_id": e, "event_name": "y", "event_time": _day(r)} for r, e in enumerate(ids)
        )
        path = self._folder / f"{name}.ndjson"
        path.write_bytes(ndjson(*events))
        self._unfinished[path] = ids
        return path

    def finish_imports(self) -> None:
        """All files again, in peace: what was left out is added, and nothing else."""
        process = self._start(importing(self, *self._unfinished), self._orders("in peace"))
        process.wait(LIFE_SECONDS)
        _assert_fine(process)
        self._imported = [each for ids in self._unfinished.values() for each in ids]
        self.assert_whole()

    def make_old(self) -> None:
        """Events that came in long ago: there is always something to expire."""
        then = datetime.now(UTC) - timedelta(days=OLD_DAYS)
        ids = [f"old-{self._old + row}" for row in range(50)]
        rows = [{"event_id": each, "event_time": then, "event_name": "old"} for each in ids]
        writer = PartWriter(StoreFolder.open(self.store), now=lambda: then)
        writer.commit(events_of(rows), Tally({"stored": len(rows)}))
        self._old += len(rows)

    def _assert_old_ones_are_counted(self) -> None:
        """What has expired is known by its rollups alone, and by each once."""
        ever = TimeSpan(datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1))
        told = EventStore(self.store).run(Trends(span=ever, events=("old",))).events_scanned
        assert told == self._old, f"{told:,} of {self._old:,} old events are counted"


def _day(row: int) -> str:
    return f"2026-01-{row % 7 + 1:02}T12:00:00Z"


def _assert_fine(process: "subprocess.Popen[bytes]") -> None:
    """It was killed, or did what it should."""
    assert process.stderr
    with process.stderr as pipe:
        said = pipe.read().decode()
    assert process.returncode in (0, -signal.SIGKILL), said


Command = tuple[list[str], str]
"""Module and arguments, and what comes on standard input."""


def maintaining(field: Battlefield) -> Command:
    return ["store.maintenance"], json.dumps(settings_document(settings(field.store)))


def importing(field: Battlefield, *files: Path) -> Command:
    paths = map(str, files or [field.import_file()])
    return ["tui.cli", "import", *paths, "--store", str(field.store)], ""


def compacting(field: Battlefield) -> Command:
    return ["tui.cli", "compact", "--store", str(field.store)], ""


def expiring(field: Battlefield) -> Command:
    field.make_old()
    return ["tui.cli", "expire", "--store", str(field.store)], ""


VICTIMS: dict[str, Callable[[Battlefield], Command]] = {
    "maintainer": maintaining,
    "import": importing,
    "compact": compacting,
    "expire": expiring,
}
