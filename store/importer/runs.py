"""Events of an import into parts: gathered in bounded runs, so that history lands in few of them.

A run is what fits a budget of memory. Of a run that is not the last, dates that make a part of
some size are committed; what is scattered over many dates waits in a Spill for the end.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import polars as pl

from store.importer.known_ids import by_date, fresh
from store.importer.spill import Spill
from store.normalise import united
from store.parts.catalog import Catalog
from store.parts.disk import as_store_error
from store.parts.layout import StoreFolder
from store.parts.part import Part
from store.parts.writer import PartWriter
from store.tally import Receipt, Tally

RUN_BYTES: Final = 64 * 1024 * 1024
"""As Polars counts; sorting it, a process stays below 500 MB."""
GOOD_PART_ROWS: Final = 50_000
"""From here a date's share of a run is committed at once."""
_LISTINGS_MAX: Final = 5


class Runs:
    """The way of one import's events to disk. `receipt` says what became of them so far."""

    def __init__(
        self,
        folder: StoreFolder,
        writer: PartWriter,
        *,
        intake: str,
        part_rows_max: int,
    ) -> None:
        self.receipt = Receipt()
        self._folder = folder
        self._writer = writer
        self._intake = intake
        self._part_rows_max = part_rows_max
        self._run: list[pl.DataFrame] = []
        self._bytes = 0
        self._uncommitted = Tally()
        """What was counted, but stands in no part's footer yet."""
        self._catalog = Catalog(folder)
        self._own: list[Part] = []
        self._spill = Spill(folder.root)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spill.__exit__(kind, error, trace)

    def count(self, receipt: Receipt, reasons: Mapping[str, int]) -> None:
        """What became of events that do not come here; each part's footer takes a share."""
        self.receipt += receipt
        self._uncommitted += Tally.of(receipt, intake=self._intake, reasons=reasons)

    def add(self, events: pl.DataFrame) -> None:
        """These events are to be stored; most of them are at `finish`."""
        if not events.height:
            return
        self._run.append(events)
        self._bytes += int(events.estimated_size())
        if self._bytes >= RUN_BYTES:
            self._settle()

    def finish(self) -> Receipt:
        """Stores all that is left; durable when it returns. NoRoomError, ReadOnlyStoreError."""
        if not self._spill.dates:
            self._commit(self._taken())
        else:
            self._settle(everything=True)
            for day in self._spill.dates:
                self._commit_date(day)
        if self._uncommitted:
            self._writer.commit(pl.DataFrame(), self._uncommitted, imported=True)
        return self.receipt

    def _taken(self) -> pl.DataFrame:
        """The run as one frame, in the order of time; the next one begins."""
        events = united(self._run)
        self._run, self._bytes = [], 0
        return events.sort("event_time", maintain_order=True) if events.height else events

    def _settle(self, *, everything: bool = False) -> None:
        """Commits the dates that make good parts, and lets the others wait."""
        for day, events in _by_date(self._taken()):
            if events.height >= GOOD_PART_ROWS and not (everything and day in self._spill.dates):
                self._commit(events)
                continue
            try:
                self._spill.add(day, events)
            except OSError as error:
                raise as_store_error(error, self._folder.root) from error

    def _commit_date(self, day: str) -> None:
        waiting: list[pl.DataFrame] = []
        rows = 0
        for piece in self._spill.take(day):
            waiting.append(piece)
            rows += piece.height
            if rows >= self._part_rows_max:
                self._commit(united(waiting))
                waiting, rows = [], 0
        self._commit(united(waiting))

    def _commit(self, events: pl.DataFrame) -> None:
        """Stores what is not stored yet, in parts of at most so many rows."""
        if not events.height:
            return
        new = self._without_known(events)
        duplicate = Receipt(duplicate=events.height - new.height)
        self.count(duplicate, {})
        for piece in new.iter_slices(self._part_rows_max):
            stored = Receipt(stored=piece.height)
            tally = self._uncommitted + Tally.of(stored, intake=self._intake)
            self._own += self._writer.commit(piece, tally, imported=True)
            self._uncommitted = Tally()
            self.receipt += stored

    def _without_known(self, events: pl.DataFrame) -> pl.DataFrame:
        for _ in range(_LISTINGS_MAX):
            snapshot = self._catalog.snapshot()
            try:
                return fresh(events, by_date(snapshot.parts))
            except FileNotFoundError:
                continue  # merged meanwhile: its events stand in another part now
        return fresh(events, by_date(self._catalog.snapshot().parts))


def _by_date(events: pl.DataFrame) -> Sequence[tuple[str, pl.DataFrame]]:
    """Events in the order of time, cut where the UTC date changes."""
    if not events.height:
        return ()
    runs = events["event_time"].dt.date().rle().struct.unnest()
    pieces, start = [], 0
    for length, day in runs.iter_rows():
        pieces.append((day.isoformat(), events.slice(start, length)))
        start += length
    return pieces
