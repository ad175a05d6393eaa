"""What is stored now: names for the cheap question, footers for the whole answer."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Final, Self

from store.parts.covering import covers_by_writer, is_covered
from store.parts.faults import Fault, Kind, fault_of
from store.parts.footer import read_part
from store.parts.layout import PartName, StoreFolder, date_of, folder_of
from store.parts.listing import Listing, Names, generation_of
from store.parts.part import Part
from store.parts.quarantined import Quarantined, quarantined
from store.parts.rollups import RollupFolder, standing
from store.parts.verify import seal_fault
from store.parts.volumes import Volume, Volumes

LISTINGS_MAX: Final = 8
"""Files that are gone at open mean a merge; so many in a row mean that someone deletes by hand."""

State = tuple[int, int]
"""Time of change and size: what shows that a file at fault was replaced, from a backup say."""
_Known = tuple[State, Fault]
"""A fault, and the file's state when it was found."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that does not count."""

    path: Path
    fault: str
    """The reason, for a person."""
    kind: Kind = Kind.BROKEN

    @classmethod
    def of(cls, path: Path, fault: Fault) -> Self:
        return cls(path, fault.words, fault.kind)


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
    quarantined: tuple[Quarantined, ...] = ()
    """Parts that were moved away because they could not be read: their events are missing."""
    rollups: tuple[Part, ...] = ()
    """Of parts that count: what they add up to, of the same date and name."""
    gone: tuple[Part, ...] = ()
    """Rollups of parts that expired: all that is left of their events, and of their tallies."""
    outdated: tuple[Part, ...] = ()
    """Rollups for which a part or another rollup stands; they are about to be unlinked."""
    volumes: tuple[Volume, ...] = ()
    """Files with the rows of many rollups, which may be read there."""

    @property
    def told(self) -> Sequence[Part]:
        """The parts that count and those that are gone: the tally of the store is their sum."""
        return (*self.parts, *self.gone)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The UTC date of each file whose events are missing from answers, here or in quarantine;
        empty text where that is not known.
        """
        here = [each.path for each in self.skipped if each.kind is not Kind.FOREIGN]
        dates = [date_of(path.parent.name) or date_of(path.name) or "" for path in here]
        return (*dates, *(each.date for each in self.quarantined))


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """What was read of one date; the same object for as long as nothing changed."""

    files: frozenset[str]
    read: Sequence[Part]
    """All that could be read, covered ones too, in order."""
    faults: Mapping[str, _Known]
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
        self._verified: set[Path] = set()
        self._distrusted: dict[Path, _Known] = {}
        self._unopened: tuple[Path, ...] = ()
        self._last = Snapshot(generation_of({}), ())
        self._rollups: Catalog | None = None
        self._rollups_seen = ""
        self.volumes = Volumes(folder)

    def generation(self) -> str:
        """A text that changes when the visible files do, or one that could not be opened can be.
        Reads names, and those only of folders that changed; never waits for a snapshot that is
        being made.
        """
        return self._generation(self._listing.refresh())

    def snapshot(self) -> Snapshot:
        """The parts that count now: each acknowledged event exactly once, also during a merge.

        Reads the footers of new parts. Files at fault are in `skipped`, never an error.
        """
        with self._lock:
            for _ in range(LISTINGS_MAX):
                listing = self._listing.refresh()
                days = {day: self._day(day, names) for day, names in listing.items()}
                if all(days[day].files == names.files for day, names in listing.items()):
                    break
                # A file was gone at open: the listing is out of date, and may have missed its cover.
                self._listing.forget()
            self._unopened = tuple(self._still_unopened(days))
            generation = self._generation(listing)
            if generation != self._last.generation or days != self._days:
                self._last = _assembled(generation, days, quarantined(self._folder))
                self._rollups_seen = ""
            self._days = days
            # After the parts: the rollup of one that goes meanwhile is there already.
            found, volumes = self._with_rollups(self._last), self.volumes.refresh()
            self._last = found if found.volumes == volumes else replace(found, volumes=volumes)
            return self._last

    def verify(self, parts: Iterable[Part]) -> tuple[Skipped, ...]:
        """Reads all bytes of those of `parts` that were not verified yet, once in this catalog's
        life: for the background, or after a query failed on them. Those whose seals are wrong do
        not count any more, and are in `skipped` with the reason; they are returned.
        """
        if self._rollups:
            parts = list(parts)
            faulty = self._rollups.verify(part for part in parts if part.rolled)
            return (*faulty, *self._verify([part for part in parts if not part.rolled]))
        return self._verify(parts)

    def _verify(self, parts: Iterable[Part]) -> tuple[Skipped, ...]:
        unread = [part for part in parts if part.path not in self._verified]
        faults = {part.path: fault for part in unread if (fault := seal_fault(part))}
        with self._lock:
            self._verified |= {part.path for part in unread}
            self._distrusted |= {path: (_state(path), fault) for path, fault in faults.items()}
            if faults:
                self._days = {}
        return tuple(Skipped.of(path, fault) for path, fault in faults.items())

    def _with_rollups(self, found: Snapshot) -> Snapshot:
        if self._rollups is None:
            if not self._folder.rollups.is_dir():
                return found
            self._rollups = Catalog(RollupFolder(self._folder.root))
        rollups = self._rollups.snapshot()
        if rollups.generation == self._rollups_seen:
            return found
        self._rollups_seen = rollups.generation
        known = standing(found.parts, (*rollups.parts, *rollups.covered))
        visible = {part.key for part in found.parts}
        # One beside its part is made anew; the others may have been all that was left.
        lost = (each for each in rollups.skipped if _key_of(each.path) not in visible)
        here = (each for each in found.skipped if self._folder.rollups not in each.path.parents)
        return replace(
            found,
            skipped=(*here, *lost),
            quarantined=quarantined(self._folder),
            rollups=known.beside,
            gone=known.gone,
            outdated=known.outdated,
        )

    def _generation(self, listing: Mapping[str, Names]) -> str:
        marks = [generation_of(listing)]
        marks += [f"{len(self._distrusted)}"] if self._distrusted else []
        # Nothing in a folder changes when a disk comes back, or a permission is given.
        marks += [f"u{sum(not _can_be_read(path) for path in self._unopened)}"] * bool(
            self._unopened
        )
        return "-".join(marks)

    def _still_unopened(self, days: Mapping[str, _Day]) -> Iterator[Path]:
        for day, found in days.items():
            for file, (_, fault) in found.faults.items():
                if fault.kind is Kind.UNOPENED:
                    yield self._folder.events / folder_of(day) / file

    def _day(self, day: str, names: Names) -> _Day:
        """A day as it is now; `files` lacks those that were gone at open."""
        if names.fault:
            folder = self._folder.events / folder_of(day)
            return _Day(names.files, (), {}, skipped=(Skipped.of(folder, names.fault),))
        known = self._days.get(day, _NOTHING)
        if known.files == names.files and not known.faults:
            return known
        lost = known.files - names.files
        read = [part for part in known.read if part.path.name not in lost] if lost else known.read
        found, faults, gone = list[Part](), dict[str, _Known](), set[str]()
        for file in (names.files - known.files) | (names.files & known.faults.keys()):
            try:
                footer = self._footer(day, file, known.faults.get(file))
            except FileNotFoundError:
                gone.add(file)
                continue
            if isinstance(footer, Part):
                found.append(footer)
            else:
                faults[file] = footer
        files = names.files - gone
        if known.files == files and known.faults == faults:
            return known
        # Sorting is a walk when the ten thousand known ones are in order already.
        ordered = sorted([*read, *found], key=_IN_ORDER)
        return _decided(files, ordered, faults, self._folder.events / folder_of(day))

    def _footer(self, day: str, file: str, known: _Known | None) -> Part | _Known:
        name = PartName.parse(file)
        if name is None:
            return _FOREIGN_NAME
        path = self._folder.events / folder_of(day) / file
        distrusted = self._distrusted.get(path)
        # What could not be opened may be readable by now, and looks the same.
        lasting = known if known and known[1].kind is not Kind.UNOPENED else None
        for before in (distrusted, lasting):
            if before and before[0] == _state(path):
                return before
        found = list[Part]()
        fault = fault_of(lambda: found.append(read_part(path, day, name)))
        return (_state(path), fault) if fault else found[0]


def _state(path: Path) -> State:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def _can_be_read(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _key_of(path: Path) -> str:
    """The key of the part that a file is named after."""
    return f"{path.parent.name}/{path.stem}"


_FOREIGN_NAME: Final = (0, 0), Fault(Kind.FOREIGN, "it is not named LEVEL-WRITER-SEQ")
_IN_ORDER: Final = attrgetter("writer", "sequence", "level")
_NOTHING: Final = _Day(frozenset(), (), {})


def _decided(
    files: frozenset[str], read: Sequence[Part], faults: Mapping[str, _Known], folder: Path
) -> _Day:
    """Which of a day's readable parts count: those that no other one covers."""
    parts, covered = read, list[Part]()
    if covers := covers_by_writer(read):
        covered = [part for part in read if is_covered(part, covers)]
        parts = [part for part in read if not is_covered(part, covers)]
    ordered = sorted(faults.items(), key=itemgetter(0))
    skipped = tuple(Skipped.of(folder / file, fault) for file, (_, fault) in ordered)
    return _Day(files, read, faults, tuple(parts), tuple(covered), skipped)


def _assembled(
    generation: str, days: Mapping[str, _Day], quarantine: tuple[Quarantined, ...]
) -> Snapshot:
    ordered = [days[day] for day in sorted(days)]
    return Snapshot(
        generation,
        tuple(chain.from_iterable(day.parts for day in ordered)),
        tuple(chain.from_iterable(day.skipped for day in ordered)),
        tuple(chain.from_iterable(day.covered for day in ordered)),
        quarantine,
    )
