"""Columns of a table, and which of them there is room for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui.theme import Look
from tui.widgets.lines import Part

Row = Mapping[str, Any]
"""The values of one row by column name."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its cell is `width` cells wide, whatever the value."""

    name: str
    title: str
    width: int
    cell: Callable[[Row, int, Look], Sequence[Part]]
    right: bool = False
    """The title stands at the right, as its numbers do."""
    rank: int = 0
    """Where there is no room for all, the columns of the highest rank go."""
    grows: bool = False
    """It takes what is left."""
    sortable: bool = True
    gap: int = 2
    """Blank cells after it."""


def fitting(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, with their widths; none is narrower than it says."""
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        kept.remove(max(reversed(kept), key=lambda column: column.rank))
    spare = max(0, width - _needed(kept))
    growing = sum(column.grows for column in kept)
    return [(column, column.width + (spare // growing if column.grows else 0)) for column in kept]


def _needed(columns: Sequence[Column]) -> int:
    """Without the gap after the last."""
    gaps = [column.gap for column in columns[:-1]]
    return sum(column.width for column in columns) + sum(gaps)
