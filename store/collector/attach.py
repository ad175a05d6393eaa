"""How a dashboard comes to have a collector: it joins the one that serves, or starts one."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from store.collector.presence import is_claimed, serving
from store.collector.python import environment
from store.errors import StoreError
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock
from store.settings import MIB, Settings, settings_document

DASHBOARDS_LOCK: Final = "dashboards.lock"
LOG_FILE: Final = "collector.log"
LOG_BYTES_MAX: Final = MIB
START_SECONDS: Final = 20.0
# A collector that was left by its last dashboard drains before it goes.
DRAIN_SECONDS: Final = 15.0
POLL_SECONDS: Final = 0.02
# They outlive this process on purpose; Popen objects would warn of that when collected.
_STARTED: Final["list[subprocess.Popen[bytes]]"] = []


@dataclass(frozen=True, slots=True)
class Attachment:
    """A collector for as long as this is open; use it in a `with`, or `close` it."""

    url: str
    """`http://127.0.0.1:4318`"""
    started: bool
    """Whether it was started for this attachment; else it served already."""
    _lock: FileLock

    def close(self) -> None:
        """Lets go; a collector that was started goes about a second after its last dashboard."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def attach(settings: Settings) -> Attachment:
    """The collector that serves `settings.store`, or a new one beside this process; blocks until
    it accepts.

    A new one takes the settings' port, a free one when that is taken, and writes what it has to
    say into `collector.log` in the store. StoreError when it does not come up.
    """
    folder = StoreFolder.open(settings.store, create=True)
    lock = FileLock(folder.root / DASHBOARDS_LOCK)
    if not lock.acquire(shared=True, patience_seconds=DRAIN_SECONDS):
        raise _failed(folder, "the collector that is stopping does not go")
    try:
        found = serving(folder)
        if found:
            return Attachment(found.http, started=False, _lock=lock)
        return Attachment(_started(folder, settings), started=True, _lock=lock)
    except BaseException:
        lock.release()
        raise


def _started(folder: StoreFolder, settings: Settings) -> str:
    with _log(folder.root / LOG_FILE) as log:
        process = subprocess.Popen(
            # -P: a folder called `store` where the user happens to stand is not ours.
            [sys.executable, "-P", "-m", "store.collector"],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            # Out of reach of the terminal's signals: Ctrl+C is the dashboard's.
            start_new_session=True,
        )
    _STARTED.append(process)
    assert process.stdin
    with process.stdin as pipe:
        document = settings_document(replace(settings, store=folder.root))
        pipe.write(json.dumps(document).encode())
    return _awaited(folder, process)


def _awaited(folder: StoreFolder, process: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        gone = process.poll() is not None
        found = serving(folder)
        if found:
            return found.http
        # It may have gone because another dashboard's collector came first, and is starting.
        if gone and not is_claimed(folder):
            raise _failed(folder, _last_line(folder.root / LOG_FILE))
        time.sleep(POLL_SECONDS)
    process.terminate()
    raise _failed(folder, f"it did not start within {START_SECONDS:.0f} s")


def _log(path: Path) -> IO[bytes]:
    is_long = path.exists() and path.stat().st_size > LOG_BYTES_MAX
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if is_long else os.O_APPEND)
    return os.fdopen(os.open(path, flags, 0o600), "ab")


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line for line in reversed(lines) if line), "it stopped without a word")


def _failed(folder: StoreFolder, fault: str) -> StoreError:
    return StoreError(
        "collector",
        fault,
        place=str(folder.root),
        next_step=f"see {LOG_FILE} there, or run `eventdeck collect`",
    )
