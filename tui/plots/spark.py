"""A sparkline: a filled silhouette in braille, dark at its foot, bright at its head."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.plots.scale import Value, columns
from tui.theme import Look

# Bits of a braille cell's left and right dot column, from the bottom up.
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_LEFT_FILLED = tuple(sum(_LEFT[:dots]) for dots in range(5))
_RIGHT_FILLED = tuple(sum(_RIGHT[:dots]) for dots in range(5))
_FOOT = 0.55


def spark(
    values: Sequence[Value], width: int, height: int, look: Look, role: str = "info"
) -> list[Strip]:
    """`height` rows; two values a cell in braille, else one. The scale starts at zero; a known
    value that is not zero shows at least one dot, an unknown one nothing.
    """
    if width <= 0 or height <= 0:
        return [Strip([], 0) for _ in range(max(0, height))]
    braille = look.glyphs.braille
    levels = _levels(columns(values, width * (2 if braille else 1)), height * (4 if braille else 8))
    draw = _braille_row if braille else _blocks_row
    rows = range(height - 1, -1, -1)
    return [
        Strip([Segment(draw(levels, row, look), _style(look, role, row, height))]) for row in rows
    ]


def _style(look: Look, role: str, row: int, height: int) -> Style:
    return look.shade(role, _FOOT + (1 - _FOOT) * (row + 1) / height)


def _levels(values: Sequence[float | None], most: int) -> list[int]:
    top = max((value for value in values if value is not None), default=0.0)
    if top <= 0:
        return [0 if value is None else 1 for value in values]
    return [0 if value is None else max(1, round(max(0.0, value) / top * most)) for value in values]


def _braille_row(levels: list[int], row: int, _look: Look) -> str:
    dots = [min(4, max(0, level - row * 4)) for level in levels]
    pairs = zip(dots[::2], dots[1::2], strict=True)
    cells = (_LEFT_FILLED[left] | _RIGHT_FILLED[right] for left, right in pairs)
    return "".join(chr(0x2800 + cell) if cell else " " for cell in cells)


def _blocks_row(levels: list[int], row: int, look: Look) -> str:
    return "".join(look.glyphs.eighths[min(8, max(0, level - row * 8))] for level in levels)
