"""A stat panel: one number, how it changed, and its course as a silhouette."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import Delta
from tui.plots.scale import Value
from tui.plots.spark import spark
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line


@dataclass(frozen=True, slots=True)
class Stat:
    """What a stat panel shows; all text is ready to be read."""

    title: str
    number: str
    unit: str
    values: Sequence[Value]
    role: str
    change: Delta | None = None
    good: int = 0
    """The direction of change that is good: 1 up, -1 down, 0 neither."""
    note: str = ""
    """What to know of the number."""


class StatPanel(Drawn):
    """Blank until its stat is set; hidden where there is nothing to tell."""

    stat: reactive[Stat | None] = reactive(None, repaint=False)

    def __init__(self, title: str) -> None:
        super().__init__(classes="panel")
        self.border_title = title

    def watch_stat(self, old: Stat | None, new: Stat | None) -> None:
        if new and (old is None or old.title != new.title):
            self.border_title = new.title
        self.border_subtitle = f" {new.note} " if new and new.note else ""
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        stat = self.stat
        if stat is None:
            return []
        number = [
            (stat.number, look.style("bright", bold=True)),
            (f" {stat.unit}" if stat.unit else "", look.style("dim")),
        ]
        rows = [line(number, width, change_parts(stat.change, stat.good, look))]
        return rows + spark(stat.values, width, max(0, height - 1), look, stat.role)


def change_parts(change: Delta | None, good: int, look: Look) -> list[Part]:
    """A change with its sign; coloured when it is good or bad, and of some size."""
    if change is None:
        return []
    glyphs = look.glyphs
    sign = {1: glyphs.up, 0: glyphs.same, -1: glyphs.down}[change.direction]
    if not good or not change.direction:
        return [(f"{sign} {change.text}", look.style("dim"))]
    if change.direction == good:
        return [(f"{sign} {change.text}", look.style("good"))]
    return [(f"{sign} {change.text}", look.style("bad", bold=True))]
