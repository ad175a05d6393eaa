"""A matrix of shares as cells with a number each: its ground says how large it is among them all.

Without enough colours the number alone says it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.style import Style

from tui.formatting import fit
from tui.theme import Look
from tui.widgets.lines import PLAIN, Part

CELLS: Final = range(7, 12)
"""How wide a cell may be, with the free one at its right."""
# How strong the ground is of the least share above nothing, and of the largest.
_WEAKEST, _STRONGEST = 0.10, 0.72
# Where there are sixteen colours, the roles of the thirds of the scale.
_THIRDS: Final = ("dim", "text", "primary")
_THIRD: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One share of one; `count` is how many it stands for."""

    share: float
    count: int
    of: int
    likely: tuple[float, float] = (0.0, 1.0)
    """Where the true share lies."""
    is_over: bool = True
    """False while more may still come: it is marked, and lies outside the scale."""


def largest(rows: Sequence[Sequence[Cell | None]]) -> float:
    """The top of the scale: of all cells that are over."""
    shares = [cell.share for row in rows for cell in row if cell and cell.is_over]
    return max(shares, default=0.0)


@dataclass(frozen=True, slots=True)
class Tile:
    """How a cell is drawn: `width` cells, one of which stays free between two grounds; `top` is
    the share of the strongest ground.
    """

    width: int
    top: float
    look: Look
    chosen: bool = False

    def parts(self, cell: Cell | None, text: str) -> list[Part]:
        """`text` at the right of the tile; blank where there is nothing yet."""
        if cell is None:
            return [(" " * self.width, PLAIN)]
        ellipsis = self.look.glyphs.ellipsis
        mark = " " if cell.is_over else ellipsis
        shown = fit(text + mark, self.width - 1, right=True, ellipsis=ellipsis)
        return [(shown, self._style(cell)), (" ", PLAIN)]

    def _style(self, cell: Cell) -> Style:
        look = self.look
        if self.chosen and look.colour != "full":
            return Style(reverse=True, bold=True)
        if self.chosen:
            return look.style("background", bold=True, on="primary")
        if not cell.is_over:
            return look.style("dim")
        level = min(1.0, cell.share / self.top) if self.top > 0 else 0.0
        if look.colour != "full":
            return look.style(_THIRDS[min(2, int(level * 3))], bold=level > _THIRD * 2)
        if not cell.count:
            return look.style("faint")
        ground = look.shade("info", _WEAKEST + (_STRONGEST - _WEAKEST) * level).color
        return look.style("bright") + Style(bgcolor=ground)
