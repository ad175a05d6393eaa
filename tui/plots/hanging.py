"""Columns that stand on a base, and columns that hang from it."""

from collections.abc import Sequence
from typing import Final

from rich.segment import Segment
from textual.strip import Strip

from tui.plots.stack import Layer, stack
from tui.theme import Look

# What stands in a cell, as it hangs: there are blocks from the top in an eighth and a half alone.
_HANGING: Final = str.maketrans("▁▂▃▄▅▆▇", "▔▔▀▀▀▀█")

Side = tuple[Sequence[Layer], float]
"""Layers, and the value that the height of their side stands for."""


def rows_above(height: int, top: float, bottom: float) -> int:
    """How many of the rows are above the base, so that both sides have one scale, or nearly."""
    if not bottom or height < 2:
        return height
    return min(height - 1, max(1, round(height * top / (top + bottom))))


def both_ways(above: Side, below: Side, width: int, height: int, look: Look) -> list[Strip]:
    """`height` rows: the layers of `above` on the base, those of `below` hanging from it."""
    (layers, top), (hanging, bottom) = above, below
    upper = rows_above(height, top, bottom)
    mirrored = stack(hanging, width, height - upper, bottom, look)[::-1]
    return [
        *stack(layers, width, upper, top, look),
        *(_hung(strip) for strip in mirrored),
    ]


def _hung(strip: Strip) -> Strip:
    return Strip([Segment(s.text.translate(_HANGING), s.style) for s in strip], strip.cell_length)
