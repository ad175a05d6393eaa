"""Commits: events become parts, durably, before anyone is told that they were accepted."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from store.errors import StoreError, UsageError
from store.parts.columns import storable, wide_columns
from store.parts.disk import DISK, Disk, as_store_error, make_folders, write_durably
from store.parts.encoding import encoded
from store.parts.layout import PartName, StoreFolder, folder_of, is_writer_name
from store.parts.overflow import Folded, folded
from store.parts.part import Part
from store.parts.writing import writing
from store.schema import FIXED, REQUIRED
from store.tally import Tally
from store.timespan import TimeSpan

PARALLEL_ROWS: Final = 20_000
"""From here the parts of a commit are encoded side by side: history comes as many dates."""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What becomes one part."""

    name: PartName
    day: str
    events: pl.DataFrame
    tally: Tally
    imported: bool


class PartWriter:
    """Writes the parts of one writer, in sequence order. Safe across threads; blocks until the
    medium has the bytes, so call it off the event loop.
    """

    def __init__(
        self,
        folder: StoreFolder,
        *,
        now: Callable[[], datetime],
        writer: str | None = None,
        disk: Disk = DISK,
    ) -> None:
        """`writer` is the name in the parts' names (1 to 32 digits and lower-case letters), which
        must not be in use elsewhere; None takes a random one. `now` gives UTC times.
        """
        if writer is not None and not is_writer_name(writer):
            raise UsageError("writer", f"{writer!r} is not a name of digits and small letters")
        self.writer = writer or os.urandom(6).hex()
        self._folder = folder
        self._now = now
        self._disk = disk
        self._lock = threading.Lock()
        self._sequence = 0 if writer is None else _next_sequence(folder, self.writer)
        self._ready_days: set[str] = set()

    def commit(
        self, events: pl.DataFrame, tally: Tally, *, imported: bool = False
    ) -> tuple[Part, ...]:
        """Stores all of `events`, one part for each UTC date; durable when this returns.

        `tally` is what the commit adds to the store's tally. Each part carries its own rows as
        `stored` and the last one the rest, so the tally is exact also when a crash lets only
        some of them stand. No events but a tally make one part without rows, neither makes none.
        All or nothing while the process lives: NoRoomError, ReadOnlyStoreError, or StoreError
        mean that nothing was stored.
        """
        if events.height == 0 and not tally:
            return ()
        with self._lock:
            try:
                return self._published(self._pieces(events, tally, imported))
            except OSError as error:
                raise as_store_error(error, self._folder.events) from error

    def _pieces(self, events: pl.DataFrame, tally: Tally, imported: bool) -> list[_Piece]:
        days = by_date(in_order(events)) if events.height else [self._nothing()]
        shares = _shares(tally, [piece.height for _, piece in days])
        # A number that failed is never used again: readers may have seen the file.
        first, self._sequence = self._sequence, self._sequence + len(days)
        return [
            _Piece(PartName(0, self.writer, first + place), day, piece, share, imported)
            for place, ((day, piece), share) in enumerate(zip(days, shares, strict=True))
        ]

    def _nothing(self) -> tuple[str, pl.DataFrame]:
        today = self._now().astimezone(UTC).date().isoformat()
        return today, pl.DataFrame(schema={name: FIXED[name] for name in REQUIRED})

    def _published(self, pieces: Sequence[_Piece]) -> tuple[Part, ...]:
        """Stages all, then renames all, in order; a failure takes back what it did."""
        staged = [self._folder.staging / piece.name.staged for piece in pieces]
        visible: list[Path] = []
        try:
            for day in dict.fromkeys(piece.day for piece in pieces):
                self._make_ready(day)
            with writing(self._folder):
                parts = self._staged(pieces)
                for source, part in zip(staged, parts, strict=True):
                    self._show(source, part.path)
                    visible.append(part.path)
            for folder in dict.fromkeys(part.path.parent for part in parts):
                self._disk.sync_folder(folder)
        except BaseException:
            self._withdraw([*staged, *visible])
            raise
        return parts

    def _staged(self, pieces: Sequence[_Piece]) -> tuple[Part, ...]:
        if len(pieces) == 1 or sum(piece.events.height for piece in pieces) < PARALLEL_ROWS:
            return tuple(map(self._stage, pieces))
        # pyarrow encodes on one core and lets go of the interpreter meanwhile.
        with ThreadPoolExecutor(min(len(pieces), os.cpu_count() or 1)) as pool:
            return tuple(pool.map(self._stage, pieces))

    def _stage(self, piece: _Piece) -> Part:
        """Encodes a piece and writes it under its staged name."""
        narrow = folded(storable(piece.events))
        part = self._described(piece, narrow)
        file = encoded(narrow.events, part)
        write_durably(self._disk, self._folder.staging / piece.name.staged, file)
        return replace(part, size_bytes=len(file))

    def _described(self, piece: _Piece, narrow: Folded) -> Part:
        now = self._now()
        return Part(
            path=self._path(piece),
            date=piece.day,
            level=piece.name.level,
            writer=piece.name.writer,
            sequence=piece.name.sequence,
            rows=narrow.events.height,
            size_bytes=0,
            span=span_of(narrow.events) if narrow.events.height else TimeSpan(now, now),
            newest_received=_newest_received(narrow.events, now),
            columns=dict(narrow.events.schema),
            tally=piece.tally,
            imported=piece.imported,
            wide=wide_columns(narrow.events) | narrow.wide,
            overflow=narrow.names,
            overflow_complete=narrow.complete,
        )

    def _path(self, piece: _Piece) -> Path:
        return self._folder.events / folder_of(piece.day) / piece.name.file

    def _make_ready(self, day: str) -> None:
        if day in self._ready_days:
            return
        make_folders(self._disk, self._folder.staging)
        make_folders(self._disk, self._folder.events / folder_of(day))
        # Another process may have made it and died before its name was on the medium.
        self._disk.sync_folder(self._folder.events)
        self._ready_days.add(day)

    def _show(self, staged: Path, path: Path) -> None:
        # Renaming would put this part in the place of another one.
        if path.exists():
            fault = f"another process writes under the name {self.writer}"
            raise StoreError("writer", fault, place=str(path), next_step="give each its own")
        try:
            self._disk.rename(staged, path)
        except FileNotFoundError:  # the folder of that date was empty and expired meanwhile
            make_folders(self._disk, path.parent)
            self._disk.rename(staged, path)

    def _withdraw(self, paths: Sequence[Path]) -> None:
        for path in paths:
            try:
                self._disk.remove(path)
            except OSError:
                continue  # never made, or renamed; a leftover is ignored by its name


def in_order(events: pl.DataFrame) -> pl.DataFrame:
    """Events by (event_time, event_id)."""
    by_time = events if events["event_time"].is_sorted() else events.sort("event_time")
    time, name = pl.col("event_time"), pl.col("event_id")
    swapped = (time == time.shift()) & (name < name.shift())
    # Sorting by both costs five times as much as by the time alone, and few events tie.
    if by_time.select(swapped.any()).item():
        return by_time.sort("event_time", "event_id")
    return by_time


def by_date(events: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Events in order, at least one, cut where the UTC date changes."""
    times = events["event_time"]
    if times[0].date() == times[-1].date():
        return [(times[0].date().isoformat(), events)]
    runs = times.dt.date().rle().struct.unnest()
    pieces, start = [], 0
    for length, day in runs.iter_rows():
        pieces.append((day.isoformat(), events.slice(start, length)))
        start += length
    return pieces


def _shares(tally: Tally, rows: Sequence[int]) -> list[Tally]:
    """Each part's rows as `stored`, and the rest of the tally with the last part; all of it there
    when it speaks of other events than these.
    """
    early = rows[:-1] if tally.fates.get("stored") == sum(rows) else ()
    rest = {**tally.fates, "stored": tally.fates.get("stored", 0) - sum(early)}
    last = replace(tally, fates={fate: count for fate, count in rest.items() if count})
    return [*(Tally({"stored": count}) for count in early or [0] * (len(rows) - 1)), last]


def span_of(events: pl.DataFrame) -> TimeSpan:
    """Of events in order, at least one: from the first to just after the last."""
    times = events["event_time"]
    last = times[-1]
    # The last instant that Python knows has none after it.
    return TimeSpan(times[0], last + min(_MICROSECOND, datetime.max.replace(tzinfo=UTC) - last))


def _newest_received(events: pl.DataFrame, now: datetime) -> datetime:
    newest = events["received_time"].max() if "received_time" in events.columns else None
    return newest if isinstance(newest, datetime) else now


def _next_sequence(folder: StoreFolder, writer: str) -> int:
    """After the highest that stands under this name, staged or not."""
    return 1 + max(folder.sequences(writer), default=-1)
