"""The names of the visible parts, read as seldom as can be: it is asked four times a second."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import xxhash

from store.parts.faults import Fault, unopened
from store.parts.layout import PART_SUFFIX, StoreFolder, folder_of

SETTLED_SECONDS: Final = 2.5
"""File systems tick every 2 s at the coarsest (FAT): names that were read this long after a
folder's time of change was first seen are final for that time of change.
"""
LISTING_SECONDS_MAX: Final = 30.0
"""Half of the time that a covered part stays after its cover was published."""


@dataclass(frozen=True, slots=True)
class Names:
    """The Parquet files of one date at one time."""

    files: frozenset[str]
    mark: int
    """The sum of the names' hashes: adding one name needs no look at the ten thousand others."""
    changed_ns: int
    """The folder's time of change, read before its names."""
    first_seen: float
    """When that time of change was first seen, by the monotonic clock."""
    settled: bool
    fault: Fault | None = None
    """Why the folder could not be listed; then there are no files, and it is tried each time."""


class Listing:
    """All dates of a store, with the names of their Parquet files. Safe across threads."""

    def __init__(
        self, folder: StoreFolder, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._events = f"{folder.events}{os.sep}"
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._known: dict[str, Names] = {}

    def refresh(self) -> Mapping[str, Names]:
        """By date, ascending; a folder that did not change since it settled is not read again."""
        with self._lock:
            fresh = {day: self._names(day) for day in self._folder.dates()}
            self._known = {day: names for day, names in fresh.items() if names}
            return self._known

    def forget(self) -> None:
        """The next `refresh` reads every folder: what was read turned out to be out of date."""
        with self._lock:
            self._known = {}

    def _names(self, day: str) -> Names | None:
        """None for a folder that is gone."""
        known = self._known.get(day)
        now = self._monotonic()
        try:
            # A Path costs eight times the call, a thousand dates four times a second.
            changed_ns = os.stat(f"{self._events}{folder_of(day)}").st_mtime_ns  # noqa: PTH116
            same = known is not None and known.changed_ns == changed_ns
            if known and same and known.settled:
                return known
            first_seen = known.first_seen if known and same else now
            files = self._files(day)
        except FileNotFoundError:
            return None
        except OSError as error:
            # One folder without permission must not take the answers about all other dates.
            return Names(frozenset(), 0, 0, now, settled=False, fault=unopened(error))
        before = known.files if known else frozenset[str]()
        mark = known.mark if known else 0
        mark += sum(map(_hash, files - before)) - sum(map(_hash, before - files))
        return Names(files, mark, changed_ns, first_seen, now - first_seen >= SETTLED_SECONDS)

    def _files(self, day: str) -> frozenset[str]:
        """Read again when that took so long that parts could be merged and unlinked meanwhile, and
        both sides be missed.
        """
        while True:
            started = self._monotonic()
            names = self._folder.names(day)
            if self._monotonic() - started <= LISTING_SECONDS_MAX:
                return frozenset(
                    [name for name in names if name.endswith(PART_SUFFIX) and name[0] != "."]
                )


def generation_of(listing: Mapping[str, Names]) -> str:
    """A text that differs when any visible name does; the same in every process."""
    marks = [f"{day}:{names.mark}" for day, names in listing.items() if names.files]
    return xxhash.xxh3_64_hexdigest("/".join(marks).encode())


def _hash(name: str) -> int:
    # A name that is no UTF-8 must not stop the reader.
    return xxhash.xxh3_64_intdigest(name.encode("utf-8", "surrogateescape"))
