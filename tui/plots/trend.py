"""A trend: one row of bars, for the cell of a table."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip

from tui.plots.scale import Value, columns
from tui.theme import Look

# One below the full block: rows of a table would otherwise merge into a wall.
_LEVEL_MAX = 7


def trend(values: Sequence[Value], width: int, look: Look, role: str = "muted") -> Strip:
    """`width` bars between nothing and the largest value; unknown is blank, zero is the lowest
    bar, so that a quiet stretch still reads as one.
    """
    shown = columns(values, width)
    top = max((value for value in shown if value is not None), default=0.0)
    bars = (" " if value is None else _bar(value, top, look) for value in shown)
    return Strip([Segment("".join(bars), look.style(role))], width)


def _bar(value: float, top: float, look: Look) -> str:
    level = round(max(0.0, value) / top * _LEVEL_MAX) if top > 0 else 0
    return look.glyphs.eighths[max(1, level)]
