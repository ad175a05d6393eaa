"""Events as the bytes of a part: all at once for a commit, row group by row group for a merge."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from store.parts import footer
from store.parts.disk import Disk
from store.parts.part import Part

ROW_GROUP_ROWS: Final = 32_768
"""What a reader of a short span reads at least: small enough to skip most of a day."""
SMALL_PART_ROWS: Final = 8_192
"""Below, columns are short, and setting up zstd for each costs more than it saves. Compaction soon
writes them anew, so what such a part costs is the time of its commit."""
SYNC_BYTES: Final = 8 * 1024 * 1024
"""Written at most before it is synced: file systems make a commit's fsync wait for what another
process wrote and did not sync."""
_PLAIN: Final = frozenset({"event_id", "duration_ms", "value"})
"""Columns whose values hardly repeat: a dictionary would only be built and thrown away."""
_ASCENDING: Final = ("event_time", "received_time")
"""Kept as differences: a seventh smaller than plain ones under zstd, and read in half the time."""

_IDS: Final = frozenset({"event_id", "trace_id", "span_id", "parent_span_id"})
"""Random digits: a quick compression takes its time and finds nothing."""
_SAMPLE: Final = 32
_DISTINCT_MIN: Final = 24
"""With so many distinct values among the first, the others will hardly repeat."""
_BATCH: Final = 4_096
"""Values that are encoded in one go: by default 1,024, an eighth slower."""

_LOOKED_UP: Final = {
    "event_id": ROW_GROUP_ROWS,
    "trace_id": ROW_GROUP_ROWS // 2,
    "user_id": ROW_GROUP_ROWS // 8,
    "session_id": ROW_GROUP_ROWS // 8,
}
"""Columns of merged parts that get a Bloom filter, and how many values it has room for in a row
group. Polars 2.1 does not read them; DuckDB finds an id in a sixth of the time, for 1.5 B an event.
"""


def encoded(events: pl.DataFrame, part: Part) -> bytearray:
    """The bytes of the file that holds `events` and says about itself what `part` says."""
    small = events.height < SMALL_PART_ROWS
    whole = events.rechunk() if small else events
    sink, table = pa.BufferOutputStream(), _table(whole)
    options = _quick(whole) if small else _thorough(table.schema, events.height)
    with _writer(sink, table.schema, options) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        writer.add_key_value_metadata(_summary(part))
    file = bytearray(sink.getvalue())
    footer.seal(file)
    return file


class PartFile:
    """A part that is written piece by piece to a new file; memory holds a few row groups. Close it
    whatever happens; it is a part once `finish` has returned, and durable then.
    """

    def __init__(
        self, disk: Disk, path: Path, schema: Mapping[str, pl.DataType], rows: int
    ) -> None:
        """`rows` is about how many will come."""
        self._sink = _Sink(disk, path)
        self._waiting = pl.DataFrame(schema=schema)
        stored_as = _table(self._waiting).schema
        blooms = {name: _bloom(room) for name, room in _LOOKED_UP.items() if name in schema}
        options = _thorough(stored_as, rows)
        if rows >= SMALL_PART_ROWS:
            options["bloom_filter_options"] = blooms or None
        sink = pa.PythonFile(self._sink, mode="w")
        self._writer = _writer(sink, stored_as, options)

    def write(self, events: pl.DataFrame) -> None:
        """Adds events after those that were written, in the columns and types of the schema."""
        waiting = pl.concat([self._waiting, events])
        whole = waiting.height - waiting.height % ROW_GROUP_ROWS
        self._write(waiting.head(whole))
        self._waiting = waiting.tail(waiting.height - whole)

    def finish(self, part: Part) -> int:
        """Adds the footer that says what `part` says; the file's size in bytes."""
        self._write(self._waiting)
        self._writer.add_key_value_metadata(_summary(part))
        return self._sink.sealed(self._writer.close)

    def close(self) -> None:
        """Lets the file go, finished or not."""
        self._sink.release()

    def _write(self, events: pl.DataFrame) -> None:
        if events.height:
            self._writer.write_table(_table(events), row_group_size=ROW_GROUP_ROWS)


class _Sink:
    """The file that a ParquetWriter writes to: hashed on the way; the footer is held back, so that
    its seals can be filled in.
    """

    closed = False

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._descriptor: int | None = disk.create(path)
        self._digest = xxhash.xxh3_64()
        self._size = self._unsynced = 0
        self._held: bytearray | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if self._held is not None:
            self._held += view
        else:
            self._digest.update(view)
            self._put(view)
        return len(view)

    def sealed(self, write_footer: Any) -> int:
        self._held = bytearray()
        write_footer()
        footer.seal(self._held, self._digest)
        self._put(memoryview(self._held))
        assert self._descriptor is not None
        self._disk.sync(self._descriptor)
        return self._size

    def release(self) -> None:
        if self._descriptor is not None:
            self._disk.close(self._descriptor)
            self._descriptor = None

    def flush(self) -> None:
        """What ParquetWriter expects of a file."""

    def tell(self) -> int:
        return self._size

    def close(self) -> None:
        self.closed = True

    def _put(self, rest: memoryview) -> None:
        if self._descriptor is None:  # given up; the ParquetWriter ends its file all the same
            return
        self._size += len(rest)
        self._unsynced += len(rest)
        while rest:
            rest = rest[self._disk.write(self._descriptor, rest) :]
        if self._unsynced >= SYNC_BYTES:
            self._disk.sync(self._descriptor)
            self._unsynced = 0


def _table(events: pl.DataFrame) -> pa.Table:
    # Views: Polars holds texts so, and turning them into offsets costs a fifth of the writing.
    return events.to_arrow(compat_level=pl.CompatLevel.newest())


def _summary(part: Part) -> dict[str, Any]:
    return {footer.SUMMARY_KEY: footer.summary_of(part), footer.SEAL_KEY: footer.UNSEALED}


def _bloom(room: int) -> dict[str, Any]:
    return {"ndv": room, "fpp": 0.05}


def _writer(sink: Any, schema: pa.Schema, options: dict[str, Any]) -> pq.ParquetWriter:
    ascending = dict.fromkeys(_ascending(schema.names), "DELTA_BINARY_PACKED")
    return pq.ParquetWriter(
        sink,
        schema,
        column_encoding=ascending,
        write_page_checksum=True,
        store_schema=False,
        **options,
    )


def _thorough(schema: pa.Schema, rows: int) -> dict[str, Any]:
    """For a part that stays."""
    plain = {*_PLAIN, *_ascending(schema.names)}
    return {
        "compression": "snappy" if rows < SMALL_PART_ROWS else "zstd",
        "use_dictionary": [name for name in schema.names if name not in plain],
        # Bounds of texts rarely rule a row group out, and would put users' texts into the footer.
        "write_statistics": [field.name for field in schema if field.type != pa.string_view()],
    }


def _quick(events: pl.DataFrame) -> dict[str, Any]:
    """For a part of few events that is merged soon: half the time, a third more bytes."""
    names, ascending = events.columns, _ascending(events.columns)
    plain = {v.name for v in events.get_columns() if _hardly_repeats(v)}
    texts = {name for name in plain if events.schema[name] == pl.String}
    return {
        # Of a dictionary's places and of numbers, a quick compression makes no less.
        "compression": {n: "snappy" if n in texts - _IDS else "none" for n in names},
        "use_dictionary": [name for name in names if name not in {*plain, *ascending}],
        "write_statistics": ascending,
        "write_batch_size": _BATCH,
    }


def _hardly_repeats(values: pl.Series) -> bool:
    return values.name in _PLAIN or len(set(values.head(_SAMPLE).to_list())) >= _DISTINCT_MIN


def _ascending(names: Sequence[str]) -> list[str]:
    return [name for name in _ASCENDING if name in names]
