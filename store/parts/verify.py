"""Whether a part holds what was written, byte for byte and value for value."""

from collections.abc import Callable
from datetime import date
from os import SEEK_END
from typing import Any, BinaryIO, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from store.errors import NewerFormatError, PartUnreadableError
from store.parts.footer import TAIL_BYTES, read_footer
from store.parts.part import Part

CHUNK_BYTES: Final = 1024 * 1024
BATCH_ROWS: Final = 8_192


def part_fault(part: Part) -> str | None:
    """Why a part cannot be trusted, after reading all of it; None when it can, or when it is gone.

    The seals show any changed byte, also between the pages, and keep it from the decoder; decoding
    shows a file that was written wrongly.
    """
    return _fault_of(_verify_seals, part) or _fault_of(_verify_values, part)


def seal_fault(part: Part) -> str | None:
    """As `part_fault`, by the bytes alone: as fast as the disk, and enough for a part that was
    written rightly.
    """
    return _fault_of(_verify_seals, part)


def _fault_of(verify: Callable[[Part], None], part: Part) -> str | None:
    try:
        verify(part)
    except FileNotFoundError:
        return None
    except (PartUnreadableError, NewerFormatError) as error:
        return error.fault
    except (OSError, pa.ArrowException) as error:
        return f"it cannot be read: {error}"
    return None


def _verify_seals(part: Part) -> None:
    with part.path.open("rb") as file:
        _verify_bytes(file)


def _verify_bytes(file: BinaryIO) -> None:
    footer = read_footer(file)
    rest = file.seek(0, SEEK_END) - len(footer.raw) - TAIL_BYTES
    file.seek(0)
    digest = xxhash.xxh3_64()
    while rest > 0 and (chunk := file.read(min(CHUNK_BYTES, rest))):
        digest.update(chunk)
        rest -= len(chunk)
    if digest.hexdigest() != footer.body_seal:
        raise PartUnreadableError("part", "the checksum of its rows is wrong")


def _verify_values(part: Part) -> None:
    """Decodes everything, with the page checksums, and compares it with the footer's summary."""
    rows, times = 0, list[Any]()
    with pq.ParquetFile(part.path, page_checksum_verification=True) as file:
        stored = pl.Schema(file.schema_arrow)
        for batch in file.iter_batches(BATCH_ROWS):
            rows += batch.num_rows
            found = pc.min_max(batch.column("event_time")).as_py()
            times += [found["min"], found["max"]]
    if rows != part.rows or dict(stored) != dict(part.columns):
        raise PartUnreadableError("part", "its rows or columns are not those its footer tells of")
    if times and (min(times) < part.span.start or max(times) >= part.span.end):
        raise PartUnreadableError("part", "its events are not of the time that its footer tells")
    if times and {min(times).date(), max(times).date()} != {date.fromisoformat(part.date)}:
        raise PartUnreadableError("part", "its events are of another date than its folder")
