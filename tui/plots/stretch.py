"""A stretch of a line in one row: from when to when something lasted."""

from collections.abc import Sequence

from tui.theme import Look
from tui.widgets.lines import Part


def stretch(
    start: float, end: float, width: int, look: Look, role: str, *, rail: str = " "
) -> Sequence[Part]:
    """`width` cells that stand for 0 to 1, thick from `start` to `end` in halves of a cell; what is
    shorter than a half is a dot. The part outside of 0 to 1 is not drawn; `rail` is what stands
    beside the line.
    """
    if width <= 0:
        return []
    glyphs = look.glyphs
    faint = look.style("faint")
    if end < 0 or start > 1:
        return [(rail * width, faint)]
    first = max(0, min(int(start * width * 2), width * 2 - 1))
    last = max(first, min(int(end * width * 2), width * 2 - 1))
    drawn = [glyphs.line] * (last // 2 - first // 2 + 1)
    if first == last:
        drawn = [glyphs.dot]
    elif len(drawn) > 1:
        drawn[0] = glyphs.line_right if first % 2 else glyphs.line
        drawn[-1] = glyphs.line if last % 2 else glyphs.line_left
    return [
        (rail * (first // 2), faint),
        ("".join(drawn), look.style(role)),
        (rail * (width - 1 - last // 2), faint),
    ]
