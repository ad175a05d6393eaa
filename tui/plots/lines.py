"""Curves in braille. plotext draws the dots; its colours are only tags for our styles."""

import math
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.plots.scale import Value
from tui.theme import Look

_COLOUR = re.compile("\x1b\\[([0-9;]*)m")
# One figure a thread: a figure is no value, and a shared one would mix two charts.
_figures = threading.local()


@dataclass(frozen=True, slots=True)
class Curve:
    """Values on equal steps of the whole width; None is a gap. Later curves lie on top."""

    role: str
    values: Sequence[Value]
    dotted: bool = False


def lines(curves: Sequence[Curve], width: int, height: int, top: float, look: Look) -> list[Strip]:
    """`height` rows with every curve, from zero at the base to `top`; what is above is clipped."""
    if width <= 0 or height <= 0:
        return [Strip([], 0) for _ in range(max(0, height))]
    figure = _blank_figure(width, height, top)
    for tag, curve in enumerate(curves, 1):
        marker = "braille" if look.glyphs.braille else "." if curve.dotted else "*"
        for xs, ys in _runs(curve.values, top):
            # A NaN aborts the whole process inside plotext: _runs lets none through.
            signal = figure.signal(xs, ys, marker=_marker(marker, tag))
            if not curve.dotted and len(xs) > 1:
                signal.lines()
            figure.draw(signal)
    styles = [Style(), *(look.style(curve.role) for curve in curves)]
    drawn = figure.build().string().split("\n")[:height]
    return [_strip(line, styles, width) for line in drawn]


def _blank_figure(width: int, height: int, top: float) -> Any:
    if not hasattr(_figures, "terminal"):
        from plotext._kernel.terminal import terminal

        # Its own terminal: no clamp to the size of the tty, no state shared with others.
        _figures.terminal = terminal()
        _figures.terminal.limit(False, False)
    figure = _figures.terminal._master  # noqa: SLF001
    figure.clear()
    figure.plot_size(width, height)
    figure.canvas("default")
    figure.axes(False)
    figure.legend(False)
    figure.ruler("x").ticks([])
    figure.ruler("y").ticks([])
    figure.ruler("x").lim(0, 1)
    figure.ruler("y").lim(0, top)
    return figure


def _marker(name: str, tag: int) -> Any:
    import plotext

    return plotext.marker(name).fill((tag, 0, 0))


def _runs(values: Sequence[Value], top: float) -> Iterator[tuple[list[float], list[float]]]:
    """The stretches between gaps, each value in the middle of its step."""
    xs: list[float] = []
    ys: list[float] = []
    for index, value in enumerate(values):
        if value is None or not math.isfinite(value):
            if xs:
                yield xs, ys
            xs, ys = [], []
        else:
            xs.append((index + 0.5) / len(values))
            ys.append(min(max(0.0, float(value)), top))
    if xs:
        yield xs, ys


def _strip(line: str, styles: Sequence[Style], width: int) -> Strip:
    segments: list[Segment] = []
    style = styles[0]
    for index, piece in enumerate(_COLOUR.split(line)):
        if index % 2:
            tagged = piece.startswith("38;2;")
            style = styles[int(piece.split(";")[2])] if tagged else styles[0]
        elif piece:
            segments.append(Segment(piece, style))
    return Strip(segments).adjust_cell_length(width)
