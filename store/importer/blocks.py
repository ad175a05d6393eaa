"""A file's lines in blocks of a bounded size, each with a key made out of all content so far.

Rows without an id get one from their block's key and their number, so that importing a file twice
stores it once. A block ends with the first line that ends past its size, wherever reads ended.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import xxhash

BLOCK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Block:
    """Complete lines."""

    text: bytes
    first: int
    """The number of its first line in the file."""
    key: str


class Keys:
    """Keys of blocks: two files share them for as long as all they held was the same."""

    def __init__(self, seed: str) -> None:
        """`seed` is what else tells the events of two imports apart."""
        self._hash = xxhash.xxh3_128(seed.encode())
        self._start = ""

    def add(self, content: bytes) -> None:
        self._hash.update(content)

    def key(self) -> str:
        """Of all content so far. It starts alike for all of a file, so that its ids ascend."""
        digest = self._hash.hexdigest()
        self._start = self._start or digest[:12]
        return f"{self._start}-{digest[-12:]}"


def row_ids(key: str, numbers: Sequence[int]) -> list[str]:
    """Ids of rows, ascending with their number; no UUIDs, so that none is taken for a time."""
    start, block = key.split("-")
    return [f"{start}-{number:010x}-{block}" for number in numbers]


def blocks(stream: io.BufferedReader, keys: Keys, line_bytes_max: int) -> Iterator[Block]:
    """All lines of `stream`. One that is longer than `line_bytes_max` may come short, but still
    longer than that; memory is bounded whatever the file holds.
    """
    first = 1
    while text := stream.read(BLOCK_BYTES):
        keys.add(text)
        if not text.endswith(b"\n"):
            text += _line_end(stream, keys, line_bytes_max)
        yield Block(text, first, keys.key())
        first += text.count(b"\n")


def _line_end(stream: io.BufferedReader, keys: Keys, line_bytes_max: int) -> bytes:
    """The rest of a line; of a long one the start of the rest."""
    end = rest = stream.readline(line_bytes_max + 1)
    keys.add(rest)
    while rest and not rest.endswith(b"\n"):
        rest = stream.readline(BLOCK_BYTES)
        keys.add(rest)
    return end if end.endswith(b"\n") else end + b"\n"
