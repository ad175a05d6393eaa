"""One path that is followed, and the files that stand or stood there."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.collector.follow.position import Position
from store.vacuum.sieve import Found, Sieve

READ_BYTES: Final = 1024 * 1024
RETIRED_SECONDS: Final = 10.0
"""A program may write so long into a file that was renamed, until it opens the new one."""
_COMPRESSED: Final = (".gz", ".zst", ".xz", ".bz2", ".lz4")
_FLAGS: Final = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of a file that may hold an event, to be stored before the file's position moves."""

    found: Found
    reading: "Reading"
    position: Position

    def done(self) -> None:
        """It is stored."""
        self.reading.position = self.position


class Reading:
    """An open file, from a position to where it ends for now."""

    def __init__(
        self,
        descriptor: int,
        position: Position,
        sieve: Sieve,
        monotonic: Callable[[], float],
    ) -> None:
        self.descriptor = descriptor
        self.position = position
        """Up to here all is stored."""
        self._sieve = sieve
        self._sieve.line = position.line
        self._monotonic = monotonic
        self._at = position.offset
        self._line_start = position
        self.grown = self._monotonic()
        """When there was something new."""

    def read(self) -> Piece | None:
        """What is new, up to READ_BYTES; None when nothing is."""
        data = os.pread(self.descriptor, READ_BYTES, self._at)
        if not data:
            return None
        self.grown = self._monotonic()
        found = self._sieve.feed(data)
        end = data.rfind(b"\n") + 1
        if end:
            start = self._line_start
            self._line_start = start.moved(self.descriptor, self._at + end, self._sieve.line)
        self._at += len(data)
        return Piece(found, self, self._line_start)

    def close(self) -> Piece:
        """The last line, when nothing ended it."""
        found = self._sieve.close()
        os.close(self.descriptor)
        return Piece(found, self, self._line_start)

    def is_cut(self) -> bool:
        """Whether the file was truncated, and perhaps written anew, below what was read."""
        too_short = os.fstat(self.descriptor).st_size < self._at
        return too_short or not self._line_start.fits(self.descriptor)


class FollowedFile:
    """`pieces` gives what is new. A file that was renamed is read to its end before the one that
    took its place; so is the copy of one that was truncated, where it stands beside it.
    """

    def __init__(
        self,
        path: Path,
        saved: Sequence[Position],
        line_bytes_max: int,
        *,
        logs: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`saved` are the positions that another process left."""
        self.path = path
        self._line_bytes_max = line_bytes_max
        self._logs = logs
        self._monotonic = monotonic
        self._retired: list[Reading] = []
        self._known: set[int] = set()
        """The inodes of all files that were read here."""
        self._last_written: int | None = None
        """When the last file that was renamed was written to, in nanoseconds."""
        self._current: Reading | None = None
        for position in saved:
            self._find(position)

    def positions(self) -> list[Position]:
        """Of all files that are not finished, that at the path last."""
        return [each.position for each in (*self._retired, *filter(None, [self._current]))]

    def pieces(self) -> Iterator[Piece]:
        """What is new now; each is to be stored before the next is asked for. OSError: the file
        is there and cannot be read.
        """
        self._look()
        for reading in list(self._retired):
            yield from _all_of(reading)
            if self._monotonic() - reading.grown >= RETIRED_SECONDS:
                yield reading.close()
                self._retired.remove(reading)
        if self._current is not None:
            yield from _all_of(self._current)

    def close(self) -> None:
        """Lets go of the files; what was not ended is read again next time."""
        for reading in (*self._retired, *filter(None, [self._current])):
            os.close(reading.descriptor)

    def _look(self) -> None:
        """Notices another file at the path, or that the file there begins anew."""
        current = self._current
        try:
            there = self.path.stat()
        except OSError:  # not there yet, or between two files: the open one is read on
            return
        if current is not None and os.fstat(current.descriptor).st_ino != there.st_ino:
            self._retire(current)
            self._current = current = None
        elif current is not None and current.is_cut():
            os.close(current.descriptor)
            self._current = None
            self._find_copy(current.position)
            current = None
        if current is None:
            self._add_missed()
            descriptor = os.open(self.path, _FLAGS)
            self._current = self._reading(descriptor, Position.fresh(descriptor))

    def _find(self, position: Position) -> None:
        """The file of a saved position: at the path, renamed, or copied."""
        descriptor = _opened(self.path)
        if descriptor is not None:
            is_it = os.fstat(descriptor).st_ino == position.inode and position.fits(descriptor)
            if is_it and self._current is None:
                self._current = self._reading(descriptor, position)
                return
            os.close(descriptor)
        self._find_copy(position)

    def _find_copy(self, position: Position) -> None:
        """Reads on where a file beside the path holds what was taken, and perhaps more."""
        for path in self._beside(position.inode):
            descriptor = _opened(path)
            if descriptor is None:
                continue
            is_same = os.fstat(descriptor).st_ino == position.inode
            if (is_same or position.offset) and position.fits(descriptor):
                found = self._reading(descriptor, position)
                if is_same:
                    self._retire(found)
                else:
                    self._retired.append(found)
                return
            os.close(descriptor)

    def _retire(self, renamed: Reading) -> None:
        self._retired.append(renamed)
        self._last_written = os.fstat(renamed.descriptor).st_mtime_ns

    def _add_missed(self) -> None:
        """Those that stood at the path after the last that was seen there, and were renamed as
        well before anybody looked.
        """
        if self._last_written is None:
            return
        missed: list[tuple[int, int]] = []
        for path in self._beside(0):
            descriptor = _opened(path) if _is_rotated(path.name, self.path.name) else None
            if descriptor is None:
                continue
            found = os.fstat(descriptor)
            if found.st_ino in self._known or found.st_mtime_ns < self._last_written:
                os.close(descriptor)
            else:
                missed.append((found.st_mtime_ns, descriptor))
        for _, descriptor in sorted(missed):
            self._retire(self._reading(descriptor, Position.fresh(descriptor)))

    def _beside(self, inode: int) -> list[Path]:
        """The other files in the folder, that of the number first, then the newest."""
        try:
            entries = [each for each in os.scandir(self.path.parent) if each.is_file()]
            stats = {entry.path: entry.stat() for entry in entries if entry.name != self.path.name}
        except OSError:
            return []
        order = sorted(stats, key=lambda name: (stats[name].st_ino != inode, -stats[name].st_mtime))
        return [Path(name) for name in order]

    def _reading(self, descriptor: int, position: Position) -> Reading:
        self._known.add(os.fstat(descriptor).st_ino)
        sieve = Sieve(self._line_bytes_max, logs=self._logs)
        return Reading(descriptor, position, sieve, self._monotonic)


def _is_rotated(name: str, path_name: str) -> bool:
    """`app.log.1`, `app.log-20261122`; not what was compressed."""
    rest = name.removeprefix(path_name)
    return rest != name and rest[:1] in {".", "-"} and not rest.endswith(_COMPRESSED)


def _all_of(reading: Reading) -> Iterator[Piece]:
    while (piece := reading.read()) is not None:
        yield piece


def _opened(path: Path) -> int | None:
    try:
        return os.open(path, _FLAGS)
    except OSError:
        return None
