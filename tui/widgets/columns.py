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
    least: int = 0
    """Where even the columns of rank 0 do not fit, it gives way down to this; 0: not at all."""
    gap: int = 2
    """Blank cells after it."""


def fitting(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that fit into `width` cells, with their widths; none is narrower than it says."""
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        last = max(reversed(kept), key=lambda column: column.rank)
        if last.rank <= 0 and _needed(kept) - _giving(kept) <= width:
            break
        kept.remove(last)
    spare = width - _needed(kept)
    growing = sum(column.grows for column in kept)
    return [(column, _width(column, spare, growing)) for column in kept]


def _width(column: Column, spare: int, growing: int) -> int:
    """At most one column of a table gives way."""
    if spare < 0:
        return max(column.least, column.width + spare) if column.least else column.width
    return column.width + (spare // growing if column.grows else 0)


def _giving(columns: Sequence[Column]) -> int:
    return sum(column.width - column.least for column in columns if column.least)


def _needed(columns: Sequence[Column]) -> int:
    """Without the gap after the last."""
    gaps = [column.gap for column in columns[:-1]]
    return sum(column.width for column in columns) + sum(gaps)
