"""The base of every panel: a widget that draws itself as strips, and only when something changed."""

from itertools import groupby
from typing import Any, Final

from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.glyphs import FULL
from tui.theme import Look, look_of
from tui.told import Told
from tui.widgets.lines import Advice, blank, centred

_NEVER_SET: Final = object()


class _PlainTitle:
    """A border's title: text as it is, where Textual would read markup (an event's name may hold
    `[/b]`), and set only when it changes, since setting it draws the whole widget anew.
    """

    def __init__(self, name: str) -> None:
        self._inner: Any = Widget.__dict__[name]
        self._key = f"_last_{name}"

    def __get__(self, widget: Any, owner: type | None = None) -> Any:
        return self if widget is None else widget.__dict__.get(self._key)

    def __set__(self, widget: Any, title: Any) -> None:
        if widget.__dict__.get(self._key, _NEVER_SET) != title:
            widget.__dict__[self._key] = title
            self._inner.__set__(widget, Content(title) if isinstance(title, str) else title)


class Drawn(Widget):
    """Subclasses give `draw`, a pure function of their data, the size and the look.

    Their reactives are made with `repaint=False` and call `redraw`: only rows that differ from
    those on the screen are then rendered by Textual, which costs far more than drawing them.
    """

    ALLOW_SELECT = False  # selecting is the terminal's, with shift
    border_title: Any = _PlainTitle("border_title")
    border_subtitle: Any = _PlainTitle("border_subtitle")
    stale = False
    """True while a newer answer is awaited: the last good one stays, dimmed."""
    instead: Advice = ()
    """What stands in its middle in place of a picture, while there is none yet."""

    _rows: list[Strip] | None = None
    _drawn_for: object = None
    _redraw_due = False

    def draw(self, size: Size, look: Look) -> list[Strip]:
        """At most `size.height` strips of `size.width` cells; missing ones are blank."""
        raise NotImplementedError

    def told(self) -> Told | None:
        """What it shows, for a file; None where that is no table."""
        return None

    def redraw(self) -> None:
        """Draws anew before the next frame, once: call it when the data changed."""
        if self._redraw_due:
            return
        self._redraw_due = True
        if self.is_mounted and self._rows is not None:
            self.call_next(self._redraw_now)
        else:
            self.refresh()

    def set_stale(self, stale: bool) -> None:
        if stale != self.stale:
            self.stale = stale
            self.redraw()

    def say_instead(self, advice: Advice) -> None:
        if advice != self.instead:
            self.instead = advice
            self.redraw()

    def render_lines(self, crop: Region) -> list[Strip]:
        """With the sign of the house where Textual cut a title in the border."""
        strips = super().render_lines(crop)
        cut = look_of(self.app).glyphs.ellipsis
        if cut == FULL.ellipsis:
            return strips
        edges = (0, self.outer_size.height - 1)
        return [
            _resigned(strip, cut) if at in edges else strip
            for at, strip in enumerate(strips, crop.y)
        ]

    def render_line(self, y: int) -> Strip:
        if self._rows is None or self._redraw_due or self._drawing_for() != self._drawn_for:
            self._redraw_now()
        assert self._rows is not None
        return self._rows[y] if y < len(self._rows) else Strip.blank(self.size.width)

    def _drawing_for(self) -> tuple[object, ...]:
        """All that the rows depend on beside the data."""
        return (*self.size, self.app.theme, self.background_colors[1].rich_color)

    def _redraw_now(self) -> None:
        self._redraw_due = False
        old, was_for = self._rows, self._drawn_for
        self._drawn_for = self._drawing_for()
        self._rows = self._finished(*self.size, Style(bgcolor=self.background_colors[1].rich_color))
        if old is None or was_for != self._drawn_for:
            self.refresh()
        elif changed := _changed_regions(old, self._rows):
            self.refresh(*changed)

    def _finished(self, width: int, height: int, ground: Style) -> list[Strip]:
        """`draw`, filled up to `height`; content gets no background from the style sheet."""
        look = look_of(self.app)
        if self.instead:
            rows = centred(self.instead, width, height, look)[:height]
        else:
            rows = self.draw(self.size, look)[:height] if width > 0 else []
        rows += [blank(width)] * (height - len(rows))
        if self.stale:
            rows = [dimmed(row, look.style("dim")) for row in rows]
        return [strip.apply_style(ground) for strip in rows]


def _resigned(strip: Strip, cut: str) -> Strip:
    return Strip(
        [
            Segment(text.replace(FULL.ellipsis, cut), style, control)
            for text, style, control in strip
        ],
        strip.cell_length,
    )


def _changed_regions(old: list[Strip], new: list[Strip]) -> list[Region]:
    """Where the rows differ, neighbours together."""
    differs = [was != now for was, now in zip(old, new, strict=True)]
    regions = []
    for is_changed, group in groupby(range(len(new)), key=differs.__getitem__):
        rows = list(group)
        if is_changed:
            regions.append(Region(0, rows[0], new[rows[0]].cell_length, len(rows)))
    return regions


def dimmed(strip: Strip, style: Style) -> Strip:
    """The same text in one style."""
    return Strip([Segment(segment.text, style) for segment in strip], strip.cell_length)
