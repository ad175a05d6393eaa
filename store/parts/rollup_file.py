"""A rollup as a file: cells of several tiers, one row group after the other; FORMAT.md has it."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from store.parts import footer
from store.parts.disk import DISK, Disk, make_folders, write_durably
from store.parts.layout import STAGED_SUFFIX, PartName, StoreFolder, folder_of
from store.parts.part import Part
from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.parts.writing import writing

GROUP_ROWS: Final = 4_096
_ONCE: Final = ("device", "user")
"""Hashes of which each stands in one row."""
_RANDOM: Final = ("subjects", "devices", "sessions", "device", "user")


def publish(
    folder: StoreFolder, part: Part, tables: Mapping[int, pl.DataFrame], *, disk: Disk = DISK
) -> Part:
    """Writes the rollup that `part` tells of, with its rows by the code of their tier, under its
    date, level, writer and number; durable when this returns. One of that name is replaced in one
    step. OSError.
    """
    name = PartName(part.level, part.writer, part.sequence).file
    target = folder.rollups / folder_of(part.date) / name
    staged = folder.staging / f"rollup-{name}{STAGED_SUFFIX}"
    made = replace(part, path=target)
    frames = [_whole(table, tier) for tier, table in tables.items() if table.height]
    file = encoded(frames, ROLLUP_SCHEMA, footer.summary_of(made))
    with writing(folder):
        make_folders(disk, staged.parent)
        make_folders(disk, target.parent)
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            disk.remove(staged)
        write_durably(disk, staged, file)
        disk.rename(staged, target)
        disk.sync_folder(target.parent)
    return replace(made, size_bytes=len(file))


def encoded(
    frames: Iterable[pl.DataFrame], columns: Mapping[str, pl.DataType], summary: bytes
) -> bytearray:
    """A sealed file with the frames one below the other, each in row groups of its own."""
    schema = pl.DataFrame(schema=columns).to_arrow().schema
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        # Hashes are noise, but the same ones stand in many sets: with a dictionary files are half as
        # large, and read in three quarters of the time; Zstandard would take a quarter more again.
        compression={path: "none" if _is_random(path) else "snappy" for path in _paths(schema)},
        use_dictionary=[path for path in _paths(schema) if path not in _ONCE],
        write_statistics=["tier", "kind", "time"],
        write_page_checksum=True,
        store_schema=False,
    ) as writer:
        for frame in frames:
            writer.write_table(frame.to_arrow().cast(schema), row_group_size=GROUP_ROWS)
        writer.add_key_value_metadata(
            {footer.SUMMARY_KEY: summary, footer.SEAL_KEY: footer.UNSEALED}
        )
    file = bytearray(sink.getvalue())
    footer.seal(file)
    return file


def _whole(table: pl.DataFrame, tier: int) -> pl.DataFrame:
    """With all columns, in their order."""
    table = table.with_columns(pl.lit(tier).alias("tier"))
    absent = [
        pl.lit(None, kind).alias(name)
        for name, kind in ROLLUP_SCHEMA.items()
        if name not in table.columns
    ]
    return table.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in ROLLUP_SCHEMA.items()
    )


def _paths(schema: pa.Schema) -> list[str]:
    """The columns as Parquet names them: those of lists by their elements."""
    return [
        f"{field.name}.list.element" if pa.types.is_large_list(field.type) else field.name
        for field in schema
    ]


def _is_random(path: str) -> bool:
    return path.partition(".")[0] in _RANDOM
