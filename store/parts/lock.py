"""Advisory locks on files: they die with their process, so nothing stale is ever left."""

import os
import sys
import time
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.02
_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        # There are no shared locks: each sharer takes one byte of the range for itself.
        os.lseek(descriptor, os.getpid() % 4096 if shared else 0, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1 if shared else 4096)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """Held by one (exclusive) or by many (shared), until `release` or the end of the process.

    Child processes do not inherit it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, *, shared: bool = False, patience_seconds: float = 0.0) -> bool:
        """True once it is held; False when others still hold it after that long. OSError when the
        file cannot be made.
        """
        deadline = time.monotonic() + patience_seconds
        descriptor = os.open(self._path, _FLAGS, 0o600)
        while not _try_lock(descriptor, shared=shared):
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return False
            time.sleep(POLL_SECONDS)
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
