"""What a decoder hands on: events as columns, and what it refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
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
    shared: "Shared | None" = None
    """The frame that the events are a piece of, where deliveries were decoded together."""
    place: int = 0
    """Which piece of it."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shared:
    """The events of several deliveries, none of which had anything refused, in one frame: what is
    done to all of them is done once.
    """

    events: pl.DataFrame
    heights: Sequence[int]
    """How many of them are of each delivery, in their order."""

    def apart(self) -> list[Decoded]:
        """What each delivery became, in the columns that it would have by itself."""
        # A column without nulls has none in any piece either: most need no second look.
        sparse = [v.name for v in self.events.get_columns() if v.null_count()]
        ends = accumulate(self.heights)
        return [
            Decoded(self._piece(end - height, height, sparse), shared=self, place=place)
            for place, (height, end) in enumerate(zip(self.heights, ends, strict=True))
        ]

    def _piece(self, start: int, height: int, sparse: Sequence[str]) -> pl.DataFrame:
        if not height:
            return pl.DataFrame()
        piece = self.events.slice(start, height)
        for name in sparse:
            if piece[name].null_count() == height:
                piece.drop_in_place(name)
        return piece
