"""A bar from left to right in eighths of a cell: segments end to end."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style
from textual.strip import Strip

from tui.plots.canvas import row_strip
from tui.theme import Look


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a bar: its share of the whole width, and its colour."""

    role: str
    share: float
    shade: int = 3
    """Of `Glyphs.shades`: what it is filled with where there are few colours or none."""


def bar(segments: Sequence[Segment], width: int, look: Look, *, strength: float = 1.0) -> Strip:
    """`width` cells; any segment above zero shows at least an eighth. In a cell where segments
    meet, the first one's edge is drawn, on the colour of the next; with few colours, or with ASCII
    signs, the cell is of the one that fills most of it. `strength` is that of the first segment's
    colour over the background.
    """
    edges, at, total = [], 0, 0.0
    for segment in segments:
        total += max(0.0, segment.share)
        at = max(at + (segment.share > 0), round(total * width * 8))
        edges.append(min(at, width * 8))
    styles = [look.style(segment.role) for segment in segments]
    if segments and strength < 1:
        styles[0] = look.shade(segments[0].role, strength)
    parts = list(zip(segments, styles, edges, strict=True))
    drawn = [_cell(parts, column * 8, look) for column in range(width)]
    return row_strip([text for text, _ in drawn], [style for _, style in drawn])


def _cell(parts: Sequence[tuple[Segment, Style, int]], base: int, look: Look) -> tuple[str, Style]:
    """What fills the eight eighths from `base` on."""
    filled: list[tuple[int, Segment, Style]] = []
    lower = base
    for segment, style, edge in parts:
        if (upper := min(edge, base + 8)) > lower:
            filled.append((upper - lower, segment, style))
            lower = upper
    if not filled:
        return " ", Style()
    if look.colour != "full" or not look.glyphs.braille:
        _, segment, style = max(filled, key=lambda part: part[0])
        return look.glyphs.shades[segment.shade], style
    eighths, _, style = filled[0]
    if eighths == 8:
        return look.glyphs.lefts[8], look.solid(style)
    ground = Style(bgcolor=filled[1][2].color) if len(filled) > 1 else Style()
    return look.glyphs.lefts[eighths], style + ground
