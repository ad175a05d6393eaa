"""What a format makes out of a file: rows with their places, in pieces of a bounded size."""

import io
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from store.importer.blocks import Keys
from store.importer.naming import Naming
from store.importer.source import Source, Watch
from store.normalise import Raw
from store.settings import Limits


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file."""

    raw: Raw
    key: str
    """Rows without an id get one out of this and their number."""
    refused: bytes = b""
    """The lines that were refused and others, each with its number, where they are to be kept."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One file that is being read."""

    source: Source
    naming: Naming
    limits: Limits
    keys: Keys
    watch: Watch
    logs: bool = False
    """Whether ordinary logs are events too, where a file is one of logs."""
    broken: list[str] = field(default_factory=list)
    """Why its compressed bytes could not be read to their end."""

    def open(self) -> AbstractContextManager[io.BufferedReader]:
        """The bytes of the source, inflated."""
        return self.source.open(self.watch, self.broken.append)

    @property
    def where(self) -> str:
        """What goes before the number of a line."""
        return f"{self.source.name}:"


class Format(Protocol):
    """One kind of file; FORMATS lists them."""

    name: str
    suffixes: Sequence[str]
    starts: Sequence[bytes]
    """What the content of such a file starts with, when no name tells."""

    def read(self, reading: Reading) -> Iterator[Rows]:
        """The rows in their order, in pieces of a bounded size. A UsageError when the file as a
        whole is not of this format.
        """
        ...
