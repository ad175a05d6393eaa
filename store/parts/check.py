"""`check` reads every byte of a store and says what is wrong; nothing is changed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from store.errors import NewerFormatError, PartUnreadableError, StoreError
from store.parts.catalog import Catalog, Skipped, Snapshot
from store.parts.duplicates import Distinct, Duplicate, distinct_ids
from store.parts.footer import TAIL_BYTES, read_footer
from store.parts.layout import StoreFolder
from store.parts.part import Part

CHUNK_BYTES: Final = 1024 * 1024
BATCH_ROWS: Final = 8_192
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


def part_fault(part: Part) -> str | None:
    """Why a part cannot be trusted, after reading all of it; None when it can, or when it is gone.

    The seals show any changed byte, also between the pages, and keep it from the decoder; decoding
    shows a file that was written wrongly.
    """
    try:
        with part.path.open("rb") as file:
            _verify_seal(file)
        _verify_values(part)
    except FileNotFoundError:
        return None
    except (PartUnreadableError, NewerFormatError) as error:
        return error.fault
    except (OSError, pa.ArrowException) as error:
        return f"it cannot be read: {error}"
    return None


def _verify_seal(file: BinaryIO) -> None:
    footer = read_footer(file)
    rest = file.seek(0, SEEK_END) - len(footer.raw) - TAIL_BYTES
    file.seek(0)
    digest = xxhash.xxh3_64()
    while rest > 0 and (chunk := file.read(min(CHUNK_BYTES, rest))):
        digest.update(chunk)
        rest -= len(chunk)
    if digest.hexdigest() != footer.body_seal:
        raise PartUnreadableError("part", "the checksum of its rows is wrong")


def _verify_values(part: Part) -> None:
    """Decodes everything, with the page checksums, and compares it with the footer's summary."""
    rows, times = 0, list[Any]()
    with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
        stored = pl.Schema(file.schema_arrow)
        for batch in file.iter_batches(BATCH_ROWS):
            rows += batch.num_rows
            found = pc.min_max(batch.column("event_time")).as_py()
            times += [found["min"], found["max"]]
    if rows != part.rows or dict(stored) != dict(part.columns):
        raise PartUnreadableError("part", "its rows or columns are not those its footer tells of")
    if times and (min(times) < part.span.start or max(times) >= part.span.end):
        raise PartUnreadableError("part", "its events are not of the time that its footer tells")
    if times and {min(times).date(), max(times).date()} != {date.fromisoformat(part.date)}:
        raise PartUnreadableError("part", "its events are of another date than its folder")
