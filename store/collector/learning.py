"""The ids of the last day's parts, read back when a collector starts.

By pyarrow, a few rows at a time: Polars, which reads a part as a whole, takes 60 MB more for a moment
and leaves 20 MB of its own code resident.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from store.collector.duplicates import AGE_MAX, IDS_MAX, KEY_COLUMNS
from store.parts.part import Part

LOG: Final = logging.getLogger("eventdeck.collector")
ROWS_AT_ONCE: Final = 32_768
"""As texts of Python, all ids of the start at once would take 130 MB for a moment."""


def recent(parts: Sequence[Part], now: datetime, ids_max: int = IDS_MAX) -> list[Part]:
    """The parts whose ids are to be known at start, oldest first: those of the day before `now`,
    or before the newest came in, should the clock have run ahead of it.
    """
    newest = max((part.newest_received for part in parts if part.rows), default=now)
    since = min(now, newest) - AGE_MAX
    young = [part for part in parts if part.newest_received >= since and part.rows]
    young.sort(key=lambda part: part.newest_received, reverse=True)
    wanted, rows = [], 0
    for part in young:
        if rows >= ids_max:
            break
        wanted.append(part)
        rows += part.rows
    return wanted[::-1]


def keys_of(parts: Sequence[Part], ids_max: int = IDS_MAX) -> Iterator[tuple[Part, pl.DataFrame]]:
    """KEY_COLUMNS of the events in `parts`, in their order, some rows at a time; of each part at
    least the last `ids_max`. One that cannot be read costs its own ids, not the start.
    """
    for part in parts:
        try:
            for events in _last_keys(part, ids_max):
                yield part, events
        except (pa.ArrowException, OSError) as error:
            LOG.warning("the ids in %s are not known: %s", part.key, error)


def _last_keys(part: Part, ids_max: int) -> Iterator[pl.DataFrame]:
    """Of the last row groups: a compacted part may hold a whole day, and the newest stand last."""
    with pq.ParquetFile(part.path) as file:
        first, rows = file.num_row_groups, 0
        while first and rows < ids_max:
            first -= 1
            rows += file.metadata.row_group(first).num_rows
        groups = range(first, file.num_row_groups)
        batches = file.iter_batches(
            ROWS_AT_ONCE, row_groups=groups, columns=list(KEY_COLUMNS), use_threads=False
        )
        for batch in batches:
            yield pl.DataFrame(batch)
