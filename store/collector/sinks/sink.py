"""What a sink is: a place that takes whole batches."""

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from store.parts.part import Part
from store.tally import Tally


class Sink(Protocol):
    """Called from the commit thread, one batch at a time."""

    name: str

    def write(self, events: pl.DataFrame, tally: Tally) -> Sequence[Part]:
        """Durable when it returns; a StoreError means that the batch is not stored."""
        ...
