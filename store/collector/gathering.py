"""Deliveries of one commit made into as few frames as their columns allow. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import polars as pl

from store.schema import EXACT_FLOAT_MAX

Types = Mapping[str, pl.DataType]

_MEET_IN_FLOAT: Final = frozenset({pl.Int64(), pl.Float64()})


@dataclass(frozen=True, slots=True)
class Gathered:
    """One frame, and which rows of it came from which delivery."""

    events: pl.DataFrame
    sources: tuple[int, ...]
    """Indexes of the deliveries, in the order of their rows."""
    heights: tuple[int, ...]

    def apart(self) -> "Iterator[Gathered]":
        """Each delivery's rows on their own."""
        starts = accumulate(self.heights, initial=0)
        for source, start, height in zip(self.sources, starts, self.heights, strict=False):
            yield Gathered(self.events.slice(start, height), (source,), (height,))

    def shares(self, column: pl.Series) -> Iterator[tuple[int, pl.Series]]:
        """A column of `events` cut into each delivery's share of it."""
        starts = accumulate(self.heights, initial=0)
        for source, start, height in zip(self.sources, starts, self.heights, strict=False):
            yield source, column.slice(start, height)


def gathered(frames: Sequence[pl.DataFrame], rows_max: int) -> list[Gathered]:
    """The frames, cut and put together to at most `rows_max` rows each.

    No value changes: integers meet floats in one column where that is exact; frames that disagree
    more than that start another.
    """
    groups: list[_Group] = []
    for source, frame in enumerate(frames):
        for piece in frame.iter_slices(rows_max) if frame.height > rows_max else (frame,):
            if not (groups and groups[-1].takes(source, piece, rows_max)):
                groups.append(_Group(source, piece))
    return [group.gathered() for group in groups]


class _Group:
    """Pieces that fit into one part, and the type that each column has there."""

    def __init__(self, source: int, piece: pl.DataFrame) -> None:
        self.pieces = [(source, piece)]
        self.types: Types = piece.schema
        self.rows = piece.height

    def takes(self, source: int, piece: pl.DataFrame, rows_max: int) -> bool:
        """Adds the piece, if it fits."""
        if self.rows + piece.height > rows_max:
            return False
        if piece.schema != self.types:
            types = self._types_with(piece)
            if types is None:
                return False
            self.types = types
        self.pieces.append((source, piece))
        self.rows += piece.height
        return True

    def gathered(self) -> Gathered:
        frames = [self._widened(piece) for _, piece in self.pieces]
        events = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")
        sources, heights = zip(*((source, p.height) for source, p in self.pieces), strict=True)
        return Gathered(events, sources, heights)

    def _types_with(self, piece: pl.DataFrame) -> Types | None:
        """The group's columns with those of `piece`; None when they cannot share a part."""
        types = {**piece.schema, **self.types}
        for name, kind in piece.schema.items():
            if types[name] == kind:
                continue
            if not ({types[name], kind} == _MEET_IN_FLOAT and self._is_exact(name, piece)):
                return None
            types[name] = pl.Float64()
        return types

    def _is_exact(self, name: str, piece: pl.DataFrame) -> bool:
        """Whether every integer of the column is the same as a float."""
        columns = [p[name] for p in (piece, *(p for _, p in self.pieces)) if name in p.columns]
        integers = [column for column in columns if column.dtype == pl.Int64()]
        ends = [end for column in integers for end in (column.min(), column.max())]
        return all(end is None or -EXACT_FLOAT_MAX < end < EXACT_FLOAT_MAX for end in ends)  # type: ignore[operator]

    def _widened(self, piece: pl.DataFrame) -> pl.DataFrame:
        kinds = piece.schema.items()
        casts = [
            pl.col(name).cast(self.types[name]) for name, kind in kinds if kind != self.types[name]
        ]
        return piece.with_columns(casts) if casts else piece
