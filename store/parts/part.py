"""What is known of a part without reading its rows: the name, the footer, the totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from store.tally import Tally
from store.timespan import TimeSpan


class Cover(NamedTuple):
    """The parts `writer`-`first` to `writer`-`last` that a compacted part stands for."""

    writer: str
    first: int
    last: int


class Rolled(NamedTuple):
    """What a rollup holds of the events that it stands for."""

    tiers: tuple[str, ...]
    """Their cells of these tiers; none: only the tally outlived them."""
    covers: tuple[tuple[str, Cover], ...] = ()
    """Rollups, by date, whose place this one took."""
    folded: frozenset[str] = frozenset()
    """Keys of which the rarer values were folded into one."""
    hashes: str = ""
    """By what sessions were hashed: only hashes of one kind can be counted together."""
    seal: str = ""
    """Of its file's rows, as the footer has it; none before it is written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One Parquet file of events of one UTC date; it never changes once it is visible."""

    path: Path
    date: str
    level: int
    writer: str
    sequence: int
    rows: int
    size_bytes: int
    span: TimeSpan
    """From the first `event_time` to just after the last (one microsecond)."""
    newest_received: datetime
    columns: Mapping[str, pl.DataType]
    """The columns that stand in this file, with their types here (OVERFLOW among them)."""
    covers: tuple[Cover, ...] = ()
    tally: Tally = field(default_factory=Tally)
    """What the commit that wrote this part added to the store's tally."""
    imported: bool = False
    wide: frozenset[str] = frozenset()
    """Integer columns with values past 2^53: as floats they would not be exact."""
    overflow: Mapping[str, pl.DataType] = field(default_factory=dict)
    """The attributes that live inside OVERFLOW, with the types they are read as."""
    overflow_complete: bool = True
    """False when OVERFLOW holds more names than a footer lists; those are read as text."""
    removed: int = 0
    """Duplicates that compaction took out: they moved from `stored` to `duplicate`."""
    rolled: Rolled | None = None
    """Of a rollup: `path` and `size_bytes` are its own, all else tells of the events."""

    @property
    def key(self) -> str:
        """Its identity: `_date=2026-11-22/0-3f9a-17`, as in the file system without the suffix."""
        return f"_date={self.date}/{self.level}-{self.writer}-{self.sequence}"

    @property
    def last_event_time(self) -> datetime:
        """The newest event's time; meaningless in a part without rows."""
        return self.span.end - timedelta(microseconds=1)
