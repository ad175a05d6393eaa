"""What is stored now: names for the cheap question, footers for the whole answer."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from store.errors import NewerFormatError, PartUnreadableError
from store.parts.footer import read_part
from store.parts.layout import PartName, StoreFolder, folder_of
from store.parts.listing import Listing, Names, generation_of
from store.parts.part import Cover, Part

LISTINGS_MAX: Final = 8
"""Files that are gone at open mean a merge; so many in a row mean that someone deletes by hand."""

State = tuple[int, int]
"""Time of change and size: what shows that a file at fault was replaced, from a backup say."""
Fault = tuple[State, str]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that does not count."""

    path: Path
    fault: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a reader counts at one instant; the files stay for at least 60 s."""

    generation: str
    parts: tuple[Part, ...]
    """By (date, writer, sequence)."""
    skipped: tuple[Skipped, ...] = ()
    """Files that were left out: unreadable, of a newer format, not named as parts are."""
    covered: tuple[Part, ...] = ()
    """Parts whose events count through a compacted part; they are about to be unlinked."""


@dataclass(frozen=True, slots=True)
class _Day:
    """What was read of one date."""

    files: frozenset[str]
    read: Mapping[str, Part]
    faults: Mapping[str, Fault]
    parts: tuple[Part, ...] = ()
    covered: tuple[Part, ...] = ()
    skipped: tuple[Skipped, ...] = ()


class Catalog:
    """A store's parts. Safe across threads; reads each footer once in its life."""

    def __init__(
        self, folder: StoreFolder, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._listing = Listing(folder, monotonic=monotonic)
        self._lock = threading.Lock()
        self._days: dict[str, _Day] = {}
        self._last = Snapshot(generation_of({}), ())

    def generation(self) -> str:
        """A text that changes when the visible files do. Reads names, and those only of folders
        that changed; never waits for a snapshot that is being made.
        """
        return generation_of(self._listing.refresh())

    def snapshot(self) -> Snapshot:
        """The parts that count now: each acknowledged event exactly once, also during a merge.

        Reads the footers of new parts. Files at fault are in `skipped`, never an error.
        """
        with self._lock:
            listing = self._listing.refresh()
            for _ in range(LISTINGS_MAX):
                if self._read(listing):
                    break
                self._listing.forget()
                listing = self._listing.refresh()
            generation = generation_of(listing)
            if generation != self._last.generation or self._last.skipped or self._has_faults():
                self._last = _assembled(generation, self._days)
            return self._last

    def _has_faults(self) -> bool:
        return any(day.faults for day in self._days.values())

    def _read(self, listing: Mapping[str, Names]) -> bool:
        """Brings the days up to date; False when a file was gone: the listing is out of date."""
        days = {day: self._day(day, names) for day, names in listing.items()}
        self._days = {day: read for day, read in days.items() if read}
        return len(self._days) == len(days)

    def _day(self, day: str, names: Names) -> _Day | None:
        known = self._days.get(day, _NOTHING)
        if known.files == names.files and not known.faults:
            return known
        read = {file: part for file, part in known.read.items() if file in names.files}
        faults = {}
        for file in names.files - read.keys():
            try:
                found = self._footer(day, file, known.faults.get(file))
            except FileNotFoundError:
                return None
            if isinstance(found, Part):
                read[file] = found
            else:
                faults[file] = found
        return _decided(names.files, read, faults, self._folder.events / folder_of(day))

    def _footer(self, day: str, file: str, known: Fault | None) -> Part | Fault:
        name = PartName.parse(file)
        if name is None:
            return (0, 0), "it is not named LEVEL-WRITER-SEQ"
        state = (0, 0)
        path = self._folder.events / folder_of(day) / file
        try:
            stat = path.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if known and known[0] == state:
                return known
            return read_part(self._folder.events, day, name)
        except FileNotFoundError:
            raise
        except (PartUnreadableError, NewerFormatError) as error:
            return state, error.fault
        except OSError as error:
            return state, (error.strerror or str(error)).lower()


_NOTHING: Final = _Day(frozenset(), {}, {})


def _decided(
    files: frozenset[str], read: Mapping[str, Part], faults: Mapping[str, Fault], folder: Path
) -> _Day:
    """Which of a day's readable parts count: those that no other one covers."""
    ordered = sorted(read.values(), key=lambda part: (part.writer, part.sequence, part.level))
    covers = _covers(ordered)
    covered = tuple(part for part in ordered if covers and _is_covered(part, covers))
    parts = tuple(part for part in ordered if part not in covered) if covered else tuple(ordered)
    skipped = tuple(Skipped(folder / file, fault) for file, (_, fault) in sorted(faults.items()))
    return _Day(files, read, faults, parts, covered, skipped)


def _covers(parts: Iterable[Part]) -> dict[str, list[tuple[Cover, int]]]:
    """By writer: what is covered, and the level of the part that covers it."""
    found: dict[str, list[tuple[Cover, int]]] = defaultdict(list)
    for part in parts:
        for cover in part.covers:
            found[cover.writer].append((cover, part.level))
    return found


def _is_covered(part: Part, covers: Mapping[str, list[tuple[Cover, int]]]) -> bool:
    """A cover reaches lower levels alone, so no two parts can ever hide each other."""
    return any(
        part.level < level and cover.first <= part.sequence <= cover.last
        for cover, level in covers.get(part.writer, ())
    )


def _assembled(generation: str, days: Mapping[str, _Day]) -> Snapshot:
    ordered = [days[day] for day in sorted(days)]
    return Snapshot(
        generation,
        tuple(chain.from_iterable(day.parts for day in ordered)),
        tuple(chain.from_iterable(day.skipped for day in ordered)),
        tuple(chain.from_iterable(day.covered for day in ordered)),
    )
