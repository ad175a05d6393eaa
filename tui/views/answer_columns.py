"""The columns of any answer: as wide as their values, numbers at the right, shares with a bar."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rich.cells import cell_len

from store.analytics.shapes import Key
from store.timespan import TimeSpan
from tui.formatting import fit
from tui.plots.bar import Segment, bar
from tui.plots.heat import Cell as Heat
from tui.plots.heat import Tile
from tui.plots.trend import trend
from tui.theme import Look
from tui.views.answer_units import Cell, Units, title_of
from tui.widgets.columns import Column, Row
from tui.widgets.lines import PLAIN, Part

TEXT_WIDTH_MAX: Final = 44
TEXT_WIDTH_MIN: Final = 8
BAR_WIDTHS: Final = range(6, 25)
TREND_WIDTHS: Final = range(8, 21)
GAP: Final = 2
SOURCE: Final = "\0source"
"""Under this name a row holds the Source that it was made of."""
# Of several columns that there is no room for, these go first.
_LAST: Final = ("mean", "min", "max", "low", "high", "p_value")
_NAMING: Final = frozenset({"attribute", "value", "event_name", "feature", "from", "to", "reason"})
_OF_A_STEP: Final = re.compile(r"share_\d+")
HEAT_WIDTH: Final = 8
_NO_BAR: Final = frozenset({"low", "high", "share_against"})


@dataclass(frozen=True, slots=True)
class Source:
    """What a row stands for: breakdown values, values by name, and a time."""

    key: Key = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    span: TimeSpan | None = None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a column needs: the width of its texts and of its units."""

    name: str
    title: str
    texts: int
    units: int
    right: bool
    is_trend: bool
    is_time: bool
    top: float | None
    """The largest share, where it is a column of shares."""

    @property
    def width(self) -> int:
        if self.is_trend:
            return max(TREND_WIDTHS[0], cell_len(self.title))
        own = self.texts + (self.units + 1 if self.units else 0)
        # The sign of the order stands before the title.
        return max(own, cell_len(self.title) + 1)


def columns_of(
    names: Sequence[str], rows: Sequence[Row], units: Units, width: int
) -> tuple[Column, ...]:
    """The texts that name a row come first and stay longest; of the numbers the first ones do. A
    bar stands with the first share, where there is room.
    """
    shapes = [_shape(name, rows, units) for name in names]
    spare = width - sum(shape.width + GAP for shape in shapes)
    heated = [s for s in shapes if s.top is not None and _OF_A_STEP.fullmatch(s.name)]
    hottest = max((s.top or 0.0 for s in heated), default=0.0)
    barred = next((s.name for s in shapes if s.top and s.name not in _NO_BAR), "")
    bars = min(spare, BAR_WIDTHS[-1]) if spare >= BAR_WIDTHS[0] else 0
    texts = [s.name for s in shapes if not s.right and not s.is_trend and not s.is_time]
    named = texts[0] if texts else ""
    if heated:
        bars = 0
    return tuple(
        _heat_column(shape, at, hottest)
        if shape in heated
        else _column(shape, at, bars if shape.name == barred else 0, grows=shape.name == named)
        for at, shape in enumerate(shapes)
    )


def _shape(name: str, rows: Sequence[Row], units: Units) -> _Shape:
    cells: list[Cell] = [row[name] for row in rows]
    shares = [cell.share for cell in cells if cell.share is not None]
    is_text = any(isinstance(cell.value, str) for cell in cells)
    is_time = any(isinstance(cell.value, datetime) for cell in cells)
    longest = max((cell_len(cell.text) for cell in cells), default=0)
    return _Shape(
        name,
        title_of(name),
        min(longest, TEXT_WIDTH_MAX) if is_text else longest,
        max((cell_len(cell.unit) for cell in cells), default=0),
        right=not is_text and not is_time,
        is_trend=any(cell.trend for cell in cells),
        is_time=is_time,
        top=max(shares) if shares and units.is_share(name) else None,
    )


def _column(shape: _Shape, at: int, bars: int, *, grows: bool) -> Column:
    is_name = shape.name in _NAMING or at == 0
    rank = 0 if is_name else 100 + at if shape.name in _LAST else at
    if shape.is_trend:
        return Column(shape.name, shape.title, shape.width, _trend_cell(shape), rank=rank)
    if not shape.right:
        least = min(TEXT_WIDTH_MIN, shape.width) if grows else 0
        cell = _text_cell(shape, bright=at == 0)
        return Column(
            shape.name, shape.title, shape.width, cell, rank=rank, grows=grows, least=least
        )
    cell = _bar_cell(shape, bars) if bars else _number_cell(shape)
    return Column(shape.name, shape.title, shape.width + bars, cell, right=True, rank=rank)


def _heat_column(shape: _Shape, at: int, hottest: float) -> Column:
    """One of several shares beside each other: the ground says how large it is among them all."""
    return Column(
        shape.name,
        shape.title.removeprefix("share ") + "  ",
        HEAT_WIDTH,
        _heat_cell(shape, hottest),
        right=True,
        rank=at,
    )


def _heat_cell(shape: _Shape, hottest: float) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        found: Cell = row[shape.name]
        if found.share is None:
            return [(" " * width, PLAIN)]
        tile = Tile(width, hottest, look)
        text = f"{found.text} %" if found.share else look.glyphs.nothing
        return tile.parts(Heat(found.share, int(found.share > 0), 1), text)

    return cell


def _text_cell(shape: _Shape, *, bright: bool) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        found: Cell = row[shape.name]
        if not found.text:
            return [(look.glyphs.nothing.ljust(width), look.style("faint"))]
        role = "dim" if row[SOURCE].folded else "bright" if bright else found.role
        glyphs = look.glyphs
        text = found.text
        if not glyphs.braille:
            # Signs that analyses put in.
            text = text.replace("▸", glyphs.folded).replace("…", glyphs.ellipsis)
        return [(fit(text, width, ellipsis=look.glyphs.ellipsis), look.style(role))]

    return cell


def _number_cell(shape: _Shape) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        found: Cell = row[shape.name]
        unit = shape.units + 1 if shape.units else 0
        if not found.text or found.value == 0:
            blank = look.glyphs.nothing.rjust(width - unit) + " " * unit
            return [(blank, look.style("faint"))]
        shown = found.text if look.glyphs.braille else found.text.replace("≥", ">")
        text = shown.rjust(width - unit)
        shown_unit = f" {found.unit.replace('µ', look.glyphs.micro)}".ljust(unit) if unit else ""
        return [(text, look.style("text")), (shown_unit, look.style("dim"))]

    return cell


def _bar_cell(shape: _Shape, bars: int) -> Callable[[Row, int, Look], Sequence[Part]]:
    drawn_number = _number_cell(shape)

    def cell(row: Row, width: int, look: Look) -> list[Part]:
        share = (row[shape.name].share or 0.0) / (shape.top or 1.0)
        drawn = bar([Segment("muted", share)], bars - 1, look)
        parts: list[Part] = [(part.text, part.style or PLAIN) for part in drawn]
        return [*parts, (" ", PLAIN), *drawn_number(row, width - bars, look)]

    return cell


def _trend_cell(shape: _Shape) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        values = row[shape.name].trend
        if not values:
            return [(look.glyphs.nothing.ljust(width), look.style("faint"))]
        return [(part.text, part.style or PLAIN) for part in trend(values, width, look)]

    return cell
