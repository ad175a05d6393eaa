"""Rows of rollups as they come out of the files: each section is read once for all that want it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.parts.volumes import PLACE
from store.schema import PART

WORTH: Final = 3
"""A volume is read when at least one in so many of its rollups is wanted: all come along."""
_PATH: Final = "_path"
_IN_VOLUMES: Final = {**ROLLUP_SCHEMA, PLACE: pl.UInt16()}


class Bound(NamedTuple):
    """Where in a volume the rows of a rollup are."""

    volume: Path
    place: int
    of: int
    """How many rollups that volume holds."""


class Section(NamedTuple):
    """The rows of one tier and kind, or, without one, of the tier."""

    tier: int
    kind: int | None


class _Source(NamedTuple):
    """Files that are read by one scan."""

    files: list[Path]
    held: Mapping[Path, Mapping[int, Path]] | None
    """Of volumes: the wanted rollups by their places."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a section: those of a rollup stand together."""

    frame: pl.DataFrame
    runs: Mapping[Path, tuple[int, int]]
    """Where those of each begin, and how many there are; a rollup without any is not here."""

    def of(self, units: Mapping[Path, int], names: Sequence[str]) -> pl.LazyFrame:
        """These columns of the rows of some rollups, and in PART the unit of each."""
        runs = sorted((*self.runs[path], unit) for path, unit in units.items() if path in self.runs)
        frame = self.frame.select(names)
        pieces = [frame.slice(start, count) for start, count in _joined(runs)]
        rows = pl.concat(pieces) if pieces else frame.clear()
        return rows.lazy().with_columns(_unit_of(runs).alias(PART))


def read(
    files: Mapping[Section, Iterable[Path]],
    columns: Mapping[Section, Iterable[str]],
    bound: Mapping[Path, Bound],
) -> Mapping[Section, Rows]:
    """The sections of these rollups, out of volumes where those hold them. FileNotFoundError: a
    file is gone.
    """
    sources = {section: list(_sources(paths, bound)) for section, paths in files.items()}
    scans = [
        _scanned(source, section, sorted(columns[section]))
        for section, found in sources.items()
        for source in found
    ]
    tables = iter(pl.collect_all(scans))
    return {
        section: _rows([(next(tables), source) for source in found])
        for section, found in sources.items()
    }


def _sources(paths: Iterable[Path], bound: Mapping[Path, Bound]) -> Iterator[_Source]:
    held: dict[Path, dict[int, Path]] = defaultdict(dict)
    count: dict[Path, int] = {}
    loose = []
    for path in paths:
        if path in bound:
            volume, place, count[volume] = bound[path]
            held[volume][place] = path
        else:
            loose.append(path)
    for volume in [name for name, places in held.items() if len(places) * WORTH < count[name]]:
        loose += held.pop(volume).values()
    if held:
        yield _Source(sorted(held), held)
    if loose:
        yield _Source(sorted(loose), None)


def _scanned(source: _Source, section: Section, names: Sequence[str]) -> pl.LazyFrame:
    of_volumes = source.held is not None
    rows = pl.scan_parquet(
        source.files,
        schema=pl.Schema(_IN_VOLUMES if of_volumes else ROLLUP_SCHEMA),
        glob=False,
        hive_partitioning=False,
        include_file_paths=_PATH,
        cache=False,
    ).filter(pl.col("tier") == section.tier)
    if section.kind is not None:
        rows = rows.filter(pl.col("kind") == section.kind)
    return rows.select(_PATH, *([PLACE] if of_volumes else []), *names)


def _rows(tables: Sequence[tuple[pl.DataFrame, _Source]]) -> Rows:
    runs: dict[Path, tuple[int, int]] = {}
    frames, above = [], 0
    for rows, source in tables:
        # Rows of a file stand together: looking at a name a row took as long as reading them.
        for path, start, count in _runs(rows[_PATH], above):
            if source.held is None:
                runs[Path(path)] = start, count
                continue
            held = source.held[Path(path)]
            for place, first, length in _runs(rows[PLACE].slice(start - above, count), start):
                if place in held:
                    runs[held[place]] = first, length
        frames.append(rows.drop(_PATH, PLACE, strict=False))
        above += rows.height
    return Rows(pl.concat(frames), runs)


def _runs(values: pl.Series, above: int) -> Iterator[tuple[Any, int, int]]:
    """Each run of equal values: the value, where it begins below so many rows, how long it is."""
    start = above
    for length, value in values.rle().struct.unnest().rows():
        yield value, start, length
        start += length


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
