"""Stacked columns in eighths of a cell: the first layer stands on the base."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rich.style import Style
from textual.strip import Strip

from tui.plots.canvas import row_strip
from tui.plots.scale import Value, columns
from tui.theme import Look

_FOOT = 0.5
# Roles that matter stay at full strength; the mass above them fades towards its foot.
_SHADED = frozenset({"info", "other", "muted", "primary"})


@dataclass(frozen=True, slots=True)
class Layer:
    """One series of a stack: `values` on equal steps of the whole width, None for unknown."""

    role: str
    values: Sequence[Value]


class _Slice(NamedTuple):
    """How many eighths of one cell a layer fills; layer -1 is the emptiness above."""

    eighths: int
    layer: int


def stack(layers: Sequence[Layer], width: int, height: int, top: float, look: Look) -> list[Strip]:
    """`height` rows of the layers on top of each other, the full height standing for `top`.

    Any value above zero shows at least an eighth. A cell holds two colours at most: the lowest
    slice and the largest other. Without colour a cell shows the layer that fills most of it.
    """
    heights = _column_edges([columns(layer.values, width) for layer in layers], height * 8, top)
    roles = tuple(layer.role for layer in layers)
    strips = []
    for row in range(height - 1, -1, -1):
        base = row * 8
        within = (tuple(min(8, max(0, edge - base)) for edge in edges) for edges in heights)
        drawn = [_cell(edges, row, height, roles, look) for edges in within]
        strips.append(row_strip([text for text, _ in drawn], [style for _, style in drawn]))
    return strips


def _column_edges(rows: list[list[float | None]], most: int, top: float) -> list[tuple[int, ...]]:
    """For each column the upper edge of each layer, in eighths from the base."""
    columns_edges = []
    for values in zip(*rows, strict=True):
        total, edge, edges = 0.0, 0, []
        for value in values:
            if value is not None and value > 0:
                total += value
                edge = max(edge + 1, round(total / top * most))
            edges.append(min(edge, most))
        columns_edges.append(tuple(edges))
    return columns_edges


# Few columns differ, and fewer cells: most of a live picture comes out of this cache.
@lru_cache(maxsize=16_384)
def _cell(
    edges: tuple[int, ...], row: int, height: int, roles: tuple[str, ...], look: Look
) -> tuple[str, Style]:
    draw = _coloured if look.colour != "none" and look.glyphs.braille else _plain
    return draw(_slices(edges), row, height, roles, look)


def _slices(edges: tuple[int, ...]) -> list[_Slice]:
    """What lies in a cell from its foot up, by the upper edges of the layers within it."""
    slices = []
    lower = 0
    for layer, upper in enumerate((*edges, 8)):
        if upper > lower:
            slices.append(_Slice(upper - lower, layer if layer < len(edges) else -1))
            lower = upper
    return slices


def _coloured(
    slices: list[_Slice], row: int, height: int, roles: tuple[str, ...], look: Look
) -> tuple[str, Style]:
    lowest, *others = slices
    if lowest.layer < 0:
        return " ", Style()
    lower = _style(roles[lowest.layer], row, height, look)
    if not others:
        return "█", look.solid(lower)
    upper = max(others, key=lambda part: part.eighths)
    glyph = look.glyphs.eighths[lowest.eighths]
    if upper.layer < 0:
        return glyph, lower
    above = _style(roles[upper.layer], row, height, look)
    return glyph, lower + Style(bgcolor=above.color)


def _style(role: str, row: int, height: int, look: Look) -> Style:
    if role not in _SHADED:
        return look.style(role)
    return look.shade(role, _FOOT + (1 - _FOOT) * (row + 1) / height)


def _plain(
    slices: list[_Slice], row: int, _height: int, roles: tuple[str, ...], look: Look
) -> tuple[str, Style]:
    filled = [part for part in slices if part.layer >= 0]
    if not filled or (row and sum(part.eighths for part in filled) < 4):
        return " ", Style()
    role = roles[max(filled, key=lambda part: part.eighths).layer]
    return look.glyphs.fill.get(role, look.glyphs.fill["info"]), look.style(role)
