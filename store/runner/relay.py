"""Bytes from a command to where they would have gone, with an eye on the events among them."""

import errno
import os
import select
import sys
from collections.abc import Callable
from typing import Final

from store.vacuum.output import Printed
from store.vacuum.sieve import Found, Sieve

READ_BYTES: Final = 256 * 1024
PIPE_BYTES: Final = 1024 * 1024
# A pseudoterminal says so when its other end is closed; a closed pipe is at its end.
_ENDS: Final = frozenset({errno.EIO, errno.EBADF})
Put = Callable[[Found, Printed], None]


class Relay:
    """Copies one stream to its end; `run` is for a thread of its own.

    What is read is written on before it is looked at, and nothing here waits for a collector.
    When nobody reads it any more the command is told so as it would be without us: its next write
    meets a closed pipe.
    """

    def __init__(
        self, source: int, target: int, printed: Printed, put: Put, line_bytes_max: int
    ) -> None:
        self._source = source
        self._target = target
        self._printed = printed
        self._put = put
        self._sieve = Sieve(line_bytes_max, logs=printed.logs)
        self.bytes = 0
        """Copied so far."""

    def run(self) -> None:
        """Until the stream ends, or what it goes to is gone; the source is closed then."""
        widen(self._source)
        try:
            while data := self._read():
                goes_on = self._write(data)
                self.bytes += len(data)
                self._keep(self._sieve.feed(data))
                if not goes_on:
                    break
        finally:
            os.close(self._source)
            self._keep(self._sieve.close())

    def _read(self) -> bytes:
        try:
            return os.read(self._source, READ_BYTES)
        except OSError as error:
            if error.errno in _ENDS:
                return b""
            raise

    def _write(self, data: bytes) -> bool:
        """All of it; False when nobody takes it, or there is no room for it."""
        try:
            write_all(self._target, data)
        except OSError:
            return False
        return True

    def _keep(self, found: Found) -> None:
        if found.lines:
            self._put(found, self._printed)


def write_all(target: int, data: bytes) -> None:
    """Waits where the target takes no more for now, even when it would rather say so."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            select.select([], [target], [])


def widen(pipe: int) -> None:
    """Room for more bytes in a pipe, where the system lets us: fewer turns for as much."""
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            return
