"""The records of a CSV file, with the numbers of the lines that they start on."""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from store.errors import UsageError
from store.importer.blocks import Block, Keys, blocks
from store.normalise.json_text import Fault

# Bytes that are no UTF-8 stay marked until the record that they are in is known.
_MARK_BYTES: Final = "surrogateescape"


@dataclass(slots=True)
class Batch:
    """Some records, and what was refused among them."""

    key: str
    rows: list[list[str]] = field(default_factory=list)
    numbers: Sequence[int] = ()
    refused: list[tuple[int, Fault]] = field(default_factory=list)


class Records:
    """Reads one file once. A quote that is never closed costs its own line and no other: when a
    record over several lines is refused, the lines after its first are read anew.
    """

    def __init__(self, stream: io.BufferedReader, keys: Keys, line_bytes_max: int) -> None:
        self.delimiter = ","
        self._blocks = blocks(stream, keys, line_bytes_max)
        self._line_bytes_max = line_bytes_max
        self._lines: deque[str] = deque()
        """What is left of the blocks read so far."""
        self._number = 0
        """Of the last line that a record has used up."""
        self._used: list[str] = []
        """The lines of the record that is being read."""
        self._key = ""

    def peek(self) -> str:
        """The first line."""
        if not self._lines:
            self._fill()
        return self._lines[0] if self._lines else ""

    def header(self) -> list[str]:
        """The first record that has something in it; empty when there is none. UsageError: it
        cannot be read.
        """
        for row in self._records():
            if isinstance(row, Fault):
                raise UsageError("import", row.text, place=f"line {self._number}")
            if row:
                return row
        return []

    def batches(self, width: int) -> Iterator[Batch]:
        """All further records, block by block; those that do not have `width` cells are refused."""
        while self._lines or self._fill():
            yield self._quick(width) or self._patient(width)

    def _quick(self, width: int) -> Batch | None:
        """All lines at hand at once, six times as fast; None unless each is a sound record."""
        lines = [*self._lines]
        if sum(line.count('"') for line in lines) % 2:
            return None
        try:
            rows = [*csv.reader(lines, delimiter=self.delimiter)]
        except csv.Error:
            return None
        if len(rows) != len(lines) or set(map(len, rows)) != {width} or self._too_long(lines):
            return None
        first = self._number + 1
        self._number += len(lines)
        self._lines.clear()
        return Batch(self._key, rows, range(first, self._number + 1))

    def _patient(self, width: int) -> Batch:
        """Record by record, up to the first that ends where a block does."""
        numbers: list[int] = []
        batch = Batch(self._key, numbers=numbers)
        for row in self._records():
            first = self._number - len(self._used) + 1
            if isinstance(row, list) and len(row) == width:
                batch.rows.append(row)
                numbers.append(first)
            elif row:
                fault = row if isinstance(row, Fault) else _ragged(len(row), width)
                batch.refused.append((first, fault))
                self._lines.extendleft(reversed(self._used[1:]))
                self._number = first
            if not self._lines:
                break
        batch.key = self._key
        return batch

    def _records(self) -> Iterator[list[str] | Fault]:
        reader = csv.reader(self, delimiter=self.delimiter)
        while True:
            self._used = []
            try:
                row: list[str] | Fault = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                row = Fault("bad_csv", f"it cannot be read as CSV: {error}")
            self._number += len(self._used)
            if self._too_long(self._used):
                row = Fault("too_large", f"it is longer than {self._line_bytes_max:,} bytes")
            yield row

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._lines and not self._fill():
            raise StopIteration
        self._used.append(self._lines.popleft())
        return self._used[-1]

    def _fill(self) -> bool:
        """The lines of one more block, if there is one."""
        block = next(self._blocks, None)
        if block is None:
            return False
        self._key = block.key
        self._lines.extend(_lines(block))
        return True

    def _too_long(self, lines: Sequence[str]) -> bool:
        return max(map(len, lines)) > self._line_bytes_max


def _lines(block: Block) -> io.StringIO:
    # Ends at line feeds alone, as the numbers of lines do.
    return io.StringIO(block.text.decode(errors=_MARK_BYTES), newline="\n")


def _ragged(cells: int, width: int) -> Fault:
    return Fault("ragged", f"it has {cells} cells, the header has {width}")
