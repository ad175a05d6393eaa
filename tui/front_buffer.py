"""What the terminal shows, cell by cell, and the shortest bytes that turn it into a new picture.

Pure: strips in, a string for the terminal out. tui.cell_diff connects it to Textual.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import get_character_cell_size, split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

# Unchanged cells up to here are printed again: a move costs four bytes.
_GAP_MAX: Final = 3
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
# attribute of a style -> (on, off); bold and dim share their off, as underlines do.
_ATTRIBUTES: Final = (
    ("bold", "1", "22"),
    ("dim", "2", "22"),
    ("italic", "3", "23"),
    ("underline", "4", "24"),
    ("blink", "5", "25"),
    ("blink2", "6", "25"),
    ("reverse", "7", "27"),
    ("conceal", "8", "28"),
    ("strike", "9", "29"),
    ("underline2", "21", "24"),
    ("frame", "51", "54"),
    ("encircle", "52", "54"),
    ("overline", "53", "55"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Pen:
    """How a cell is written; the same object for the same look, so compared by identity."""

    on: frozenset[str]
    """Codes of the attributes that are on."""
    colour: str
    """Codes of the foreground; empty is the terminal's own."""
    ground: str


Cell = tuple[str, Pen]
"""A grapheme and its pen; the right half of a wide one is empty text."""


@lru_cache(maxsize=8192)
def _pen(on: frozenset[str], colour: str, ground: str) -> Pen:
    return Pen(on, colour, ground)


PLAIN: Final = _pen(frozenset(), "", "")


@lru_cache(maxsize=8192)
def pen_of(style: Style | None, system: ColorSystem | None) -> Pen:
    """The pen of a style in that colour system; None has no colours."""
    if style is None:
        return PLAIN
    on = frozenset(code for name, code, _ in _ATTRIBUTES if getattr(style, name))
    if system is None:
        return _pen(on, "", "")
    return _pen(on, _codes(style.color, system), _codes(style.bgcolor, system, ground=True))


def _codes(colour: Color | None, system: ColorSystem, *, ground: bool = False) -> str:
    if colour is None or colour.is_default:
        return ""
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground=not ground))


@lru_cache(maxsize=65_536)
def _turn(old: Pen, new: Pen) -> str:
    """The sequence from one pen to another: only what differs, or all anew if that is shorter."""
    codes = [off for _, on, off in _ATTRIBUTES if on in old.on - new.on]
    off = set(codes)
    codes = list(dict.fromkeys(codes))
    # An off code may switch off a sibling that stays: bold when dim goes.
    codes += [on for _, on, o in _ATTRIBUTES if on in new.on and (on not in old.on or o in off)]
    if new.colour != old.colour:
        codes.append(new.colour or "39")
    if new.ground != old.ground:
        codes.append(new.ground or "49")
    fresh = [on for _, on, _ in _ATTRIBUTES if on in new.on]
    fresh += [code for code in (new.colour, new.ground) if code]
    anew = ";".join(["", *fresh]) if fresh else ""
    changed = ";".join(codes)
    return f"\x1b[{changed if len(changed) <= len(anew) else anew}m"


@lru_cache(maxsize=16_384)
def _exploded(text: str, pen: Pen) -> tuple[Cell, ...]:
    if text.isascii() and text.isprintable():
        return tuple((character, pen) for character in text)
    # The last door: whatever a widget forgot to clean, the terminal gets nothing to obey.
    text = _CONTROL.sub("", text)
    if "\u200d" in text or "\ufe0f" in text:
        parts = ((text[start:end], size) for start, end, size in split_graphemes(text)[0])
    else:
        parts = ((character, get_character_cell_size(character)) for character in text)
    cells: list[Cell] = []
    for grapheme, size in parts:
        if size:
            cells.append((grapheme, pen))
            cells.extend([("", pen)] * (size - 1))
        elif cells:
            lead = len(cells) - 1 - (cells[-1][0] == "")
            cells[lead] = (cells[lead][0] + grapheme, pen)
    return tuple(cells)


class FrontBuffer:
    """The cells that the terminal shows. Not thread-safe; the caller sends what it returns."""

    def __init__(self, width: int, height: int, system: ColorSystem | None) -> None:
        """Nothing is known of the terminal's cells yet; `system` None writes no colours."""
        self.width = width
        self.height = height
        self.system = system
        self._rows: list[list[Cell | None]] = [[None] * width for _ in range(height)]

    def update(self, strips: Iterable[tuple[int, int, Strip]]) -> str:
        """Takes strips at (x, y) for what is shown from now on; gives the bytes that show it,
        starting and ending with plain attributes, or an empty text when nothing differs.
        """
        writer = _Writer(self.width)
        for x, y, strip in strips:
            if 0 <= y < self.height and x < self.width:
                self._update_row(writer, x, y, self._cells(strip))
        return writer.text()

    def _cells(self, strip: Strip) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if not control:
                cells.extend(_exploded(text, pen_of(style, self.system)))
        return cells

    def _update_row(self, writer: "_Writer", x: int, y: int, cells: list[Cell]) -> None:
        if x < 0:
            x, cells = 0, cells[-x:]
        del cells[self.width - x :]
        row = self._rows[y]
        old = row[x : x + len(cells)]
        if old == cells:
            return
        row[x : x + len(cells)] = cells
        changed = [i for i, (was, now) in enumerate(zip(old, cells, strict=True)) if was != now]
        for index in changed:
            # A right half cannot be written alone: its left half is written with it.
            lead = index - 1 if index and not cells[index][0] else index
            if not writer.has_written(x + lead, y):
                writer.go(x + lead, y, row)
                writer.put(row[x + lead])


class _Writer:
    """Collects the bytes of one frame, and knows where the cursor is and how it writes."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._out: list[str] = []
        self._pen = PLAIN
        self._x = self._y = -1

    def text(self) -> str:
        if self._out and self._pen is not PLAIN:
            self._out.append("\x1b[m")
        return "".join(self._out)

    def has_written(self, x: int, y: int) -> bool:
        """True when the cursor has passed that cell in this row already."""
        return self._y == y and x < self._x

    def go(self, x: int, y: int, row: Sequence[Cell | None]) -> None:
        """To (x, y): by printing what stands between, by a step, or by address."""
        if y == self._y and x == self._x:
            return
        if y == self._y and 0 <= self._x < x:
            between = row[self._x : x]
            if len(between) <= _GAP_MAX and all(cell and cell[1] is self._pen for cell in between):
                self._out.extend(cell[0] for cell in between if cell)
            else:
                steps = x - self._x
                self._out.append(f"\x1b[{steps}C" if steps > 1 else "\x1b[C")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self._x, self._y = x, y

    def put(self, cell: Cell | None) -> None:
        text, pen = cell or (" ", PLAIN)
        if pen is not self._pen:
            self._out.append(_turn(self._pen, pen))
            self._pen = pen
        self._out.append(text)
        self._x += 1 if len(text) == 1 and text.isascii() else _size(text)
        if self._x >= self._width:
            # The terminal now waits for a wrap: where the cursor is depends on who made it.
            self._x = self._y = -1


@lru_cache(maxsize=4096)
def _size(grapheme: str) -> int:
    return max(1, sum(size for _, _, size in split_graphemes(grapheme)[0]))
