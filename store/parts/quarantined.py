"""What the quarantine holds: parts that could not be read, each with a note beside it.

Only the maintainer puts anything there (store.maintenance.quarantine). People may take things
out, or throw them away; nothing counts on them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.parts.layout import StoreFolder, date_of

NOTE_SUFFIX: Final = ".json"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A file in quarantine, at `quarantine/_date=2026-11-22/0-w-3.parquet`."""

    path: Path
    fault: str
    """Why it was moved; empty when its note is gone."""
    moved: str = ""
    """When, in ISO 8601."""
    rows: int | None = None
    """How many events it holds, if its footer could still tell."""

    @property
    def date(self) -> str:
        """The UTC date of its events; empty when the folder has another name."""
        return date_of(self.path.parent.name) or ""

    def as_json(self) -> dict[str, Any]:
        """What its note says, and where it is."""
        note = {"fault": self.fault, "moved": self.moved, "rows": self.rows}
        return {"path": str(self.path), **note}


def quarantined(folder: StoreFolder) -> tuple[Quarantined, ...]:
    """All of it, by name. A note that is missing or spoilt costs the reason alone."""
    try:
        paths = sorted(folder.quarantine.rglob("*"))
    except OSError:
        return ()
    files = (path for path in paths if path.suffix != NOTE_SUFFIX and path.is_file())
    return tuple(_described(path) for path in files)


def note_of(path: Path) -> Path:
    """Where the reason for a file in quarantine stands."""
    return path.with_name(path.name + NOTE_SUFFIX)


def _described(path: Path) -> Quarantined:
    try:
        note = json.loads(note_of(path).read_bytes())
        rows = note.get("rows")
        return Quarantined(path, str(note["fault"]), str(note.get("moved", "")), rows)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return Quarantined(path, "")
