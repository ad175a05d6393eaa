"""The base of every panel: a widget that draws itself as strips, and only when something changed."""

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.theme import Look, look_of
from tui.widgets.lines import blank


class Drawn(Widget):
    """Subclasses give `draw`, a pure function of their data, the size and the look."""

    ALLOW_SELECT = False  # selecting is the terminal's, with shift
    stale = False
    """True while a newer answer is awaited: the last good one stays, dimmed."""

    _rows: list[Strip] | None = None
    _drawn_for: object = None

    def draw(self, size: Size, look: Look) -> list[Strip]:
        """At most `size.height` strips of `size.width` cells; missing ones are blank."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draws anew at the next frame: call it when the data changed."""
        self._rows = None
        self.refresh()

    def set_stale(self, stale: bool) -> None:
        if stale != self.stale:
            self.stale = stale
            self.redraw()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        background = self.background_colors[1].rich_color
        drawn_for = (width, height, self.app.theme, background)
        if self._rows is None or drawn_for != self._drawn_for:
            self._rows = self._finished(width, height, Style(bgcolor=background))
            self._drawn_for = drawn_for
        return self._rows[y] if y < len(self._rows) else Strip.blank(width)

    def _finished(self, width: int, height: int, ground: Style) -> list[Strip]:
        """`draw`, filled up to `height`; content gets no background from the style sheet."""
        look = look_of(self.app)
        rows = self.draw(self.size, look)[:height] if width > 0 else []
        rows += [blank(width)] * (height - len(rows))
        if self.stale:
            rows = [dimmed(row, look.style("dim")) for row in rows]
        return [strip.apply_style(ground) for strip in rows]


def dimmed(strip: Strip, style: Style) -> Strip:
    """The same text in one style."""
    return Strip([Segment(segment.text, style) for segment in strip], strip.cell_length)
