"""What one round leaves to the next: a small JSON file that may be lost without harm."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from store.parts.disk import DISK, Disk, write_durably

NOTES_FILE: Final = "maintenance.json"


class Notes:
    """Sections by name, each a JSON value. For the holder of the maintainer's lock; others read."""

    def __init__(self, root: Path, *, disk: Disk = DISK) -> None:
        self._path = root / NOTES_FILE
        self._disk = disk
        self._sections = read_notes(root)

    @property
    def sections(self) -> Mapping[str, Any]:
        """All of them."""
        return self._sections

    def get(self, section: str) -> Any:
        """What was put there, or None."""
        return self._sections.get(section)

    def put(self, section: str, value: Any) -> None:
        """Durable when it returns; writes nothing when it is there already. OSError."""
        if self._sections.get(section) == value:
            return
        sections = {**self._sections, section: value}
        staged = self._path.with_name(f".{NOTES_FILE}.staged")
        with contextlib.suppress(FileNotFoundError):
            self._disk.remove(staged)
        write_durably(self._disk, staged, json.dumps(sections, indent=1).encode())
        self._disk.rename(staged, self._path)
        self._disk.sync_folder(self._path.parent)
        self._sections = sections


def read_notes(root: Path) -> Mapping[str, Any]:
    """All sections; none when there is no file, or no sound one."""
    try:
        document = json.loads((root / NOTES_FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
