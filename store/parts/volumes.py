"""Volumes: the rows of many rollups of a date in one file, so that a question opens few.

A volume is made of rollups that are there, and may go at any time: it holds the rows of a rollup
for as long as that one has the seal that it was made of. FORMAT.md has what is in it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.errors import ForeignPartError
from store.parts.faults import Fault, fault_of
from store.parts.footer import read_footer
from store.parts.layout import PART_SUFFIX, StoreFolder
from store.parts.verify import verify_bytes

PLACE: Final = "rollup"
"""The column that tells of which rollup a row is: the place of its seal in the footer's list."""


@dataclass(frozen=True, slots=True)
class Volume:
    """A file that holds the rows of these rollups, and perhaps of some that are gone."""

    path: Path
    date: str
    places: Mapping[str, int]
    """By the seal of a rollup's rows."""

    def fault(self) -> Fault | None:
        """What is wrong with its bytes, after reading all; None also when it is gone."""
        try:
            with self.path.open("rb") as file:
                return fault_of(lambda: verify_bytes(file))
        except OSError:
            return None


def volume_name(date: str, seal: str) -> str:
    """Its file, named after its bytes: no other volume ever takes the place of one."""
    return f"{date}-{seal}{PART_SUFFIX}"


class Volumes:
    """The volumes of a store. Safe across threads; reads each footer once in its life."""

    def __init__(self, folder: StoreFolder) -> None:
        self._folder = folder.volumes
        self._lock = threading.Lock()
        self._known: dict[str, Volume | None] = {}

    def refresh(self) -> tuple[Volume, ...]:
        """Those that are there now, by name. One that cannot be read is none: rollups tell it all."""
        with self._lock:
            try:
                names = sorted(path.name for path in self._folder.iterdir())
            except OSError:
                return ()
            self._known = {
                name: self._known[name] if name in self._known else _read(self._folder / name)
                for name in names
            }
            return tuple(each for each in self._known.values() if each)

    def verify(self) -> bool:
        """Reads them all; those whose bytes changed are none from now on. True if there are such."""
        broken = [each.path.name for each in self.refresh() if each.fault()]
        with self._lock:
            self._known |= dict.fromkeys(broken)
        return bool(broken)


def _read(path: Path) -> Volume | None:
    found = list[Volume]()
    try:
        fault = fault_of(lambda: found.append(_opened(path)))
    except FileNotFoundError:
        return None
    return None if fault else found[0]


def _opened(path: Path) -> Volume:
    with path.open("rb", buffering=0) as file:
        footer = read_footer(file)
    told: Mapping[str, Any] = footer.summary
    date, seals = str(told.get("volume", "")), told.get("rollups", ())
    if path.name != volume_name(date, footer.body_seal):
        raise ForeignPartError("volume", "it is a copy, or something else")
    return Volume(path, date, {str(seal): place for place, seal in enumerate(seals)})
