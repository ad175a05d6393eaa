"""The list below the filter bar: what could come next."""

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import fit
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import line

if TYPE_CHECKING:
    from store.analytics.filters import Completion

SHOWN_MAX = 8


class Completions(Drawn):
    """Shows up to SHOWN_MAX options; one of them is marked."""

    completion: reactive["Completion | None"] = reactive(None, repaint=False)
    marked: reactive[int] = reactive(0, repaint=False)

    def watch_completion(self) -> None:
        self.marked = 0
        options = self.completion.options if self.completion else ()
        self.set_class(bool(options), "-some")
        self.styles.height = min(len(options), SHOWN_MAX) + 2
        self.redraw()

    def watch_marked(self) -> None:
        self.redraw()

    def move(self, by: int) -> None:
        if self.completion and self.completion.options:
            self.marked = (self.marked + by) % len(self.completion.options)

    @property
    def option(self) -> str | None:
        """The marked one."""
        if self.completion and self.completion.options:
            return self.completion.options[self.marked]
        return None

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        options = self.completion.options if self.completion else ()
        first = max(0, self.marked - height + 1)
        rows = []
        for place, option in enumerate(options[first : first + height], first):
            row = line(
                [(fit(option, width, ellipsis=look.glyphs.ellipsis), look.style("text"))], width
            )
            rows.append(look.select(row) if place == self.marked else row)
        return rows
