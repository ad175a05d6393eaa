"""A bar over a wider one: how far something reaches within what it is a part of."""

from collections.abc import Sequence

from tui.theme import Look
from tui.widgets.lines import Part


def reach(share: float, of: float, width: int, look: Look, role: str) -> Sequence[Part]:
    """`width` cells that stand for 0 to 1: `share` in the role's colour, and what is left of `of`
    dotted behind it. Any share above zero shows.
    """
    if width <= 0:
        return []
    glyphs = look.glyphs
    halves = min(max(1, round(share * width * 2)), width * 2) if share > 0 else 0
    behind = max(0, min(round(of * width), width) - (halves + 1) // 2)
    # A half would leave a gap to what is behind it.
    half = glyphs.line if behind else glyphs.line_left
    drawn = glyphs.line * (halves // 2) + half * (halves % 2)
    return [
        (drawn, look.style(role)),
        (glyphs.grid * behind, look.style("faint")),
        (" " * (width - len(drawn) - behind), look.style("faint")),
    ]
