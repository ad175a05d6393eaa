"""`check` reads every byte of a store and says what is wrong; nothing is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.errors import StoreError
from store.parts.catalog import Catalog, Skipped, Snapshot
from store.parts.duplicates import Distinct, Duplicate, distinct_ids
from store.parts.layout import StoreFolder
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
    """Files that cannot be read, with the reason."""
    duplicates: tuple[Duplicate, ...]
    """The first SHOWN_MAX ids that occur twice in a date."""
    staged: int
    """Files that a writer has not finished, or never will: they hold nothing acknowledged."""
    quarantined: int

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
            "quarantined": self.quarantined,
            "faults": [{"path": str(each.path), "fault": each.fault} for each in self.faults],
            "duplicates": [each._asdict() for each in self.duplicates],
        }


def check(folder: StoreFolder, progress: Callable[[int, int], None] | None = None) -> CheckReport:
    """Reads everything: seals, page checksums, every value, and whether an id occurs twice.

    Memory is bounded for any store. `progress` is told bytes done and bytes in all. A part that a
    merge takes away meanwhile is no fault: what took its place is read instead.
    """
    catalog = Catalog(folder)
    read: dict[Path, str | None] = {}
    for _ in range(SNAPSHOTS_MAX):
        snapshot = catalog.snapshot()
        _read_all(snapshot, read, progress or (lambda _done, _total: None))
        sound = [part for part in snapshot.parts if not read[part.path]]
        try:
            distinct = distinct_ids(sound, shown_max=SHOWN_MAX)
        except FileNotFoundError:
            continue
        return _report(folder, snapshot, read, distinct)
    raise StoreError("check", "its parts are gone as soon as listed", place=str(folder.events))


def _read_all(
    snapshot: Snapshot, read: dict[Path, str | None], progress: Callable[[int, int], None]
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
    folder: StoreFolder, snapshot: Snapshot, read: Mapping[Path, str | None], distinct: Distinct
) -> CheckReport:
    parts = (*snapshot.parts, *snapshot.covered)
    broken = [Skipped(part.path, fault) for part in parts if (fault := read[part.path])]
    return CheckReport(
        events=sum(part.rows for part in snapshot.parts if not read[part.path]),
        unique_event_ids=distinct.ids,
        parts=len(snapshot.parts),
        faults=tuple(sorted([*snapshot.skipped, *broken], key=lambda each: each.path)),
        duplicates=distinct.repeated,
        staged=len(folder.staged()),
        quarantined=sum(path.is_file() for path in folder.quarantine.rglob("*")),
    )
