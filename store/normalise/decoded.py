"""What a decoder hands on: events as columns, and what it refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from store.tally import Refusal


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came out of one body or file chunk: events as columns, and what was refused."""

    events: pl.DataFrame
    """Columns as in store.schema, types included; a column that stands for nothing is absent."""
    refusals: Sequence[Refusal] = ()
    """One for each rejected event, line or body; all of them, not the first few."""
    numbers: Sequence[int] = ()
    """Which of the records that came each event was made of, where the decoder says so."""
    note: Any = None
    """What an intake's `decode` leaves for its `reply`: plain values, as they may come out of
    another process."""
