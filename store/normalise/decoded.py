"""What a decoder hands on: events as columns, and what it refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from store.tally import Refusal


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out of one body or file chunk: events as columns, and what was refused."""

    events: pl.DataFrame
    """Columns as in store.schema, types included; a column that stands for nothing is absent."""
    refusals: Sequence[Refusal] = ()
    """One for each rejected event, line or body; all of them, not the first few."""
