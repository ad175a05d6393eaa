"""Who serves a store: a lock says whether anybody does, `collector.json` where it listens."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from store.errors import StoreError
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock

LOCK_FILE: Final = "collector.lock"
# Longer than another process holds the lock only to see whether it is free.
PROBE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a collector accepts, as `eventdeck collect` prints it."""

    http: str
    """`http://127.0.0.1:4318`"""
    store: str
    pid: int
    grpc: str | None = None
    statsd: str | None = None

    def line(self) -> str:
        """`listening on http://127.0.0.1:4318, grpc 127.0.0.1:4317`"""
        others = (("grpc", self.grpc), ("statsd", self.statsd))
        return ", ".join(
            [f"listening on {self.http}", *(f"{name} {at}" for name, at in others if at)]
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class PortTakenError(StoreError):
    """Another program listens there, or this user may not."""


def taken(host: str, port: int, option: str, fault: str) -> PortTakenError:
    """`option` is the one that names another."""
    return PortTakenError(
        "collector",
        fault,
        place=f"{host}:{port}",
        next_step=f"name another port with {option}, or 0 for a free one",
    )


def claim(folder: StoreFolder) -> FileLock:
    """The right to serve this store; a StoreError names the collector that has it."""
    lock = FileLock(folder.root / LOCK_FILE)
    if lock.acquire(patience_seconds=PROBE_SECONDS):
        return lock
    other = _read(folder.collector_json)
    who = f"pid {other.pid} at {other.http}" if other else "another process"
    raise StoreError(
        "collector",
        f"{who} already serves this store",
        place=str(folder.root),
        next_step="send to that one, stop it, or name another store with --store",
    )


def publish(folder: StoreFolder, listening: Listening) -> None:
    """Tells other processes where it listens; for the holder of the claim."""
    staged = folder.collector_json.with_suffix(".staged")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(listening.as_json(), file)
    staged.replace(folder.collector_json)


def withdraw(folder: StoreFolder) -> None:
    folder.collector_json.unlink(missing_ok=True)


def serving(folder: StoreFolder) -> Listening | None:
    """Where this store's collector listens; None when there is none, or not yet. What a killed
    one left behind is told by its lock, which is free.
    """
    listening = _read(folder.collector_json)
    return listening if listening and is_claimed(folder) else None


def is_claimed(folder: StoreFolder) -> bool:
    """Whether some collector serves this store, or is about to."""
    lock = FileLock(folder.root / LOCK_FILE)
    try:
        free = lock.acquire(shared=True)
    except OSError:  # a store that can only be read: nobody serves it
        return False
    lock.release()
    return not free


def _read(path: Path) -> Listening | None:
    try:
        known = Listening.__dataclass_fields__.keys()
        document = json.loads(path.read_bytes())
        return Listening(**{key: value for key, value in document.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
