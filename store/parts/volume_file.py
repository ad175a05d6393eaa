"""A volume as a file: rollups of a date bound together, section by section."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import polars as pl

from store.parts import footer
from store.parts.disk import DISK, Disk, make_folders, write_durably
from store.parts.layout import FORMAT, STAGED_SUFFIX, StoreFolder
from store.parts.part import Part
from store.parts.rollup_file import encoded
from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.parts.volumes import PLACE, volume_name
from store.parts.writing import writing

_PATH = "_path"
VOLUME_SCHEMA = {**ROLLUP_SCHEMA, PLACE: pl.UInt16()}


def bind(
    folder: StoreFolder, date: str, rollups: Sequence[Part], *, disk: Disk = DISK
) -> tuple[Path, int]:
    """Writes the volume of these rollups, in this order; its path and size. Durable when it
    returns. FileNotFoundError: a rollup is gone; OSError.
    """
    seals = [each.rolled.seal for each in rollups if each.rolled]
    summary = orjson.dumps({"eventdeck": FORMAT, "volume": date, "rollups": seals})
    file = encoded(_sections(rollups), VOLUME_SCHEMA, summary)
    target = folder.volumes / volume_name(date, footer.body_seal_of(file))
    staged = folder.staging / f"volume-{target.name}{STAGED_SUFFIX}"
    with writing(folder):
        make_folders(disk, staged.parent)
        make_folders(disk, target.parent)
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            disk.remove(staged)
        write_durably(disk, staged, file)
        disk.rename(staged, target)
        disk.sync_folder(target.parent)
    return target, len(file)


def _sections(rollups: Sequence[Part]) -> Iterator[pl.DataFrame]:
    """The rows of each tier and kind, those of a rollup together, in the order of `rollups`."""
    places = {str(each.path): place for place, each in enumerate(rollups)}
    rows = pl.scan_parquet(
        list(places),
        schema=pl.Schema(ROLLUP_SCHEMA),
        glob=False,
        hive_partitioning=False,
        include_file_paths=_PATH,
        cache=False,
    )
    kinds = rows.select("tier", "kind").unique().sort("tier", "kind").collect()
    place = pl.col(_PATH).replace_strict(places, return_dtype=pl.UInt16).alias(PLACE)
    for tier, kind in kinds.rows():
        of_kind = rows.filter(pl.col("tier") == tier, pl.col("kind").eq_missing(kind))
        yield of_kind.with_columns(place).drop(_PATH).collect()
