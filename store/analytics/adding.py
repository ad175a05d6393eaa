"""Cells added up: those of many parts as one set of cells, points as totals, keys folded."""

from collections.abc import Sequence

import polars as pl

from store.analytics import distinct, sketch
from store.analytics.cells import (
    CELL,
    FINE,
    SETS,
    SKETCH,
    WHOLE,
    Spec,
    added_up,
    most_kept,
    most_of_all,
)
from store.analytics.intervals import cell_start
from store.analytics.query import Query
from store.schema import INSTANT


def combine(cells: pl.DataFrame, spec: Spec, query: Query) -> pl.DataFrame:
    """Cells of many parts as one set of cells; grid cells of cut parts become points."""
    return added(refined(cells, spec, query), spec)


def added(cells: pl.DataFrame, spec: Spec, apart: Sequence[str] = ()) -> pl.DataFrame:
    """Rows of the same kind, time and key (and of equal columns `apart`) made one. Most cells have
    one row, and stay as they are: only what is new is worked on.
    """
    named = (*apart, "kind", "time", *spec.keys, "folded")
    keys = [name for name in named if name in cells.columns]
    if not spec.sets and not spec.sketches:
        # Adding numbers up is no more work than finding out which must be.
        numbers = [added_up(name) for name in cells.columns if name not in keys]
        return cells.group_by(keys).agg(numbers).select(cells.columns)
    repeated = cells.select(keys).is_duplicated()
    if not repeated.any():
        return cells
    is_sketch = pl.col("kind") % FINE >= SKETCH
    sums = [added_up(name) for name in cells.columns if name not in (*keys, *SETS, *sketch.LISTS)]
    most = _most_of_rows(spec)
    unions = [distinct.union(name, most, cells.columns).alias(name) for name in spec.sets]
    frames = [
        cells.filter(~repeated),
        cells.filter(repeated & ~is_sketch).group_by(keys).agg(sums + unions),
        sketch.merged(cells.filter(repeated & is_sketch), keys) if spec.sketches else cells.clear(),
    ]
    return pl.concat(frames, how="diagonal")


def refined(cells: pl.DataFrame, spec: Spec, query: Query) -> pl.DataFrame:
    """Grid cells of cut parts as the points that they lie in, and their share of what is kept over
    all time; equal points are not added up yet.
    """
    is_fine = cells["kind"] >= FINE
    if not is_fine.any():
        return cells
    fine = cells.filter(is_fine).with_columns(pl.col("kind") - FINE)
    nothing = pl.lit(None, INSTANT).alias("time")
    if not spec.is_timed:
        return pl.concat([cells.filter(~is_fine), fine.with_columns(nothing)])
    is_sketch = pl.col("kind") >= SKETCH
    time = cell_start(query, pl.col("time"))
    timed = time if spec.sketches_timed else pl.when(~is_sketch).then(time)
    frames = [cells.filter(~is_fine), fine.with_columns(timed.alias("time"))]
    if spec.sketches_timed:
        frames.append(fine.filter(is_sketch).with_columns(nothing))
    if spec.sets:
        named = (*spec.keys, *spec.sets, *distinct.reaches(spec.sets, cells.columns))
        sets = fine.filter(~is_sketch).select(name for name in named if name in cells.columns)
        frames.append(sets.with_columns(pl.lit(WHOLE, pl.UInt8).alias("kind"), nothing))
    return pl.concat(frames, how="diagonal")


def with_totals(cells: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """The points in time (CELL), and one row for each key over all time (WHOLE)."""
    points = cells.filter(pl.col("kind") == CELL)
    if not spec.is_timed:
        return points.with_columns(pl.lit(WHOLE, pl.UInt8).alias("kind"))
    keys = [name for name in (*spec.keys, "folded") if name in cells.columns]
    sets = [*spec.sets, *distinct.reaches(spec.sets, cells.columns)]
    others = ("kind", "time", *keys, *sets, *sketch.LISTS)
    sums = [added_up(name) for name in cells.columns if name not in others]
    whole = pl.lit(WHOLE, pl.UInt8).alias("kind")
    numbers = points.lazy().group_by(whole, *keys).agg(sums)
    if sets:
        found = cells.lazy().filter(pl.col("kind") == WHOLE).select("kind", *keys, *sets)
        numbers = numbers.join(found, on=["kind", *keys], how="left", nulls_equal=True)
    return pl.concat([points, numbers.collect()], how="diagonal")


def folded(cells: pl.DataFrame, spec: Spec, kept: pl.DataFrame) -> pl.DataFrame:
    """All keys that are not rows of `kept` made one, whose `folded` is true and key empty."""
    keys = spec.keys
    marked = cells.join(
        kept.select(*keys, is_kept=True), on=keys, how="left", nulls_equal=True
    ).with_columns(folded=pl.col("is_kept").is_null())
    blank = [pl.when(~pl.col("folded")).then(key).otherwise(pl.lit("")).alias(key) for key in keys]
    return added(marked.drop("is_kept").with_columns(blank), spec)


def key_columns(cells: pl.DataFrame, spec: Spec) -> Sequence[str]:
    """The columns that tell cells of a kind apart."""
    return [name for name in ("time", *spec.keys, "folded") if name in cells]


def _most_of_rows(spec: Spec) -> pl.Expr:
    return (
        pl.when(pl.col("kind").first() == CELL).then(most_kept(spec)).otherwise(most_of_all(spec))
    )
