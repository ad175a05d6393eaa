"""Commits: events become parts, durably, before anyone is told that they were accepted."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from store.errors import UsageError
from store.parts import footer
from store.parts.columns import storable, wide_columns
from store.parts.disk import DISK, Disk, as_store_error, make_folders, write_durably
from store.parts.layout import PartName, StoreFolder, folder_of, is_writer_name
from store.parts.overflow import Folded, folded
from store.parts.part import Part
from store.schema import FIXED, REQUIRED
from store.tally import FATES, Tally
from store.timespan import TimeSpan

ROW_GROUP_ROWS: Final = 32_768
"""What a reader of a short span reads at least: small enough to skip most of a day."""
SMALL_PART_ROWS: Final = 8_192
"""Below, columns are short, and setting up zstd for each costs more than it saves: snappy."""
_PLAIN: Final = frozenset({"event_id", "event_time", "received_time", "duration_ms", "value"})
"""Columns whose values hardly repeat: a dictionary would only be built and thrown away."""
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A part with its bytes, before anything touched the disk."""

    part: Part
    file: bytearray


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
        self._ready_dates: set[str] = set()

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
            prepared = self._prepared(events, tally, imported)
            try:
                self._publish(prepared)
            except OSError as error:
                raise as_store_error(error, self._folder.events) from error
        return tuple(each.part for each in prepared)

    def _prepared(self, events: pl.DataFrame, tally: Tally, imported: bool) -> Sequence[_Prepared]:
        pieces = _by_date(_sorted(events)) if events.height else [self._nothing()]
        tallies = _shares(tally, [piece.height for _, piece in pieces])
        return [
            self._encoded(day, piece, share, imported)
            for (day, piece), share in zip(pieces, tallies, strict=True)
        ]

    def _nothing(self) -> tuple[str, pl.DataFrame]:
        today = self._now().astimezone(UTC).date().isoformat()
        return today, pl.DataFrame(schema={name: FIXED[name] for name in REQUIRED})

    def _encoded(self, day: str, events: pl.DataFrame, tally: Tally, imported: bool) -> _Prepared:
        # A number that failed is never used again: readers may have seen the file.
        sequence, self._sequence = self._sequence, self._sequence + 1
        narrow = folded(storable(events))
        part = self._described(PartName(0, self.writer, sequence), day, narrow)
        part = replace(part, tally=tally, imported=imported)
        file = encoded(narrow.events, part)
        return _Prepared(replace(part, size_bytes=len(file)), file)

    def _described(self, name: PartName, day: str, narrow: Folded) -> Part:
        events = narrow.events
        return Part(
            path=self._folder.events / folder_of(day) / name.file,
            date=day,
            level=name.level,
            writer=name.writer,
            sequence=name.sequence,
            rows=events.height,
            size_bytes=0,
            span=_span(events, self._now()),
            newest_received=_newest_received(events, self._now()),
            columns=dict(events.schema),
            wide=wide_columns(events) | narrow.wide,
            overflow=narrow.names,
            overflow_complete=narrow.complete,
        )

    def _publish(self, prepared: Sequence[_Prepared]) -> None:
        """Stages all, then renames all, in order; a failure takes back what it did."""
        done: list[Path] = []
        try:
            for each in prepared:
                done.append(_staged(each.part))
                self._stage(each)
            for each in prepared:
                self._disk.rename(_staged(each.part), each.part.path)
                done.append(each.part.path)
            for folder in dict.fromkeys(each.part.path.parent for each in prepared):
                self._disk.sync_folder(folder)
        except BaseException:
            self._withdraw(done)
            raise

    def _stage(self, each: _Prepared) -> None:
        folder = each.part.path.parent
        if each.part.date not in self._ready_dates:
            make_folders(self._disk, folder)
            # Another process may have made it and died before its name was on the medium.
            self._disk.sync_folder(folder.parent)
            self._ready_dates.add(each.part.date)
        try:
            write_durably(self._disk, _staged(each.part), each.file)
        except FileNotFoundError:  # the folder was empty and expired meanwhile
            make_folders(self._disk, folder)
            write_durably(self._disk, _staged(each.part), each.file)

    def _withdraw(self, paths: Sequence[Path]) -> None:
        for path in paths:
            try:
                self._disk.remove(path)
            except OSError:
                continue  # never made, or renamed; a leftover is ignored by its name


def encoded(events: pl.DataFrame, part: Part) -> bytearray:
    """The bytes of the file that holds `events` and says about itself what `part` says."""
    table = events.to_arrow()
    sink = pa.BufferOutputStream()
    small = events.height < SMALL_PART_ROWS
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="snappy" if small else "zstd",
        use_dictionary=[name for name in events.columns if name not in _PLAIN] or False,
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        writer.add_key_value_metadata(
            {footer.SUMMARY_KEY: footer.summary_of(part), footer.SEAL_KEY: footer.UNSEALED}
        )
    file = bytearray(sink.getvalue())
    footer.seal(file)
    return file


def _staged(part: Part) -> Path:
    return part.path.with_name(PartName(part.level, part.writer, part.sequence).staged)


def _sorted(events: pl.DataFrame) -> pl.DataFrame:
    return events.sort("event_time", "event_id", nulls_last=True)


def _by_date(events: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Sorted events cut where the UTC date changes."""
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
    """Each part's rows as `stored`, and the rest of the tally with the last part."""
    if len(rows) == 1 or not tally:
        return [*(Tally() for _ in rows[1:]), tally]
    early = rows[:-1]
    fates = {fate: tally.fates.get(fate, 0) for fate in FATES}
    fates["stored"] -= sum(early)
    return [*(Tally({"stored": count}) for count in early), replace(tally, fates=_positive(fates))]


def _positive(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _span(events: pl.DataFrame, now: datetime) -> TimeSpan:
    if not events.height:
        return TimeSpan(now, now)
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
