"""Partials out of the files of rollups: each tier is read once for all that want it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from store.analytics import distinct, sketch
from store.analytics.adding import added
from store.analytics.cells import CELL, FINE, SKETCH, WHOLE, Spec, most_kept
from store.analytics.intervals import cell_start
from store.analytics.query import Query
from store.analytics.rollups.building import LINK_TIER
from store.analytics.rollups.recipe import Choice, Recipe, tiles
from store.analytics.rollups.tiers import Tier
from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.schema import INSTANT, PART
from store.timespan import TimeSpan

_PATH: Final = "_path"
_FILE: Final = "_file"
_LINKS: Final = ("device", "user", "time")
_NO_TIME: Final = pl.lit(None, INSTANT).alias("time")
_WEIGHTS: Final = (pl.col("weights").sum(),)
_WHOLE: Final = pl.lit(WHOLE, pl.UInt8).alias("kind")


class Piece(NamedTuple):
    """Cells of one rollup that one partial is made of."""

    unit: int
    """Whose partial."""
    path: Path
    choice: Choice
    within: TimeSpan | None
    """None: all that there are."""


class _Section(NamedTuple):
    tier: int
    kind: int | None


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some cells of a section: all of some files, or a span of one."""

    section: _Section
    units: Mapping[Path, int]
    span: TimeSpan | None


def extracted(
    wanted: Mapping[Hashable, Sequence[Piece]],
) -> Iterator[tuple[Hashable, pl.DataFrame]]:
    """For each task its partials, with PART naming the unit. FileNotFoundError: a rollup is gone.

    The pieces of a task have one recipe, query and filter.
    """
    plans = {task: _planned(pieces) for task, pieces in wanted.items()}
    files: dict[_Section, set[Path]] = defaultdict(set)
    columns: dict[_Section, set[str]] = defaultdict(set)
    for task, cells in plans.items():
        choice = wanted[task][0].choice
        for each in cells:
            files[each.section] |= each.units.keys()
            columns[each.section] |= _columns(each.section, choice)
    numbers = {path: at for at, path in enumerate(set().union(*files.values()))}
    sections = _read(files, columns, numbers)
    for task, cells in plans.items():
        yield task, _partial(wanted[task][0].choice, cells, sections, numbers)


def _planned(pieces: Sequence[Piece]) -> list[_Cells]:
    """Which cells of which sections; those of files that are taken whole at once."""
    whole: dict[_Section, dict[Path, int]] = defaultdict(dict)
    found = []
    for piece in pieces:
        for kind, tiers in _kinds(piece.choice):
            if not tiers:
                whole[_Section(LINK_TIER, None)][piece.path] = piece.unit
            elif piece.within is None:
                whole[_Section(tiers[0].code, kind)][piece.path] = piece.unit
            else:
                here = {piece.path: piece.unit}
                found += [
                    _Cells(_Section(tier.code, kind), here, span)
                    for tier, span in tiles(tiers, piece.within)
                ]
    return [*(_Cells(section, units, None) for section, units in whole.items()), *found]


def _kinds(choice: Choice) -> Iterator[tuple[int, tuple[Tier, ...]]]:
    if choice.recipe.spec is None or choice.points:
        yield CELL, choice.points
    if choice.sketches:
        yield SKETCH, choice.sketches


def _columns(section: _Section, choice: Choice) -> set[str]:
    recipe = choice.recipe
    if recipe.spec is None:
        return {*_LINKS}
    keys = {*recipe.spec.by, *choice.where.fields(), *(["event_name"] if recipe.names else [])}
    if section.kind == SKETCH:
        return {"time", *keys, "bucket", "weights"}
    return {"time", *keys, *_numbers(recipe.spec), *_sets(recipe.spec)}


def _numbers(spec: Spec) -> list[str]:
    found = ["n", "weight"]
    found += ["weight.0", "sum.0", "low.0", "high.0"] * bool(spec.stats)
    return found + ["errors", "severities"] * spec.errors + ["first", "last"] * spec.seen


def _sets(spec: Spec) -> list[str]:
    return [column for name in spec.sets for column in (name, distinct.reach_of(name))]


def _read(
    files: Mapping[_Section, Iterable[Path]],
    columns: Mapping[_Section, Iterable[str]],
    numbers: Mapping[Path, int],
) -> Mapping[_Section, pl.DataFrame]:
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
    found = (_numbered(rows, numbers) for rows in pl.collect_all(scans))
    return dict(zip(files, found, strict=True))


def _numbered(rows: pl.DataFrame, files: Mapping[Path, int]) -> pl.DataFrame:
    """`rows` with the number of their file instead of its name: rows of a file stand together, and
    looking at a name a row took as long as reading them.
    """
    places = {str(path): number for path, number in files.items()}
    runs = rows[_PATH].rle().struct.unnest()
    numbers = [places[path] for path in runs["value"]]
    place = pl.Series(_FILE, numbers, dtype=pl.UInt32).repeat_by(runs["len"]).explode()
    return rows.with_columns(place).drop(_PATH)


def _partial(
    choice: Choice,
    cells: Sequence[_Cells],
    sections: Mapping[_Section, pl.DataFrame],
    numbers: Mapping[Path, int],
) -> pl.DataFrame:
    recipe, spec = choice.recipe, choice.recipe.spec
    found = [_chosen(each, sections[each.section], choice, numbers) for each in cells]
    if spec is None:
        return pl.concat([rows.select(PART, *_LINKS) for rows in found])
    frames: dict[tuple[bool, bool], list[pl.DataFrame]] = defaultdict(list)
    for each, rows in zip(cells, found, strict=True):
        is_sketch, is_whole = each.section.kind == SKETCH, each.span is None
        frames[is_sketch, is_whole].append(_as_cells(rows, spec, is_sketch=is_sketch))
    added_up = [
        frame
        for (is_sketch, is_whole), those in frames.items()
        for frame in (_sketches if is_sketch else _numbers_of)(
            pl.concat(those, how="diagonal"), spec, choice.query if is_whole else None
        )
    ]
    return recipe.made(pl.concat(added_up, how="diagonal"))


def _numbers_of(cells: pl.DataFrame, spec: Spec, query: Query | None) -> list[pl.DataFrame]:
    """Counts, sums and sets: of the points of `query` and, made of those, over all time; without
    one, of the cells as they are.
    """
    numbers = replace(spec, sketches=())
    points = added(_at_points(cells, spec, query, is_timed=True), numbers, (PART,))
    if not query or not spec.is_timed or not spec.sets:
        return [points]
    most = pl.lit(most_kept(spec))
    reaches = [
        pl.when(distinct.is_full(name, most, points.columns))
        .then(distinct.bound(name, most, points.columns))
        .alias(distinct.reach_of(name))
        for name in spec.sets
    ]
    sets = points.select(PART, _NO_TIME, _WHOLE, *spec.keys, *spec.sets, *reaches)
    return [points, added(sets, numbers, (PART,))]


def _sketches(cells: pl.DataFrame, spec: Spec, query: Query | None) -> list[pl.DataFrame]:
    """The same for percentiles."""
    keys = [PART, "kind", "time", *spec.keys]
    points = sketch.united(
        _at_points(cells, spec, query, is_timed=spec.sketches_timed), keys, _WEIGHTS
    )
    found = [points]
    if query and spec.is_timed and spec.sketches_timed:
        found.append(sketch.united(points.with_columns(_NO_TIME), keys, _WEIGHTS))
    return [each.with_columns(sketch.without_extremes()) for each in found]


def _at_points(
    cells: pl.DataFrame, spec: Spec, query: Query | None, *, is_timed: bool
) -> pl.DataFrame:
    """Cells of a cut part as points of a query; as they are without one."""
    if query is None:
        return cells
    time = cell_start(query, pl.col("time")).alias("time")
    return cells.with_columns(
        pl.col("kind") - FINE, time if spec.is_timed and is_timed else _NO_TIME
    )


def _chosen(
    cells: _Cells, rows: pl.DataFrame, choice: Choice, files: Mapping[Path, int]
) -> pl.DataFrame:
    """The rows of these files and this span that pass the filter, with PART."""
    recipe: Recipe = choice.recipe
    units = pl.Series(list(cells.units.values()), dtype=pl.UInt32)
    places = [files[path] for path in cells.units]
    tests = [pl.col(_FILE).is_in(places)]
    if cells.span:
        time = pl.col("time")
        tests += [time >= cells.span.start, time < cells.span.end]
    if choice.where:
        tests.append(choice.where.expr(rows.schema))
    if recipe.names:
        tests.append(pl.col("event_name").is_in(recipe.names))
    unit = pl.col(_FILE).replace_strict(places, units, return_dtype=pl.UInt32)
    return rows.lazy().filter(tests).with_columns(unit.alias(PART)).collect()


def _as_cells(rows: pl.DataFrame, spec: Spec, *, is_sketch: bool) -> pl.DataFrame:
    """Rows of a file as the cells of a cut part."""
    keys = [
        pl.col(name).fill_null("").alias(key) for key, name in zip(spec.keys, spec.by, strict=True)
    ]
    kind = pl.lit(FINE + (SKETCH if is_sketch else CELL), pl.UInt8).alias("kind")
    named: list[str | pl.Expr] = [PART, "time", kind, *keys]
    if is_sketch:
        return rows.select(*named, "bucket", "weights")
    found = rows.select(*named, *_numbers(spec), *_sets(spec))
    if not spec.users or spec.link:
        return found
    # Devices count as themselves: one more set of subjects.
    devices = [pl.col("devices").alias("subjects"), pl.col("reach.devices").alias("reach.subjects")]
    nothing = [
        pl.lit(None, found.schema[name]).alias(name) for name in ("devices", "reach.devices")
    ]
    return pl.concat([found.with_columns(nothing), rows.select(*named, *devices)], how="diagonal")
