"""Lanes: where in a session its parts were at work, one row each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from store.timespan import TimeSpan
from tui.formatting import fit
from tui.messages import SpanPicked
from tui.plots.chart import Mark
from tui.plots.ticks import time_ticks
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, line

NAME_WIDTH: Final = 14
# The least that is told apart from an empty stretch.
_LEVEL_MIN: Final = 3
_LEVEL_MAX: Final = 7


@dataclass(frozen=True, slots=True)
class Lane:
    """One row: how much happened at each of equal steps over the span, and how bad it was."""

    name: str
    counts: Sequence[int]
    roles: Sequence[str]


@dataclass(frozen=True, slots=True)
class LanesShown:
    """What the panel shows."""

    span: TimeSpan | None = None
    lanes: Sequence[Lane] = ()
    mark: Mark | None = None
    """Where the cursor of the table stands."""
    zone: tzinfo = field(default=UTC)


class Lanes(Drawn):
    """Posts SpanPicked for the step that was clicked."""

    shown: reactive[LanesShown] = reactive(LanesShown(), repaint=False)

    def watch_shown(self) -> None:
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        shown = self.shown
        if shown.span is None:
            return []
        room = max(1, width - NAME_WIDTH)
        rows = [self._lane(lane, room, look) for lane in shown.lanes[: height - 1]]
        return [*rows, self._axis(shown.span, room, look)]

    def _lane(self, lane: Lane, room: int, look: Look) -> Strip:
        name = fit(lane.name, NAME_WIDTH - 2, ellipsis=look.glyphs.ellipsis)
        parts: list[Part] = [(f"{name}  ", look.style("dim"))]
        top = max(lane.counts, default=0)
        steps = len(lane.counts)
        for column in range(room if steps else 0):
            first = column * steps // room
            last = max(first + 1, (column + 1) * steps // room)
            count = max(lane.counts[first:last])
            role = max(lane.roles[first:last], key=_rank)
            parts.append(_cell(count, top, role, look))
        return Strip([Segment(text, style) for text, style in parts])

    def _axis(self, span: TimeSpan, room: int, look: Look) -> Strip:
        """The times, and a sign where the cursor stands."""
        cells = [" "] * room
        for tick in time_ticks(span, room, self.shown.zone):
            start = max(0, min(tick.x - len(tick.label) // 2, room - len(tick.label)))
            cells[start : start + len(tick.label)] = tick.label
        text = "".join(cells)
        blank: Part = (" " * NAME_WIDTH, look.style("dim"))
        if (mark := self.shown.mark) is None:
            return line([blank, (text, look.style("dim"))], room + NAME_WIDTH)
        at = max(0, min(room - 1, int((mark.instant - span.start) / span.length * room)))
        return line(
            [
                blank,
                (text[:at], look.style("dim")),
                (look.glyphs.up, look.style("primary", bold=True)),
                (text[at + 1 :], look.style("dim")),
            ],
            room + NAME_WIDTH,
        )

    def on_click(self, click: events.Click) -> None:
        at, span = click.get_content_offset(self), self.shown.span
        room = self.size.width - NAME_WIDTH
        if at is None or span is None or at.x < NAME_WIDTH or room < 1:
            return
        start = span.start + span.length * ((at.x - NAME_WIDTH) / room)
        self.post_message(SpanPicked(TimeSpan(start, start + span.length / room)))


_ORDER: Final = ("", "muted", "info", "warning", "error")


def _rank(role: str) -> int:
    return _ORDER.index(role)


def _cell(count: int, top: int, role: str, look: Look) -> Part:
    if not count:
        return look.glyphs.grid, look.style("faint")
    level = max(_LEVEL_MIN, round(count / top * _LEVEL_MAX))
    return look.glyphs.eighths[level], look.style(role)
