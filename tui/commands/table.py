"""A table on standard output: aligned for people, or CSV; text from events made harmless."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from store.formulas import guarded_text
from store.timespan import iso
from tui.commands.console import Console, json_text

_BARS: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Marked:
    """A number with a sign before it; the legend below the table says what that means."""

    value: float
    sign: str


@dataclass(frozen=True, slots=True)
class Gap:
    """How far a share is from another, and its interval; told in points: hundredths of all."""

    value: float
    low: float
    high: float

    def text(self) -> str:
        """`+4.1 points (1.2 to 7.0)`."""
        # Nothing is added to nothing: no -0.0.
        value, low, high = (
            round(100 * each, 1) + 0.0 for each in (self.value, self.low, self.high)
        )
        return f"{value:+.1f} points ({low:.1f} to {high:.1f})"


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of the same length; None is a value that is missing."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    legend: str = ""
    """A line below, for people."""

    def write(self, console: Console, *, as_csv: bool) -> None:
        """Everything, in one go."""
        if as_csv:
            write_csv(console, self.columns, self.rows)
        else:
            console.lines(self.lines(bold=console.out.isatty()))

    def cells(self, row: Sequence[Any]) -> list[str]:
        """The values of a row for people."""
        return [_cell(cell) for cell in row]

    def width(self) -> int:
        """How many cells of a terminal the widest line takes."""
        from rich.cells import cell_len

        return max(map(cell_len, replace(self, legend="").lines(bold=False)))

    def lines(self, *, bold: bool) -> list[str]:
        """The header and the rows, aligned."""
        from rich.cells import cell_len

        header = [harmless(name) for name in self.columns]
        cells = [self.cells(row) for row in self.rows]
        columns = list(zip(header, *cells, strict=True))
        widths = [max(cell_len(cell) for cell in column) for column in columns]
        right = [
            any(_is_number(row[at]) for row in self.rows)
            and all(row[at] is None or _is_number(row[at]) for row in self.rows)
            for at in range(len(header))
        ]

        def aligned(texts: Sequence[str]) -> str:
            padded = (
                " " * (width - cell_len(text)) + text
                if to_the_right
                else text + " " * (width - cell_len(text))
                for text, width, to_the_right in zip(texts, widths, right, strict=True)
            )
            return "  ".join(padded).rstrip()

        top = aligned(header)
        below = [self.legend] if self.legend else []
        return [f"\x1b[1m{top}\x1b[0m" if bold else top, *map(aligned, cells), *below]


def write_csv(console: Console, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A header and the rows as they come: harmless to a terminal and to a spreadsheet."""
    writer = csv.writer(console.out, lineterminator="\n")
    writer.writerow([guarded_text(harmless(name)) for name in columns])
    writer.writerows([_csv_cell(cell, guard=True) for cell in row] for row in rows)
    console.out.flush()


def harmless(text: str) -> str:
    """Text from events as tui.formatting shows it: nothing in it that a terminal obeys."""
    if text.isascii() and text.isprintable():
        return text
    from tui.formatting import clean

    return clean(text)


def one_line(text: str) -> str:
    """Any text as one harmless line."""
    return harmless(" ".join(text.split()))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Marked) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    """A value for people: at most six digits of a fraction's number, `·` for what is missing."""
    match value:
        case None:
            return "·"
        case Gap():
            return value.text()
        case Marked():
            return f"{value.sign}{_cell(value.value)}"
        case float() if math.isnan(value):
            return "·"
        case float() if math.isfinite(value) and abs(value) < 1e15:
            whole = len(str(int(abs(value))))
            text = (
                f"{value:.{max(0, 6 - whole)}f}"
                if abs(value) >= 0.001 or not value
                else f"{value:.3g}"
            )
            return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
        case list() | tuple() if value and all(map(_is_number, value)):
            return _spark(value)
        case list() | tuple() if value and all(isinstance(each, dict) for each in value):
            return ", ".join(_said(each) for each in value)
        case list() | tuple() | dict() if not value:
            return "·"
        case _:
            return _csv_cell(value)


def _spark(values: Sequence[float]) -> str:
    """The shape of a few numbers: `▁▃█`; nothing is a blank."""
    top = max(values)
    return "".join(
        " " if value <= 0 else _BARS[min(int(value / top * len(_BARS)), len(_BARS) - 1)]
        for value in values
    )


def _said(item: Mapping[str, Any]) -> str:
    """The words and numbers of a small object in one go; shares as per cent."""
    texts = (
        f"{value:.0%}" if name == "share" and _is_number(value) else _cell(value)
        for name, value in item.items()
    )
    return " ".join(texts)


def _csv_cell(value: Any, *, guard: bool = False) -> str:
    """A value without loss: floats by their shortest digits, times in ISO 8601. With `guard`, a
    text that a spreadsheet would take for a formula is marked.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return "" if math.isnan(value) else repr(value).removesuffix(".0")
        case datetime():
            return iso(value if value.tzinfo else value.replace(tzinfo=UTC))
        case str():
            return guarded_text(harmless(value)) if guard else harmless(value)
        case dict() | list() | tuple():
            return harmless(json_text(value))
    return str(value)
