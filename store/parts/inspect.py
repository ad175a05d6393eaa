"""`inspect`: a store in numbers, most of them out of the footers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from store.parts.catalog import Skipped, Snapshot
from store.parts.quarantined import Quarantined
from store.parts.scan import column_types, scan
from store.tally import Tally
from store.timespan import iso


@dataclass(frozen=True, slots=True)
class InspectReport:
    """What is in a store."""

    events: int
    parts: int
    bytes: int
    first_event_time: datetime | None
    last_event_time: datetime | None
    event_names: int
    """How many different ones."""
    generation: str
    tally: Tally
    columns: Mapping[str, pl.DataType]
    """The fixed ones first, then attributes by name, those inside OVERFLOW too."""
    files: tuple[Path, ...]
    """What a reader counts now, exactly: a foreign glob may also see files about to be unlinked."""
    skipped: tuple[Skipped, ...]
    quarantined: tuple[Quarantined, ...]
    """What the maintainer moved away because it could not be read."""

    def as_json(self) -> dict[str, Any]:
        """The document of `inspect --json`."""
        first, last = self.first_event_time, self.last_event_time
        return {
            "events": self.events,
            "parts": self.parts,
            "bytes": self.bytes,
            "first_event_time": iso(first) if first else None,
            "last_event_time": iso(last) if last else None,
            "event_names": self.event_names,
            "generation": self.generation,
            "tally": self.tally.as_json(),
            "columns": {name: str(kind) for name, kind in self.columns.items()},
            "skipped": [{"path": str(each.path), "fault": each.fault} for each in self.skipped],
            "quarantine": [each.as_json() for each in self.quarantined],
        }


def inspect(snapshot: Snapshot) -> InspectReport:
    """The numbers of one snapshot; reads one column, for the number of names.

    FileNotFoundError when a part is gone by now: take a new snapshot.
    """
    parts = snapshot.parts
    filled = [part for part in parts if part.rows]
    names = scan(filled, ["event_name"], None).select(pl.col("event_name").n_unique())
    return InspectReport(
        events=sum(part.rows for part in parts),
        parts=len(parts),
        bytes=sum(part.size_bytes for part in parts),
        first_event_time=min((part.span.start for part in filled), default=None),
        last_event_time=max((part.last_event_time for part in filled), default=None),
        event_names=names.collect(engine="streaming").item() if filled else 0,
        generation=snapshot.generation,
        tally=Tally.total(part.tally for part in snapshot.told),
        columns=column_types(parts),
        files=tuple(part.path for part in parts),
        skipped=snapshot.skipped,
        quarantined=snapshot.quarantined,
    )
