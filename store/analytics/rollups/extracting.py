"""Partials out of the files of rollups: each tier is read once for all that want it."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from store.analytics import distinct, sketch
from store.analytics.cells import CELL, FINE, SETS, SKETCH, WHOLE, Spec, added_up, most_kept
from store.analytics.intervals import cell_start
from store.analytics.query import Query
from store.analytics.rollups.recipe import Choice, tiles
from store.analytics.rollups.sections import Bound, Rows, Section, read
from store.analytics.rollups.tiers import LINK_TIER, Tier
from store.parts.rollup_schema import ROLLUP_SCHEMA
from store.schema import INSTANT, PART, instant
from store.timespan import TimeSpan

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


@dataclass(frozen=True, slots=True)
class _Cells:
    """Some cells of a section: all of some files, or a span of one."""

    section: Section
    units: Mapping[Path, int]
    span: TimeSpan | None


def extracted(
    wanted: Mapping[Hashable, Sequence[Piece]], bound: Mapping[Path, Bound]
) -> Iterator[tuple[Hashable, pl.DataFrame]]:
    """For each task its partials, with PART naming the unit. FileNotFoundError: a rollup is gone.

    The pieces of a task have one recipe, query and filter. `bound` are the rollups in volumes.
    """
    plans = {task: _planned(pieces) for task, pieces in wanted.items()}
    files: dict[Section, set[Path]] = defaultdict(set)
    columns: dict[Section, set[str]] = defaultdict(set)
    for task, cells in plans.items():
        choice = wanted[task][0].choice
        for each in cells:
            files[each.section] |= each.units.keys()
            columns[each.section].update(_columns(each.section, choice))
    sections = read(files, columns, bound)
    for task, cells in plans.items():
        yield task, _partial(wanted[task][0].choice, cells, sections)


def _planned(pieces: Sequence[Piece]) -> list[_Cells]:
    """Which cells of which sections; those of files that are taken whole at once."""
    whole: dict[Section, dict[Path, int]] = defaultdict(dict)
    found = []
    for piece in pieces:
        for kind, tiers in _kinds(piece.choice):
            if not tiers:
                whole[Section(LINK_TIER, None)][piece.path] = piece.unit
            elif piece.within is None:
                whole[Section(tiers[0].code, kind)][piece.path] = piece.unit
            else:
                here = {piece.path: piece.unit}
                found += [
                    _Cells(Section(tier.code, kind), here, span)
                    for tier, span in tiles(tiers, piece.within)
                ]
    return [*(_Cells(section, units, None) for section, units in whole.items()), *found]


def _kinds(choice: Choice) -> Iterator[tuple[int, tuple[Tier, ...]]]:
    if choice.recipe.spec is None or choice.points:
        yield CELL, choice.points
    if choice.sketches:
        yield SKETCH, choice.sketches


def _columns(section: Section, choice: Choice) -> list[str]:
    recipe = choice.recipe
    if recipe.spec is None:
        return [*_LINKS]
    keys = {*recipe.spec.by, *choice.where.fields(), *(["event_name"] if recipe.names else [])}
    if section.kind == SKETCH:
        return ["time", *keys, "bucket", "weights"]
    return ["time", *keys, *_numbers(recipe.spec), *_sets(recipe.spec)]


def _numbers(spec: Spec) -> list[str]:
    found = ["n", "weight"]
    found += ["weight.0", "sum.0", "low.0", "high.0"] * bool(spec.stats)
    return found + ["errors", "severities"] * spec.errors + ["first", "last"] * spec.seen


def _sets(spec: Spec) -> list[str]:
    return [column for name in spec.sets for column in (name, distinct.reach_of(name))]


def _partial(
    choice: Choice, cells: Sequence[_Cells], sections: Mapping[Section, Rows]
) -> pl.DataFrame:
    recipe, spec = choice.recipe, choice.recipe.spec
    found = [_chosen(each, sections[each.section], choice) for each in cells]
    if spec is None:
        return pl.concat(found).collect()
    frames: dict[tuple[bool, bool], list[pl.LazyFrame]] = defaultdict(list)
    for each, rows in zip(cells, found, strict=True):
        is_sketch, is_whole = each.section.kind == SKETCH, each.span is None
        frames[is_sketch, is_whole].append(_as_cells(rows, spec, is_sketch=is_sketch))
    added = [
        frame
        for (is_sketch, is_whole), those in frames.items()
        for frame in (_sketches if is_sketch else _numbers_of)(
            pl.concat(those), spec, choice.query if is_whole else None
        )
    ]
    return recipe.made(pl.concat(added, how="diagonal"))


def _chosen(cells: _Cells, rows: Rows, choice: Choice) -> pl.LazyFrame:
    """The rows of these files and this span that pass the filter, with PART."""
    found = rows.of(cells.units, _columns(cells.section, choice))
    if cells.span:
        time = pl.col("time")
        found = found.filter(time >= instant(cells.span.start), time < instant(cells.span.end))
    if choice.where:
        found = found.filter(choice.where.expr(rows.frame.schema))
    names = choice.recipe.names
    return found.filter(pl.col("event_name").is_in(names)) if names else found


def _as_cells(rows: pl.LazyFrame, spec: Spec, *, is_sketch: bool) -> pl.LazyFrame:
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
        pl.lit(None, ROLLUP_SCHEMA[name]).alias(name) for name in ("devices", "reach.devices")
    ]
    return pl.concat([found.with_columns(nothing), rows.select(*named, *devices)], how="diagonal")


def _numbers_of(cells: pl.LazyFrame, spec: Spec, query: Query | None) -> list[pl.DataFrame]:
    """Counts, sums and sets: of the points of `query` and, made of those, over all time; without
    one, of the cells as they are.
    """
    most = most_kept(spec) if query else distinct.WHOLE_MAX
    points = _summed(_at_points(cells, spec, query, is_timed=True), spec, most).collect()
    if not query or not spec.is_timed or not spec.sets:
        return [points]
    reaches = [
        pl.when(distinct.is_full(name, pl.lit(most), points.columns))
        .then(distinct.bound(name, pl.lit(most), points.columns))
        .alias(distinct.reach_of(name))
        for name in spec.sets
    ]
    sets = points.lazy().select(PART, _NO_TIME, _WHOLE, *spec.keys, *spec.sets, *reaches)
    return [points, _summed(sets, spec, distinct.WHOLE_MAX).collect()]


def _summed(cells: pl.LazyFrame, spec: Spec, most: int) -> pl.LazyFrame:
    """Rows of the same unit, kind, time and key made one."""
    keys, names = [PART, "kind", "time", *spec.keys], cells.collect_schema().names()
    sums = [added_up(name) for name in names if name not in (*keys, *SETS)]
    unions = [distinct.union(name, most, names).alias(name) for name in spec.sets]
    return cells.group_by(keys).agg(sums + unions)


def _sketches(cells: pl.LazyFrame, spec: Spec, query: Query | None) -> list[pl.DataFrame]:
    """The same for percentiles."""
    keys = [PART, "kind", "time", *spec.keys]
    points = sketch.united(
        _at_points(cells, spec, query, is_timed=spec.sketches_timed).collect(), keys, _WEIGHTS
    )
    found = [points]
    if query and spec.is_timed and spec.sketches_timed:
        found.append(sketch.united(points.with_columns(_NO_TIME), keys, _WEIGHTS))
    return [each.with_columns(sketch.without_extremes()) for each in found]


def _at_points(
    cells: pl.LazyFrame, spec: Spec, query: Query | None, *, is_timed: bool
) -> pl.LazyFrame:
    """Cells of a cut part as points of a query; as they are without one."""
    if query is None:
        return cells
    time = cell_start(query, pl.col("time")).alias("time")
    return cells.with_columns(
        pl.col("kind") - FINE, time if spec.is_timed and is_timed else _NO_TIME
    )
