"""`check` reads every byte of a store and says what is wrong; nothing is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from store.errors import StoreError
from store.parts.catalog import Catalog, Skipped, Snapshot
from store.parts.duplicates import Distinct, Duplicate, distinct_ids
from store.parts.faults import Fault, Kind
from store.parts.layout import StoreFolder
from store.parts.out_of_time import out_of_time
from store.parts.quarantined import Quarantined
from store.parts.rollup_check import rollup_faults
from store.parts.verify import part_fault

SHOWN_MAX: Final = 20
SNAPSHOTS_MAX: Final = 8
"""Each is taken because a merge took parts away; so many in a row are something else."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found."""

    events: int
    """In parts that count and can be read."""
    unique_event_ids: int
    """Distinct ids, date by date: the same id on two dates is two events."""
    parts: int
    faults: tuple[Skipped, ...]
    """Files among the parts that do not count, with the reason."""
    duplicates: tuple[Duplicate, ...]
    """The first SHOWN_MAX ids that occur twice in a date."""
    staged: int
    """Files that a writer has not finished, or never will: they hold nothing acknowledged."""
    covered: int
    """Parts that a compacted one stands for, until they are unlinked."""
    quarantine: tuple[Quarantined, ...]
    """Parts that the maintainer moved away because they could not be read."""
    out_of_time: int
    """Events from before 1990 or more than two days ahead: they count all the same."""

    @property
    def ok(self) -> bool:
        """Every part can be read, and no id occurs twice."""
        return not self.faults and self.events == self.unique_event_ids

    def as_json(self) -> dict[str, Any]:
        """The document of `check --json`."""
        return {
            "ok": self.ok,
            "events": self.events,
            "unique_event_ids": self.unique_event_ids,
            "parts": self.parts,
            "unreadable": len(self.faults),
            "staged": self.staged,
            "quarantined": len(self.quarantine),
            "covered": self.covered,
            "out_of_time": self.out_of_time,
            "faults": [
                {"path": str(each.path), "fault": each.fault, "kind": str(each.kind)}
                for each in self.faults
            ],
            "quarantine": [each.as_json() for each in self.quarantine],
            "duplicates": [each._asdict() for each in self.duplicates],
        }


def check(
    folder: StoreFolder,
    progress: Callable[[int, int], None] | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> CheckReport:
    """Reads everything: seals, page checksums, every value, whether an id occurs twice, and whether
    the rollups count what the parts hold.

    Memory is bounded for any store. `progress` is told bytes done and bytes in all. A part that a
    merge takes away meanwhile is no fault: what took its place is read instead.
    """
    catalog = Catalog(folder)
    read: dict[Path, Fault | None] = {}
    for _ in range(SNAPSHOTS_MAX):
        snapshot = catalog.snapshot()
        _read_all(snapshot, read, progress or (lambda _done, _total: None))
        sound = [part for part in snapshot.parts if not read[part.path]]
        try:
            distinct = distinct_ids(sound, shown_max=SHOWN_MAX)
            early_or_late = out_of_time(sound, now())
        except FileNotFoundError:
            continue
        return _report(folder, snapshot, read, distinct, early_or_late)
    raise StoreError("check", "its parts are gone as soon as listed", place=str(folder.events))


def _read_all(
    snapshot: Snapshot, read: dict[Path, Fault | None], progress: Callable[[int, int], None]
) -> None:
    """Notes for each part of the snapshot its fault, or None; reads none twice."""
    parts = (*snapshot.parts, *snapshot.covered)
    done, total = 0, sum(part.size_bytes for part in parts)
    for part in parts:
        if part.path not in read:
            read[part.path] = part_fault(part)
        done += part.size_bytes
        progress(done, total)


def _report(
    folder: StoreFolder,
    snapshot: Snapshot,
    read: Mapping[Path, Fault | None],
    distinct: Distinct,
    early_or_late: int,
) -> CheckReport:
    parts = (*snapshot.parts, *snapshot.covered)
    faults = [Skipped.of(part.path, fault) for part in parts if (fault := read[part.path])]
    faults += [*snapshot.skipped, *_missing(folder)]
    sound = [part for part in parts if not read[part.path]]
    faults += rollup_faults(folder, sound, {each.path for each in snapshot.skipped})
    return CheckReport(
        events=sum(part.rows for part in snapshot.parts if not read[part.path]),
        unique_event_ids=distinct.ids,
        parts=len(snapshot.parts),
        faults=tuple(sorted(faults, key=lambda each: each.path)),
        duplicates=distinct.repeated,
        staged=len(folder.staged()),
        covered=len(snapshot.covered),
        quarantine=snapshot.quarantined,
        out_of_time=early_or_late,
    )


def _missing(folder: StoreFolder) -> list[Skipped]:
    """A store whose events are gone altogether is told from one that never was."""
    if not folder.store_json.exists() or folder.events.exists():
        return []
    return [Skipped(folder.events, "the folder with all events is missing", Kind.UNOPENED)]
