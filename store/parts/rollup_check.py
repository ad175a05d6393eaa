"""Whether the rollups of a store can be read, and tell of the events that they stand for."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from store.errors import ForeignPartError
from store.parts.catalog import Catalog, Skipped
from store.parts.faults import fault_of
from store.parts.layout import StoreFolder
from store.parts.part import Part
from store.parts.rollups import RollupFolder
from store.parts.verify import part_fault

_COUNTS_KIND: Final = 0
"""The cells that each event is counted in once; the others are of the same events."""


def rollup_faults(
    folder: StoreFolder, parts: Iterable[Part], known: Collection[Path]
) -> list[Skipped]:
    """All rollups at fault but those `known`. `parts` can be read, covered ones too."""
    if not folder.rollups.is_dir():
        return []
    snapshot = Catalog(RollupFolder(folder.root)).snapshot()
    # Those that stand for events that are gone are among the snapshot's already.
    faults = [each for each in snapshot.skipped if each.path not in known]
    beside = {part.key: part for part in parts}
    for rollup in (*snapshot.parts, *snapshot.covered):
        part = beside.get(rollup.key)
        try:
            fault = part_fault(rollup) or fault_of(lambda: _compare(rollup, part))  # noqa: B023
        except FileNotFoundError:  # a coarser one took its place
            continue
        if fault:
            faults.append(Skipped.of(rollup.path, fault))
    return faults


def _compare(rollup: Part, part: Part | None) -> None:
    """Each tier counts each event once; and it tells of the part beside it, where there is one."""
    if part and (part.rows, part.span, part.tally) != (rollup.rows, rollup.span, rollup.tally):
        raise ForeignPartError("rollup", "it was made of other events than its part holds")
    if wrong := [count for count in _counts(rollup) if count != rollup.rows]:
        raise ForeignPartError("rollup", f"it counts {wrong[0]:,} of {rollup.rows:,} events")


def _counts(rollup: Part) -> Sequence[int]:
    """How many events each tier counts."""
    cells = pl.scan_parquet(rollup.path, hive_partitioning=False, glob=False)
    counted = cells.filter(pl.col("tier") > 0, pl.col("kind") == _COUNTS_KIND)
    tiers = counted.group_by("tier").agg(pl.col("n").sum()).collect()
    return tiers["n"].to_list()
