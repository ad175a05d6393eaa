"""A chart: a plot inside axes, with a grid, round time ticks, marked instants and a brush."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from rich.cells import cell_len
from textual.strip import Strip

from store.timespan import TimeSpan
from tui.formatting import clean
from tui.plots.canvas import Canvas
from tui.plots.hanging import rows_above
from tui.plots.scale import axis_label, divisions
from tui.plots.ticks import time_ticks
from tui.theme import Look

# Always as wide: a label that grows from 80 to 1,500 must not shift the whole picture.
GUTTER = 6
_BELOW = 2

Body = Callable[[int, int], Sequence[Strip]]
"""Draws the plot itself for a width and a height."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant worth a word: a deploy, a note, an anomaly."""

    instant: datetime
    text: str
    role: str = "mark"


@dataclass(frozen=True, slots=True)
class Peak:
    """A value that lies above the axis: when, and how much in words."""

    instant: datetime
    text: str
    role: str


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """Where the plot lies within the chart: its left edge, and its size without the axes."""

    span: TimeSpan
    left: int
    width: int
    height: int

    def column(self, instant: datetime) -> int:
        """The column of the chart that shows the instant; outside the span, one beyond the plot."""
        if not self.span.length:
            return self.left
        share = (instant - self.span.start) / self.span.length
        return self.left + max(-1, min(self.width, int(share * self.width // 1)))

    def instant(self, column: int) -> datetime:
        """The start of what that column shows; columns beside the plot count as its edges."""
        within = max(0, min(self.width, column - self.left))
        return self.span.start + self.span.length * within / max(1, self.width)


def chart_frame(span: TimeSpan, width: int, height: int) -> ChartFrame:
    """How `chart` divides that many cells; for mapping a mouse or a brush to instants."""
    return ChartFrame(span, GUTTER, max(0, width - GUTTER), max(0, height - _BELOW))


def chart(
    body: Body,
    *,
    span: TimeSpan,
    top: float,
    width: int,
    height: int,
    look: Look,
    zone: tzinfo = UTC,
    marks: Sequence[Mark] = (),
    peaks: Sequence[Peak] = (),
    brush: TimeSpan | None = None,
    bottom: float = 0.0,
) -> list[Strip]:
    """`height` rows of `width` cells: the body, a value axis up to `top` (and down to `-bottom`, as
    `hanging` divides the rows) on its left, the time axis in the two rows below. The grid and the stems of marks lie behind the data, the words of
    marks over it; so do the signs of peaks, which the axis cuts off.
    """
    frame = chart_frame(span, width, height)
    canvas = Canvas(width, height)
    if frame.width < 1 or frame.height < 1:
        return canvas.strips()
    canvas.paste(body(frame.width, frame.height), frame.left, 0)
    if brush is not None:
        _draw_brush_ground(canvas, frame, brush, look)
    _draw_peaks(canvas, frame, peaks, look, row=int(any(_inside(marks, frame))))
    _draw_marks(canvas, frame, marks, look)
    _draw_value_axis(canvas, frame, top, bottom, look)
    _draw_time_axis(canvas, frame, zone, look)
    if brush is not None:
        _draw_brush_handles(canvas, frame, brush, look)
    return canvas.strips()


def _draw_value_axis(
    canvas: Canvas, frame: ChartFrame, top: float, bottom: float, look: Look
) -> None:
    height = rows_above(frame.height, top, bottom)
    steps = divisions(top, height)
    faint, dim = look.style("faint"), look.style("dim")
    if bottom:
        canvas.put(0, frame.height, f"-{axis_label(bottom)}".rjust(GUTTER - 1), dim)
    for step in range(steps + 1):
        row = round(height * (1 - step / steps))
        canvas.put(0, row, axis_label(top * step / steps).rjust(GUTTER - 1), dim)
        if step:
            for column in range(frame.left, frame.left + frame.width):
                canvas.behind(column, row, look.glyphs.grid, faint)


def _draw_time_axis(canvas: Canvas, frame: ChartFrame, zone: tzinfo, look: Look) -> None:
    faint, dim = look.style("faint"), look.style("dim")
    canvas.put(frame.left, frame.height, look.glyphs.axis * frame.width, faint)
    for x, label in time_ticks(frame.span, frame.width, zone):
        canvas.put(frame.left + x, frame.height, look.glyphs.tick, faint)
        canvas.put(frame.left + x - len(label) // 2, frame.height + 1, label, dim)


def _draw_marks(canvas: Canvas, frame: ChartFrame, marks: Sequence[Mark], look: Look) -> None:
    """A stem for each, and its words unless an earlier mark's lie there already."""
    inside = sorted(_inside(marks, frame), key=lambda mark: mark.instant)
    free = frame.left
    for mark in inside:
        column, style = frame.column(mark.instant), look.style(mark.role)
        head = 0 if column >= free else 1
        for row in range(head + 1, frame.height):
            canvas.behind(column, row, look.glyphs.stem, style)
        if head:
            canvas.behind(column, head, look.glyphs.mark, style)
        else:
            free = _put_words(canvas, column, free, mark, look)


def _inside(marks: Iterable[Mark], frame: ChartFrame) -> list[Mark]:
    return [mark for mark in marks if frame.span.contains(mark.instant)]


def _draw_peaks(
    canvas: Canvas, frame: ChartFrame, peaks: Sequence[Peak], look: Look, *, row: int
) -> None:
    """A sign where the axis cuts a value off, and the value beside it where there is room."""
    free = frame.left
    columns = {frame.column(peak.instant) for peak in peaks}
    for column in columns:
        role = next(peak.role for peak in peaks if frame.column(peak.instant) == column)
        canvas.put(column, row, look.glyphs.up, look.style(role, bold=True))
    for peak in sorted(peaks, key=lambda peak: peak.instant):
        column, size = frame.column(peak.instant), cell_len(peak.text) + 1
        for start in (column + 1, column - size):
            taken = columns & {*range(start, start + size)}
            if free <= start and start + size <= canvas.width and peak.text and not taken:
                text = f" {peak.text}" if start > column else f"{peak.text} "
                canvas.put(start, row, text, look.style(peak.role))
                free = start + size + 1
                break


def _put_words(canvas: Canvas, column: int, free: int, mark: Mark, look: Look) -> int:
    """Right of its stem, else left of it, else the sign alone; gives the first free column."""
    words = clean(mark.text, ascii_only=not look.glyphs.braille)
    style, size = look.style(mark.role), cell_len(words)
    if column + 2 + size <= canvas.width:
        canvas.put(column, 0, f"{look.glyphs.mark} {words}", style)
        return column + size + 4
    left = column - 1 - size
    if left >= free:
        canvas.put(left, 0, f"{words} ", style)
    canvas.put(column, 0, look.glyphs.mark, style)
    return column + 3


def _brushed(frame: ChartFrame, brush: TimeSpan) -> range:
    first = max(frame.left, frame.column(brush.start))
    last = frame.column(brush.end)
    return range(first, max(first + 1, min(last, frame.left + frame.width)))


def _draw_brush_ground(canvas: Canvas, frame: ChartFrame, brush: TimeSpan, look: Look) -> None:
    ground = look.ground("selection")
    for row in range(frame.height):
        for column in _brushed(frame, brush):
            canvas.under(column, row, ground)


def _draw_brush_handles(canvas: Canvas, frame: ChartFrame, brush: TimeSpan, look: Look) -> None:
    """The brushed stretch on the axis itself, which also stands out without colour."""
    taken = _brushed(frame, brush)
    style = look.style("primary", bold=True)
    canvas.put(taken.start, frame.height, look.glyphs.brush * len(taken), style)
    if len(taken) > 1:
        canvas.put(taken.start, frame.height, look.glyphs.brush_start, style)
        canvas.put(taken.stop - 1, frame.height, look.glyphs.brush_end, style)
