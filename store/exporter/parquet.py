"""Parquet: the columns with their types, page checksums, row groups of some thousand events."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from store.exporter.format import Write
from store.exporter.target import Output
from store.parts.encoding import ROW_GROUP_ROWS
from store.schema import column


class Parquet:
    """What parts hold, for any tool that reads Parquet."""

    name = "parquet"
    suffixes: Sequence[str] = (".parquet", ".pq")
    compressed = True

    @contextmanager
    def writing(self, out: Output, types: Mapping[str, pl.DataType]) -> Iterator[Write]:
        """Row groups as they fill; the footer at the end."""
        # Parquet has no integers of 128 bits: they become texts.
        stored = pl.Schema({n: pl.String() if k == pl.Int128 else k for n, k in types.items()})
        schema = pl.DataFrame(schema=stored).to_arrow().schema
        waiting: list[pl.DataFrame] = []
        with pq.ParquetWriter(
            pa.PythonFile(out, "w"),
            schema,
            compression="zstd",
            write_page_checksum=True,
            store_schema=False,
        ) as writer:

            def flush() -> None:
                if waiting:
                    events = pl.concat(waiting).select(column(n).cast(k) for n, k in stored.items())
                    writer.write_table(events.to_arrow().cast(schema))
                    waiting.clear()

            def write(events: pl.DataFrame) -> None:
                waiting.append(events)
                if sum(frame.height for frame in waiting) >= ROW_GROUP_ROWS:
                    flush()

            yield write
            flush()
