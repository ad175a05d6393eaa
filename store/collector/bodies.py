"""Request bodies, bounded: how much is in memory at once, and what one may inflate to."""

import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final

import cramjam
import zstandard

from store.collector.refused import bad_content, try_later
from store.settings import MIB

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

ENCODINGS: Final = ("identity", "gzip", "deflate", "zstd", "snappy")
STEP_BYTES: Final = MIB
# zstd has no bound on what one call gives. A block of 128 KiB takes 4 bytes at the least, so this
# much input gives at most 32 MiB.
ZSTD_STEP_BYTES: Final = 1024
WINDOW_BYTES_MAX: Final = 64 * MIB
GZIP = 16 + zlib.MAX_WBITS


class DisconnectedError(Exception):
    """The sender went away in the middle of its body; there is nobody to answer."""


class Reservation:
    """What one request holds of the budget."""

    def __init__(self, budget: "Budget") -> None:
        self._budget = budget
        self.bytes = 0

    def grow_to(self, size_bytes: int) -> None:
        """Hold at least so much; Refused (503) when all requests together would pass the bound."""
        if size_bytes > self.bytes:
            self._budget.take(size_bytes - self.bytes)
            self.bytes = size_bytes


class Budget:
    """Bytes of bodies in memory, over all requests; safe across threads."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self._lock = threading.Lock()

    def take(self, more: int) -> None:
        with self._lock:
            if self.bytes + more > self.bytes_max:
                raise try_later("memory", "too many bytes are in flight; send again in a second")
            self.bytes += more

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """Held until the block ends."""
        held = Reservation(self)
        try:
            yield held
        finally:
            with self._lock:
                self.bytes -= held.bytes


async def read_body(
    receive: Receive, *, length: int | None, bytes_max: int, held: Reservation
) -> bytes:
    """The body as it was sent, at most `bytes_max`; its bytes are reserved before they are read.

    Refused: 413 when it is longer, 503 when there is no budget. DisconnectedError when it breaks off.
    """
    if length is not None:
        _check_length(length, bytes_max)
        held.grow_to(length)
    chunks: list[bytes] = []
    size_bytes, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise DisconnectedError
        size_bytes += len(message["body"])
        _check_length(size_bytes, bytes_max)
        held.grow_to(size_bytes)
        chunks.append(message["body"])
        more = message["more_body"]
    return b"".join(chunks)


def _check_length(size_bytes: int, bytes_max: int) -> None:
    if size_bytes > bytes_max:
        raise bad_content(413, "too_large", f"the body is larger than {_text(bytes_max)}")


def inflated(body: bytes, encoding: str, *, bytes_max: int, held: Reservation) -> bytes:
    """The body without its Content-Encoding, counted against both bounds while it grows.

    Refused: 415 for an encoding that is not known, 400 for bytes that are not of it or break off,
    413 and 503 as in `read_body`. Gzip and zstd may have several members; snappy is its block
    format, as Prometheus and Loki have it.
    """
    steps = _STEPS.get(encoding.strip().lower())
    if steps is None:
        fault = f"the encoding {encoding[:40]!r} is not one of {', '.join(ENCODINGS)}"
        raise bad_content(415, "bad_encoding", fault)
    if steps is _identity or not body:
        return body
    chunks, size_bytes = [], 0

    def make_room(more_bytes: int) -> None:
        if size_bytes + more_bytes > bytes_max:
            fault = f"the body inflates to more than {_text(bytes_max)}"
            raise bad_content(413, "too_large", fault)
        held.grow_to(len(body) + size_bytes + more_bytes)

    try:
        if steps is _snappy:  # it makes room for all that it declares at once
            make_room(cramjam.snappy.decompress_raw_len(body))
        for chunk in steps(body):
            make_room(len(chunk))
            size_bytes += len(chunk)
            chunks.append(chunk)
    except (zlib.error, zstandard.ZstdError, cramjam.DecompressionError, EOFError) as error:
        fault = f"the body is not whole {encoding}: {error}"
        raise bad_content(400, "bad_encoding", fault) from None
    return b"".join(chunks)


def _identity(body: bytes) -> Iterator[bytes]:
    yield body


def _gzip(body: bytes) -> Iterator[bytes]:
    rest = body
    while rest:
        stream = zlib.decompressobj(GZIP)
        yield from _zlib_steps(stream, rest)
        # Tools pad members with zeros; RFC 1952 lets decoders skip them.
        rest = stream.unused_data.lstrip(b"\0")


def _deflate(body: bytes) -> Iterator[bytes]:
    """RFC 9110's deflate is zlib's format; some senders leave its two header bytes out."""
    has_header = len(body) >= 2 and body[0] & 0xF == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    stream = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
    yield from _zlib_steps(stream, body)
    if stream.unused_data:
        raise zlib.error("there is more after its end")


def _zlib_steps(stream: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while data and not stream.eof:
        yield stream.decompress(data, STEP_BYTES)
        data = stream.unconsumed_tail
    while not stream.eof:
        chunk = stream.decompress(b"", STEP_BYTES)
        if not chunk:
            raise EOFError("it breaks off")
        yield chunk


def _zstd(body: bytes) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
    view = memoryview(body)
    while view:
        stream = decompressor.decompressobj()
        fed = 0
        while fed < len(view) and not stream.eof:
            yield stream.decompress(view[fed : fed + ZSTD_STEP_BYTES])
            fed += ZSTD_STEP_BYTES
        if not stream.eof:
            raise EOFError("it breaks off")
        view = view[min(fed, len(view)) - len(stream.unused_data) :]


def _snappy(body: bytes) -> Iterator[bytes]:
    yield bytes(cramjam.snappy.decompress_raw(body))


_STEPS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "": _identity,
    "identity": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zlib": _deflate,
    "zstd": _zstd,
    "snappy": _snappy,
}


def _text(size_bytes: int) -> str:
    return f"{size_bytes / MIB:g} MiB" if size_bytes >= MIB else f"{size_bytes:,} bytes"
