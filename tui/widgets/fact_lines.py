"""What is said of a whole answer: words and numbers one after the other, as many lines as it takes."""

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.theme import Look
from tui.views.answer_units import Cell
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line

Facts = Sequence[tuple[str, Cell]]
MARGIN: Final = 2
GAP: Final = 3
LINES_MAX: Final = 4


class FactLines(Drawn):
    """Hidden where there is nothing to say; a fact is never broken in two."""

    facts: reactive[Facts] = reactive((), repaint=False)

    def watch_facts(self) -> None:
        self._settle()
        self.redraw()

    def on_resize(self) -> None:
        self._settle()

    def _settle(self) -> None:
        self.display = bool(self.facts)
        if self.display and self.size.width:
            self.styles.height = min(LINES_MAX, len(_broken(self.facts, self.size.width)))

    def draw(self, size: Size, look: Look) -> list[Strip]:
        return [
            line(_parts(facts, look), size.width, ellipsis=look.glyphs.ellipsis)
            for facts in _broken(self.facts, size.width)
        ]


def _broken(facts: Facts, width: int) -> list[list[tuple[str, Cell]]]:
    """The facts of each line."""
    lines: list[list[tuple[str, Cell]]] = [[]]
    for fact in facts:
        if lines[-1] and _width([*lines[-1], fact]) > width:
            lines.append([])
        lines[-1].append(fact)
    return lines


def _width(facts: Facts) -> int:
    texts = [(f"{label} {cell.text} {cell.unit}".rstrip()) for label, cell in facts]
    return MARGIN + sum(cell_len(text) + GAP for text in texts) - GAP


def _parts(facts: Facts, look: Look) -> list[Part]:
    dim, strong = look.style("dim"), look.style("bright", bold=True)
    parts: list[Part] = [(" " * MARGIN, dim)]
    for at, (label, cell) in enumerate(facts):
        unit = cell.unit.replace("µ", look.glyphs.micro)
        parts += [(" " * GAP, dim)] if at else []
        parts += [(f"{label} ", dim), (cell.text, strong), (f" {unit}" if unit else "", dim)]
    return parts
