"""Where rejected things go: taken at once, masked and written by a thread of its own."""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import orjson

from store.collector.dead_letters.content import kept, kept_fault
from store.collector.dead_letters.places import BODY_BYTES_MAX, finder
from store.collector.dead_letters.reading import SUFFIX, Letter, files_of, held
from store.parts.disk import DISK, Disk, make_folders
from store.parts.layout import StoreFolder
from store.tally import ERRORS_SHOWN_MAX, Refusal
from store.timespan import iso

LOG: Final = logging.getLogger("eventdeck.collector")
FILE_BYTES_MAX: Final = 1024 * 1024
BYTES_MAX: Final = 16 * 1024 * 1024
FILES_MAX: Final = 200
"""Beyond either, the oldest files go."""
WAITING_MAX: Final = 16
"""Deliveries with something rejected that wait to be written, with a MiB of body each at most;
beyond, letters are left out, and counted."""


class DeadLetters(Protocol):
    """Takes what was rejected."""

    def put(self, intake: str, refusals: Sequence[Refusal], body: bytes) -> None:
        """Never waits, never raises. `body` is what the refusals' places are in."""
        ...

    def close(self) -> None:
        """All that was put is written."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Counts since the start, for Health."""
        ...


class Nowhere:
    """Keeps nothing."""

    def put(self, intake: str, refusals: Sequence[Refusal], body: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def as_json(self) -> dict[str, Any]:
        return {}


class _Rejected(NamedTuple):
    time: datetime
    intake: str
    refusals: Sequence[Refusal]
    more: int
    body: bytes


def utc_now() -> datetime:
    return datetime.now(UTC)


class Box:
    """The dead letters of one store, as this process writes them. Of one delivery the first
    ERRORS_SHOWN_MAX are written; the last of them says how many more there were.
    """

    def __init__(
        self, folder: StoreFolder, *, now: Callable[[], datetime] = utc_now, disk: Disk = DISK
    ) -> None:
        self._folder = folder
        self._now = now
        self._disk = disk
        self._waiting: queue.Queue[_Rejected | None] = queue.Queue(WAITING_MAX)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._file: Path | None = None
        self._size = 0
        self.letters = 0
        """Written by this process."""
        self.left_out = 0
        """Rejected things that no letter tells of: they came too fast, or the disk is full."""

    def put(self, intake: str, refusals: Sequence[Refusal], body: bytes) -> None:
        if not refusals:
            return
        shown = refusals[:ERRORS_SHOWN_MAX]
        body = body if len(body) <= BODY_BYTES_MAX else b""
        rejected = _Rejected(self._now(), intake, shown, len(refusals) - len(shown), body)
        try:
            self._waiting.put_nowait(rejected)
        except queue.Full:
            self.left_out += len(refusals)
            return
        self._begin()

    def close(self) -> None:
        """Writes what waits; more may be put afterwards."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def as_json(self) -> dict[str, Any]:
        """For Health."""
        return {"letters": self.letters, "left_out": self.left_out}

    def _begin(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dead-letters", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (rejected := self._waiting.get()) is not None:
            try:
                self._write(list(_letters(rejected)))
            except Exception as error:  # noqa: BLE001  whatever was rejected, the next may be sound
                self.left_out += len(rejected.refusals) + rejected.more
                LOG.warning("dead letters could not be written: %s", type(error).__name__)

    def _write(self, found: Sequence[Letter]) -> None:
        lines = b"".join(orjson.dumps(letter.as_json()) + b"\n" for letter in found)
        if self._file is None or self._size + len(lines) > FILE_BYTES_MAX:
            self._open_next()
        assert self._file is not None
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = os.open(self._file, flags, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(lines)
        self._size += len(lines)
        self.letters += len(found)

    def _open_next(self) -> None:
        make_folders(self._disk, self._folder.dead_letter)
        name = f"{self._now():%Y%m%dT%H%M%S%f}-{os.getpid()}{SUFFIX}"
        self._file, self._size = self._folder.dead_letter / name, 0
        self._make_room()

    def _make_room(self) -> None:
        """For one more file."""
        files = files_of(self._folder)
        size = held(self._folder).size_bytes
        while files and (size + FILE_BYTES_MAX > BYTES_MAX or len(files) >= FILES_MAX):
            oldest = files.pop(0)
            with contextlib.suppress(FileNotFoundError):
                size -= oldest.stat().st_size
                oldest.unlink()


def _letters(rejected: _Rejected) -> Iterator[Letter]:
    find = finder(rejected.body)
    last = len(rejected.refusals) - 1
    for at, refusal in enumerate(rejected.refusals):
        content = find(refusal.place)
        yield Letter(
            iso(rejected.time),
            rejected.intake,
            refusal.place,
            refusal.reason,
            kept_fault(refusal.fault),
            kept(content) if content else None,
            len(content) or None,
            rejected.more if at == last else 0,
        )
