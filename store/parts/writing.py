"""Who is writing: a lock that writers share while they have something staged.

So whoever gets it for himself knows that nobody is in the middle of a commit, and that what stands
in the staging folder at that moment was left behind. Names of parts are never used twice, so that
stays true when the lock is let go again.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from store.errors import StoreError
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock

LOCK_FILE: Final = "writers.lock"
PATIENCE_SECONDS: Final = 10.0
"""It is held by one alone only while a folder is listed."""
LOOK_SECONDS: Final = 0.5
"""Under load there is a gap between two commits every few milliseconds; else there is a next time."""


@contextlib.contextmanager
def writing(folder: StoreFolder) -> Iterator[None]:
    """For as long as the caller has something staged; many at once. OSError, StoreError."""
    lock = FileLock(folder.root / LOCK_FILE)
    if not lock.acquire(shared=True, patience_seconds=PATIENCE_SECONDS):
        raise StoreError(
            "writer", "its lock is held for too long", place=str(folder.root / LOCK_FILE)
        )
    try:
        yield
    finally:
        lock.release()


def leftovers(folder: StoreFolder) -> list[Path]:
    """Staged parts that nobody will publish; none when that cannot be told just now."""
    if not any(path.parent == folder.staging for path in folder.staged()):
        return []
    lock = FileLock(folder.root / LOCK_FILE)
    try:
        if not lock.acquire(patience_seconds=LOOK_SECONDS):
            return []
    except OSError:  # a store that can only be read
        return []
    try:
        return sorted(path for path in folder.staged() if path.parent == folder.staging)
    finally:
        lock.release()
