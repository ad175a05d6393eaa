"""Where an import reads from: files and standard input, compressed or not."""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pyarrow as pa

from store.errors import UsageError

STDIN: Final = "-"
Read = Callable[[int], bytes]
Watch = Callable[[int], None]
"""Told how many bytes were read, before they were inflated, since it was told last."""
COMPRESSED: Final = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
"""suffix -> the bytes that such a file starts with."""
_BROKEN: Final = (EOFError, zlib.error, pa.ArrowException, OSError)
# Read in small steps, as a step that meets damage gives nothing.
_SALVAGED_BYTES: Final = 8 * 1024
# The longer marks first: that of UTF-32 starts as that of UTF-16 does.
_ENCODINGS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_READ_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input."""

    path: Path | None
    """None: standard input."""
    name: str
    """As it stands before the number of a line in a receipt."""
    size: int = 0

    @property
    def suffix(self) -> str:
        """The last suffix of the name, without that of a compression."""
        suffixes = [suffix.lower() for suffix in Path(self.name).suffixes]
        plain = [suffix for suffix in suffixes if suffix not in COMPRESSED]
        return plain[-1] if plain else ""

    @contextmanager
    def open(self, watch: Watch, broken: Callable[[str], None]) -> Iterator[io.BufferedReader]:
        """Its bytes, inflated. Where compressed bytes are cut off or damaged, what came before is
        read as if it were all, and `broken` is told. UsageError: the file cannot be read.
        """
        try:
            raw = sys.stdin.buffer if self.path is None else self.path.open("rb", buffering=0)
        except OSError as error:
            raise UsageError("import", _fault(error), place=self.name) from None
        try:
            watched = _Stream(_noting(raw.read, watch))
            yield _inflated(_buffered(watched), broken)
        finally:
            if self.path is not None:
                raw.close()

    def start(self) -> bytes:
        """The first bytes that are not blank, as they are when inflated; they stay to be read."""
        if self.path is None:
            return cast(io.BufferedReader, sys.stdin.buffer).peek(64)[:64].lstrip()
        if not self.path.is_file():  # a pipe, whose bytes can be read but once
            return b""
        with self.open(lambda _: None, lambda _: None) as stream:
            return as_utf8(stream).read(64).lstrip()


class _Stream(io.RawIOBase):
    """A stream out of a function that gives at most so many bytes, and none at the end."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _buffered(stream: io.RawIOBase) -> io.BufferedReader:
    return io.BufferedReader(stream, _READ_BYTES)


def _noting(read: Read, watch: Watch) -> Read:
    def noted(size: int) -> bytes:
        chunk = read(size)
        watch(len(chunk))
        return chunk

    return noted


def _inflated(raw: io.BufferedReader, broken: Callable[[str], None]) -> io.BufferedReader:
    start = raw.peek(4)
    if start.startswith(COMPRESSED[".gz"]):
        return _buffered(_Stream(_salvaging(gzip.GzipFile(fileobj=raw).read1, broken)))
    if start.startswith(COMPRESSED[".zst"]):
        # Unlike python-zstandard, Arrow says so when the last frame is cut off.
        inflating = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")
        return _buffered(_Stream(_salvaging(inflating.read, broken)))
    return raw


def _salvaging(read: Read, broken: Callable[[str], None]) -> Read:
    ended = False

    def salvaged(size: int) -> bytes:
        nonlocal ended
        if ended:
            return b""
        try:
            return read(min(size, _SALVAGED_BYTES))
        except _BROKEN as error:
            ended = True
            broken(str(error))
            return b""

    return salvaged


def as_utf8(stream: io.BufferedReader) -> io.BufferedReader:
    """The text of `stream` in UTF-8 without a byte order mark, which tells what it is in; what is
    broken in UTF-16 or UTF-32 becomes U+FFFD.
    """
    start = stream.peek(4)
    if start.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        return stream
    for mark, encoding in _ENCODINGS.items():
        if start.startswith(mark):
            return _buffered(_Stream(_recoding(stream, encoding)))
    return stream


def _recoding(stream: io.BufferedReader, encoding: str) -> Read:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    ready = b""

    def recoded(size: int) -> bytes:
        nonlocal ready
        while not ready:
            chunk = stream.read1(size)
            ready = decoder.decode(chunk, final=not chunk).encode()
            if not chunk:
                break
        taken, ready = ready[:size], ready[size:]
        return taken

    return recoded


def sources(paths: Sequence[str | Path]) -> list[Source]:
    """The files of these names, each there and readable; a UsageError names one that is not."""
    found = [_source(Path(path)) for path in paths]
    names = [source.name for source in found]
    return [
        Source(source.path, str(source.path), source.size)
        if names.count(source.name) > 1 and source.path
        else source
        for source in found
    ]


def _source(path: Path) -> Source:
    if str(path) == STDIN:
        return Source(None, "stdin")
    try:
        if path.is_dir():
            raise UsageError("import", "this is a folder", place=str(path), next_step="name files")
        return Source(path, path.name, path.stat().st_size)
    except OSError as error:
        raise UsageError("import", _fault(error), place=str(path)) from None


def _fault(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
