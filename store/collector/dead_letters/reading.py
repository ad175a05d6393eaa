"""The dead letters of a store, as its folder has them. Light."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from store.parts.layout import StoreFolder

SUFFIX: Final = ".ndjson"


@dataclass(frozen=True, slots=True)
class Letter:
    """Something that an intake rejected."""

    time: str
    """When it came, in ISO 8601."""
    intake: str
    place: str
    """Where in the delivery it stood."""
    reason: str
    fault: str
    content: str | None = None
    """What may be kept of it, masked; None for nothing."""
    size_bytes: int | None = None
    """How large it was; None where that is not known."""
    more: int = 0
    """So many others of the same delivery are not here."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in the file; what is not known is left out."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in known.items() if value not in (None, 0)}


class Held(NamedTuple):
    """What the folder takes."""

    files: int
    size_bytes: int


def files_of(folder: StoreFolder) -> list[Path]:
    """The oldest first."""
    try:
        return sorted(path for path in folder.dead_letter.iterdir() if path.suffix == SUFFIX)
    except OSError:
        return []


def held(folder: StoreFolder) -> Held:
    """How much there is, without reading it."""
    sizes = []
    for path in files_of(folder):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:  # one that gave way just now
            continue
    return Held(len(sizes), sum(sizes))


def letters(folder: StoreFolder) -> Iterator[Letter]:
    """All that are there, the oldest first; a line that a crash cut off is left aside."""
    for path in files_of(folder):
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            continue
        yield from filter(None, map(_letter, lines))


def _letter(line: bytes) -> Letter | None:
    try:
        document = json.loads(line)
        known = {k: v for k, v in document.items() if k in Letter.__dataclass_fields__}
        return Letter(**known)
    except (ValueError, TypeError, AttributeError):
        return None
