"""Lines of styled text at exact widths: what headers, tables and panels are put together from."""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.formatting import fit
from tui.theme import Look

Part = tuple[str, Style]
"""A piece of cleaned text and its style."""
Advice = Sequence[tuple[str, str]]
"""Lines of text, each with its role."""
PLAIN: Final = Style()


def cells(parts: Iterable[Part]) -> int:
    """How many cells wide the parts are."""
    return sum(cell_len(text) for text, _ in parts)


def cut(parts: Sequence[Part], width: int, ellipsis: str = "…") -> list[Part]:
    """The parts that fit into `width` cells; the last one cut with an ellipsis."""
    kept: list[Part] = []
    for text, style in parts:
        size = cell_len(text)
        if size > width:
            return [*kept, (fit(text, width, ellipsis=ellipsis), style)] if width > 0 else kept
        kept.append((text, style))
        width -= size
    return kept


def line(
    left: Sequence[Part], width: int, end: Sequence[Part] = (), *, ellipsis: str = "…"
) -> Strip:
    """`left` from the left and `end` at the right, at exactly `width` cells.

    When both do not fit, `left` is cut; `end` holds the number, and a number is never cut: it
    goes as a whole when there is no room for it at all.
    """
    kept_end = end if cells(end) <= width else ()
    room = width - cells(kept_end)
    kept = cut(left, room, ellipsis)
    gap = room - cells(kept)
    parts = [*kept, (" " * gap, PLAIN), *kept_end]
    return Strip([Segment(text, style) for text, style in parts if text], width)


def blank(width: int) -> Strip:
    """An empty line."""
    return Strip([Segment(" " * width, PLAIN)], width)


def centred(advice: Advice, width: int, height: int, look: Look) -> list[Strip]:
    """Lines in the middle, all from the same column, so that one can be pasted whole."""
    widest = max((cell_len(text) for text, _ in advice), default=0)
    indent = " " * max(0, (width - widest) // 2)
    rows = [blank(width)] * max(0, (height - len(advice)) // 2 - 1)
    for text, role in advice:
        part: Part = (indent + text, look.style(role, bold=role == "bright"))
        rows.append(line([part], width, ellipsis=look.glyphs.ellipsis))
    return rows


def scrollbar(top: int, height: int, total: int, look: Look) -> list[Part]:
    """One cell a row: where in all the rows one is; blank when all are seen."""
    if total <= height:
        return [(" ", look.style("faint"))] * max(0, height)
    size = max(1, round(height * height / total))
    start = round(top / max(1, total - height) * (height - size))
    rail, thumb = look.glyphs.rail, look.glyphs.thumb
    return [
        (thumb, look.style("dim")) if start <= y < start + size else (rail, look.style("faint"))
        for y in range(height)
    ]
