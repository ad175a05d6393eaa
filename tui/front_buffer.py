"""What the terminal shows, cell by cell, and the shortest bytes that turn it into a new picture.

Pure: strips in, a string for the terminal out. tui.cell_diff connects it to Textual.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.cells import get_character_cell_size, split_graphemes
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.strip import Strip

# Unchanged cells of the same pen that take no more bytes than a move are printed again.
_MOVE_BYTES: Final = 4
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

    @property
    def order(self) -> tuple[str, str, tuple[str, ...]]:
        """Pens that are near in this order are cheap to change between."""
        return self.ground, self.colour, tuple(sorted(self.on))


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
        runs: list[_Run] = []
        wide: list[_Run] = []
        for x, y, strip in strips:
            if 0 <= y < self.height and x < self.width:
                changed, is_wide = self._update_row(x, y, self._cells(strip))
                (wide if is_wide else runs).extend(changed)
        # A pen costs nineteen bytes, a move eight: all that one pen writes is written together,
        # which halves a live frame. Rows of wide characters go from left to right, since writing
        # half of one blanks the other half.
        runs.sort(key=lambda run: run.pen.order)
        writer = _Writer(self.width)
        for run in (*wide, *runs):
            writer.write(run)
        return writer.text()

    def _cells(self, strip: Strip) -> list[Cell]:
        cells: list[Cell] = []
        for text, style, control in strip:
            if not control:
                cells.extend(_exploded(text, pen_of(style, self.system)))
        return cells

    def _update_row(self, x: int, y: int, cells: list[Cell]) -> tuple[list["_Run"], bool]:
        """What must be written for these cells at (x, y), and whether any of it is wide."""
        if x < 0:
            x, cells = 0, cells[-x:]
        del cells[self.width - x :]
        row = self._rows[y]
        old = row[x : x + len(cells)]
        if old == cells:
            return [], False
        row[x : x + len(cells)] = cells
        changed = [i for i, (was, now) in enumerate(zip(old, cells, strict=True)) if was != now]
        is_wide = any(not (cells[i][0] and (old[i] or cells[i])[0]) for i in changed)
        if is_wide:
            # A right half cannot be written alone: its left half is written with it.
            changed = sorted({i - 1 if i and not cells[i][0] else i for i in changed})
        return list(_runs(x, y, cells, changed)), is_wide


@dataclass(frozen=True, slots=True)
class _Run:
    """Cells side by side that one pen writes."""

    x: int
    y: int
    end: int
    pen: Pen
    text: str


def _runs(x: int, y: int, cells: Sequence[Cell], changed: Sequence[int]) -> Iterator[_Run]:
    """The changed cells as runs; a few unchanged ones between two of the same pen go along."""
    start = end = changed[0]
    for index in changed[1:]:
        pen = cells[start][1]
        if _goes_along(cells[end + 1 : index], pen) and cells[index][1] is pen:
            end = index
        else:
            yield _run(x, y, cells, start, end)
            start = end = index
    yield _run(x, y, cells, start, end)


def _goes_along(between: Sequence[Cell], pen: Pen) -> bool:
    return (
        len(between) <= _MOVE_BYTES
        and all(cell[1] is pen for cell in between)
        and (sum(len(cell[0].encode()) for cell in between) <= _MOVE_BYTES)
    )


def _run(x: int, y: int, cells: Sequence[Cell], start: int, end: int) -> _Run:
    if end + 1 < len(cells) and not cells[end + 1][0]:
        end += 1
    text = "".join(cell[0] for cell in cells[start : end + 1])
    return _Run(x + start, y, x + end + 1, cells[start][1], text)


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

    def write(self, run: _Run) -> None:
        self._go(run.x, run.y)
        if run.pen is not self._pen:
            self._out.append(_turn(self._pen, run.pen))
            self._pen = run.pen
        self._out.append(run.text)
        # Past the last column the terminal waits for a wrap: where its cursor is depends on
        # who made it.
        self._x, self._y = (run.end, run.y) if run.end < self._width else (-1, -1)

    def _go(self, x: int, y: int) -> None:
        """To (x, y) by the shortest of the ways: by address, or by steps from where it is."""
        address = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
        if self._y < 0:
            self._out.append(address)
        elif (x, y) != (self._x, self._y):
            steps = _steps(x - self._x, y - self._y)
            self._out.append(steps if steps is not None and len(steps) < len(address) else address)


def _steps(across: int, down: int) -> str | None:
    """Down (never up), then across; backspaces, which are a byte each, to the left."""
    if down < 0:
        return None
    there = "" if not down else "\x1b[B" if down == 1 else f"\x1b[{down}B"
    if across < 0:
        return there + min("\b" * -across, f"\x1b[{-across}D", key=len)
    return there + ("" if not across else "\x1b[C" if across == 1 else f"\x1b[{across}C")
