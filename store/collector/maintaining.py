"""When the store is due for a round of maintenance, and the process that does it."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from store.collector.python import environment
from store.errors import StoreError
from store.maintenance.covered import is_due
from store.maintenance.maintainer import COVERED_NOTE, LAST_NOTE
from store.maintenance.notes import read_notes
from store.parts.layout import StoreFolder, folder_of
from store.parts.listing import Listing, Names
from store.settings import Settings, settings_document

LOG: Final = logging.getLogger("eventdeck.collector")
LOOK_SECONDS: Final = 5.0
ROUND_EVERY: Final = timedelta(minutes=15)
"""Days end, parts age, bytes are verified, whatever the names say."""
FIRST_ROUND: Final = timedelta(seconds=30)
"""After the start, which has enough to do."""
REST_SHARE: Final = 5
"""So many times as long as a round took is rest until the next, and never less than REST_SECONDS."""
REST_SECONDS: Final = 10.0
END_SECONDS: Final = 2.0


class Maintaining:
    """Starts a round when one is due, one at a time. All it reads are names and a note."""

    def __init__(
        self,
        settings: Settings,
        folder: StoreFolder,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._monotonic = monotonic
        self._listing = Listing(folder, monotonic=monotonic)
        self._process: subprocess.Popen[bytes] | None = None
        self._marks: Mapping[str, int] = {}
        """By date, what stood there when the last round began: what it left, the next would too."""
        self._unlinked: frozenset[str] = frozenset()
        """What was to be unlinked by then: where that failed, it would fail again."""
        self._begun = monotonic()
        self._next_look = self._begun + LOOK_SECONDS
        self._rested = self._begun
        self._whole_round_at = self._begun + FIRST_ROUND.total_seconds()

    def look(self) -> None:
        """To be called every second or so, off the event loop: starts a round if one is due."""
        now = self._monotonic()
        if self._is_running() or now < max(self._next_look, self._rested):
            return
        self._next_look = now + LOOK_SECONDS
        try:
            names = self._listing.refresh()
        except StoreError as error:
            LOG.warning("%s", error)
            return
        covered = read_notes(self._folder.root).get(COVERED_NOTE) or {}
        due = frozenset(key for key, since in covered.items() if is_due(since, now))
        changed = {day: each for day, each in names.items() if self._marks.get(day) != each.mark}
        commits_max = self._settings.compaction.commits_max
        if (
            now >= self._whole_round_at
            or due - self._unlinked
            or is_crowded(changed, covered, commits_max)
        ):
            self._marks = {day: each.mark for day, each in names.items()}
            self._unlinked = due
            self._start(now)

    def last_round(self) -> Any:
        """The report of the last round, by whichever process; None before the first."""
        return read_notes(self._folder.root).get(LAST_NOTE)

    def close(self) -> None:
        """Ends a round in progress, which can be cut at any instant."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _start(self, now: float) -> None:
        self._begun = now
        self._whole_round_at = now + ROUND_EVERY.total_seconds()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "store.maintenance"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # One thread: the other cores are for what comes in.
            env=environment() | {"POLARS_MAX_THREADS": "1"},
            # Ctrl+C is for the collector, which ends it.
            start_new_session=True,
        )
        assert self._process.stdin is not None
        with self._process.stdin as pipe:
            pipe.write(json.dumps(settings_document(self._settings)).encode())

    def _is_running(self) -> bool:
        if self._process is None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        if code:
            LOG.warning("a round of maintenance ended with code %s", code)
        self._process = None
        now = self._monotonic()
        self._rested = now + max(REST_SECONDS, REST_SHARE * (now - self._begun))
        return False


def is_crowded(names: Mapping[str, Names], covered: Mapping[str, Any], commits_max: int) -> bool:
    """Whether a folder holds more commits than that, beside those that are covered."""
    for day, found in names.items():
        gone = sum(key.startswith(f"{folder_of(day)}/0-") for key in covered)
        if sum(name.startswith("0-") for name in found.files) - gone > commits_max:
            return True
    return False
