"""Whether a part holds what was written, byte for byte and value for value."""

from collections.abc import Callable
from datetime import date, datetime
from os import SEEK_END
from typing import BinaryIO, Final

import polars as pl
import xxhash

from store.errors import ForeignPartError, PartUnreadableError
from store.parts.faults import Fault, fault_of
from store.parts.footer import TAIL_BYTES, read_footer
from store.parts.part import Part
from store.schema import REQUIRED

CHUNK_BYTES: Final = 1024 * 1024
BATCH_ROWS: Final = 8_192


def part_fault(part: Part) -> Fault | None:
    """Why a part cannot be trusted, after reading all of it; None when it can, or when it is gone.

    The seals show any changed byte, also between the pages, and keep it from the decoder; decoding
    shows a file that was written wrongly.
    """
    return seal_fault(part) or (None if part.rolled else _fault_of(_verify_values, part))


def seal_fault(part: Part) -> Fault | None:
    """As `part_fault`, by the bytes and Parquet's own footer: as fast as the disk, and enough for
    a part that was written rightly. A rollup's shape is its own: its bytes alone are looked at.
    """
    faulty = _fault_of(_verify_seals, part)
    return faulty or (None if part.rolled else _fault_of(_verify_shape, part))


def _fault_of(verify: Callable[[Part], None], part: Part) -> Fault | None:
    try:
        return fault_of(lambda: verify(part))
    except FileNotFoundError:
        return None


def _verify_seals(part: Part) -> None:
    with part.path.open("rb") as file:
        verify_bytes(file)


def verify_bytes(file: BinaryIO) -> None:
    """PartUnreadableError unless both seals of an open file are right; OSError."""
    footer = read_footer(file)
    rest = file.seek(0, SEEK_END) - len(footer.raw) - TAIL_BYTES
    file.seek(0)
    digest = xxhash.xxh3_64()
    while rest > 0 and (chunk := file.read(min(CHUNK_BYTES, rest))):
        digest.update(chunk)
        rest -= len(chunk)
    if digest.hexdigest() != footer.body_seal:
        raise PartUnreadableError("part", "the checksum of its rows is wrong")


def _verify_shape(part: Part) -> None:
    import pyarrow.parquet as pq  # who only answers questions never comes here

    with pq.ParquetFile(part.path) as file:
        same_rows = file.metadata.num_rows == part.rows
        if not same_rows or dict(pl.Schema(file.schema_arrow)) != dict(part.columns):
            raise _misfit("its rows or columns are not those its footer tells of")


def _verify_values(part: Part) -> None:
    """Decodes everything, with the page checksums, and compares it with the footer's summary."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    before: tuple[datetime, str] | None = None
    with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            events = pl.DataFrame(pa.Table.from_batches([batch])).select(REQUIRED)
            _verify_batch(part, events, before)
            before = events.select("event_time", "event_id").row(-1)


def _verify_batch(part: Part, events: pl.DataFrame, before: tuple[datetime, str] | None) -> None:
    """Events, at least one, as they follow upon the one `before`."""
    if any(column.null_count() for column in events.get_columns()):
        raise _misfit("an event lacks its id, time, type or name")
    times, names = events["event_time"], events["event_id"]
    swapped = (times == times.shift()) & (names < names.shift())
    if not times.is_sorted() or swapped.any() or (before and (times[0], names[0]) < before):
        raise _misfit("its events are not in order")
    first, last = times[0], times[-1]
    if first < part.span.start or last >= part.span.end:
        raise _misfit("its events are not of the time that its footer tells")
    if {first.date(), last.date()} != {date.fromisoformat(part.date)}:
        raise _misfit("its events are of another date than its folder")


def _misfit(fault: str) -> ForeignPartError:
    return ForeignPartError("part", f"it was written wrongly: {fault}")
