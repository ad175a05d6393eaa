"""What a format does: frames of events in, one file out."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import polars as pl

from store.exporter.target import Output

Write = Callable[[pl.DataFrame], None]
"""Takes the next events; all frames of an export have the same columns and types."""


class Format(Protocol):
    """One kind of file; FORMATS lists them."""

    name: str
    suffixes: Sequence[str]
    compressed: bool
    """True when its bytes are compressed within, so that `.gz` around it makes no sense."""

    def writing(
        self, out: Output, types: Mapping[str, pl.DataType]
    ) -> AbstractContextManager[Write]:
        """Writes frames of these `types` to `out`, which it does not close; the file is whole
        once the context was left without an error. Bounded memory.
        """
        ...
