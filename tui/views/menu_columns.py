"""The list of analyses: a name, and what it tells where there is room for it."""

from typing import Final

from tui.formatting import fit
from tui.theme import Look
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

NAME_WIDTH: Final = 13


def menu_columns() -> tuple[Column, ...]:
    return (
        Column("name", "name", NAME_WIDTH, _name, sortable=False),
        Column("says", "tells", 30, _says, rank=1, grows=True, sortable=False),
    )


def _name(row: Row, width: int, look: Look) -> list[Part]:
    return [(fit(row["name"], width, ellipsis=look.glyphs.ellipsis), look.style("bright"))]


def _says(row: Row, width: int, look: Look) -> list[Part]:
    return [(fit(row["says"], width, ellipsis=look.glyphs.ellipsis), look.style("text"))]
