"""Between the collector and the process that decodes for it: one asks, the other answers.

A socket takes 200 KB at a time, and for each of them whoever reads waits for the interpreter's lock
anew: beside a busy thread, 4,096 log records took some 50 us each to go there and back, most of it
waiting. So what is said stands in memory that both processes have, and the socket carries no more
than how long it is: then it was 17 to 44.
"""

import os
import struct
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final, Self

from store.settings import MIB

KEPT_BYTES: Final = 8 * MIB
"""More is given back when it was read."""
_LENGTH: Final = struct.Struct("<Q")


class Passage:
    """One end. Not safe across threads, and what was sent is to be received before the other end
    sends: there is one memory for both directions. It never has a name, nor is it on a disk.
    """

    def __init__(self, socket: int, memory: int | None) -> None:
        """Descriptors, which it owns from now on; without memory, all goes through the socket."""
        self._connection = Connection(socket)
        self._memory = memory

    @classmethod
    def named(cls, descriptors: Sequence[str]) -> Self:
        """What `names` gave to the program that is the other end."""
        socket, *memory = map(int, descriptors)
        return cls(socket, memory[0] if memory else None)

    def send(self, message: bytes) -> None:
        """OSError when the other end is gone."""
        if self._memory is None:
            self._connection.send_bytes(message)
            return
        done = 0
        with memoryview(message) as view:
            while done < len(view):
                done += os.pwrite(self._memory, view[done:], done)
        self._connection.send_bytes(_LENGTH.pack(len(message)))

    def receive(self) -> bytes:
        """EOFError or OSError when the other end is gone."""
        said = self._connection.recv_bytes()
        if self._memory is None:
            return said
        (length,) = _LENGTH.unpack(said)
        message = b""
        while len(message) < length:
            more = os.pread(self._memory, length - len(message), len(message))
            if not more:
                raise EOFError
            message = message + more if message else more
        if length > KEPT_BYTES:
            os.ftruncate(self._memory, 0)
        return message

    def waits(self, seconds: float = 0.0) -> bool:
        """Whether there is something to receive within that time; also when the other end is
        gone, or OSError.
        """
        return self._connection.poll(seconds)

    def close(self) -> None:
        self._connection.close()
        if self._memory is not None:
            os.close(self._memory)
            self._memory = None


def shared_memory() -> int | None:
    """A descriptor of its own on empty memory; None where the system has none without a name."""
    if sys.platform != "linux":
        return None
    return os.memfd_create("eventdeck-passage")
