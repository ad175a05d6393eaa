"""Rows of rollups as they come out of the files: each section is read once for all that want it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.schema import PART

_PATH: Final = "_path"


class Section(NamedTuple):
    """The rows of one tier and kind, or, without one, of the tier."""

    tier: int
    kind: int | None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a section: those of a file stand together."""

    frame: pl.DataFrame
    runs: Mapping[Path, tuple[int, int]]
    """Where those of each file begin, and how many there are; a file without any is not here."""

    def of(self, units: Mapping[Path, int], names: Sequence[str]) -> pl.LazyFrame:
        """These columns of the rows of some files, and in PART the unit of each file."""
        runs = sorted((*self.runs[path], unit) for path, unit in units.items() if path in self.runs)
        frame = self.frame.select(names)
        pieces = [frame.slice(start, count) for start, count in _joined(runs)]
        rows = pl.concat(pieces) if pieces else frame.clear()
        return rows.lazy().with_columns(_unit_of(runs).alias(PART))


def read(
    files: Mapping[Section, Iterable[Path]], columns: Mapping[Section, Iterable[str]]
) -> Mapping[Section, Rows]:
    """The sections of these files. FileNotFoundError: one is gone."""
    scans = []
    for section, paths in files.items():
        rows = pl.scan_parquet(
            sorted(paths),
            schema=pl.Schema(ROLLUP_SCHEMA),
            glob=False,
            hive_partitioning=False,
            include_file_paths=_PATH,
            cache=False,
        ).filter(pl.col("tier") == section.tier)
        if section.kind is not None:
            rows = rows.filter(pl.col("kind") == section.kind)
        scans.append(rows.select(_PATH, *sorted(columns[section])))
    return dict(zip(files, map(_rows, pl.collect_all(scans)), strict=True))


def _rows(found: pl.DataFrame) -> Rows:
    # Rows of a file stand together: looking at a name a row took as long as reading them.
    runs = found[_PATH].rle().struct.unnest()
    counts = runs["len"].to_list()
    starts = accumulate(counts, initial=0)
    paths = map(Path, runs["value"].to_list())
    return Rows(found.drop(_PATH), dict(zip(paths, zip(starts, counts, strict=False), strict=True)))


def _joined(runs: Iterable[tuple[int, int, int]]) -> Sequence[tuple[int, int]]:
    """Runs that follow each other as one: most questions are about files that do."""
    found: list[tuple[int, int]] = []
    for start, count, _ in runs:
        if found and sum(found[-1]) == start:
            found[-1] = (found[-1][0], found[-1][1] + count)
        else:
            found.append((start, count))
    return found


def _unit_of(runs: Sequence[tuple[int, int, int]]) -> pl.Expr:
    units = pl.Series([unit for _, _, unit in runs], dtype=pl.UInt32)
    if units.n_unique() < 2:
        return pl.lit(units[0] if runs else 0, pl.UInt32)
    counts = pl.Series([count for _, count, _ in runs], dtype=pl.UInt32)
    return pl.lit(units.repeat_by(counts).explode())
