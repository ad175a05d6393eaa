"""What a panel shows, as a table of plain values: for a file, or whoever else wants the numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Plain = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """Rows of the same columns; `of` is how many there are where these are only some of them."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Plain]]
    of: int | None = None


def told_of(rows: Iterable[Mapping[str, Any]], of: int | None = None) -> Told:
    """Rows of named values: those that are plain, and lists of them as texts with commas."""
    plain = [{name: _plain(value) for name, value in _flat(row)} for row in rows]
    columns = list(dict.fromkeys(name for row in plain for name in row))
    return Told(columns, [[row.get(name) for name in columns] for row in plain], of)


def _flat(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """An object within a row, such as its event, is named by its own columns."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from value.items()
        elif value is None or isinstance(value, Plain) or _is_list(value):
            yield name, value


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, Plain) for each in value)


def _plain(value: Any) -> Plain:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
