"""Which lines of an output may hold an event: told by their bytes, before anything is parsed. Pure.

A line that carries no flag costs a search for four bytes. What is kept between two pieces of the
output is one unfinished line, and never more of it than a line may have.
"""

import re
from dataclasses import dataclass, field
from typing import Final

FLAG: Final = b'"_e"'
FLAGGED: Final = re.compile(rb'"_e"[ \t]*:[ \t]*1(?![\w.])')
"""The flag as it is written; a line that matches may still be no event."""
# Longer than the flag with all the blanks that a program would put into it.
_OVERLAP_BYTES: Final = 64
_LOG: Final = re.compile(rb"[ \t]*\{|(?:^|.*?[ \t])(?:level|lvl|severity|msg|message)=")


@dataclass(slots=True)
class Found:
    """Lines that may hold an event, without their ends."""

    lines: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of each line in the output, from 1."""

    def add(self, line: bytes, number: int) -> None:
        self.lines.append(line)
        self.numbers.append(number)


class Sieve:
    """Takes an output in pieces of any size, and gives the lines of it that may hold an event.

    A line of more than `line_bytes_max` bytes is given when it carries the flag: its start alone,
    which is longer than that by one byte. Memory is bounded whatever comes.
    """

    def __init__(self, line_bytes_max: int, *, logs: bool = False) -> None:
        """With `logs`, what looks like a line of JSON or of logfmt is given as well."""
        self._limit = line_bytes_max
        self._logs = logs
        self._partial = _Partial(line_bytes_max)
        self.line = 1
        """The number of the line that comes next, or goes on."""

    def feed(self, data: bytes) -> Found:
        """The lines that end in this piece."""
        found = Found()
        start = 0
        if self._partial.is_begun:
            end = data.find(b"\n")
            if end < 0:
                self._partial.add(data)
                return found
            self._partial.add(data[:end])
            self._finish(found)
            start = end + 1
        end = data.rfind(b"\n", start) + 1
        if end > start:
            whole = data if end - start == len(data) else data[start:end]
            self.line = sift(whole, self.line, self._limit, found, logs=self._logs)
            start = end
        if start < len(data):
            self._partial.add(data[start:])
        return found

    def close(self) -> Found:
        """The last line, when nothing ended it."""
        found = Found()
        if self._partial.is_begun:
            self._finish(found)
        return found

    def _finish(self, found: Found) -> None:
        line, is_flagged = self._partial.take()
        if len(line) <= self._limit:
            sift(line, self.line, self._limit, found, logs=self._logs)
        elif is_flagged:
            found.add(line, self.line)
        self.line += 1


class _Partial:
    """A line whose end has not come yet; of a long one the start, and whether it has the flag."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._start = bytearray()
        self._tail = b""
        self._is_flagged = False
        self.is_begun = False

    def add(self, data: bytes) -> None:
        self.is_begun = True
        if len(self._start) + len(data) <= self._limit:
            self._start += data
            return
        window = (self._tail or bytes(self._start)) + data
        self._is_flagged = self._is_flagged or FLAGGED.search(window) is not None
        self._tail = window[-_OVERLAP_BYTES:]
        self._start += data[: self._limit + 1 - len(self._start)]

    def take(self) -> tuple[bytes, bool]:
        taken = bytes(self._start), self._is_flagged
        self._start.clear()
        self._tail, self._is_flagged, self.is_begun = b"", False, False
        return taken


def sift(text: bytes, first: int, limit: int, found: Found, *, logs: bool = False) -> int:
    """Adds to `found` what of the complete lines in `text` may hold an event; `first` is the
    number of the first. The number of the line after them.
    """
    if logs:
        return _sift_logs(text, first, limit, found)
    number, counted = first, 0
    at = text.find(FLAG)
    while at >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        number += text.count(b"\n", counted, start)
        counted = start
        _add(text[start:end], number, limit, found)
        at = text.find(FLAG, end)
    return number + text.count(b"\n", counted)


def _sift_logs(text: bytes, first: int, limit: int, found: Found) -> int:
    lines = text.split(b"\n")
    for number, line in enumerate(lines, first):
        if FLAG in line or _LOG.match(line):
            _add(line, number, limit, found)
    return first + len(lines) - 1


def _add(line: bytes, number: int, limit: int, found: Found) -> None:
    if len(line) <= limit:
        found.add(line, number)
    elif FLAGGED.search(line):
        found.add(line[: limit + 1], number)
