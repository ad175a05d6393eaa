"""Events of one instant that are several steps each: which of them is which.

In the order of steps, each used once: step after step takes the event that is of use again last, so
that the others are left for the steps to come. What is no step then, or one too many, stands after.
"""

import polars as pl

from store.analytics.funnel.definition import Definition
from store.analytics.funnel.matching import STEPS
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

_ROW, _INSTANT, _MASK, _TURN = "\0row", "\0instant", "\0mask", "\0turn"


def arranged(rows: pl.DataFrame, made: Definition) -> pl.DataFrame:
    """Rows in the order of subjects, times and steps."""
    if made.is_unordered or not made.overlaps:
        return rows
    if not any(mask & (mask - 1) for mask in rows[STEPS].unique()):
        return rows
    mask = pl.col(STEPS).cast(pl.UInt64)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in (WHO, TIME))
    same = same.fill_null(value=False)
    tied = (
        rows.lazy()
        .select(mask.alias(_MASK), (~same).cum_sum().alias(_INSTANT), same.alias("same"))
        .with_row_index(_ROW)
        .filter(pl.col("same") | pl.col("same").shift(-1, fill_value=False))
        .filter((pl.col(_MASK).bitwise_count_ones() > 1).any().over(_INSTANT))
        .with_columns(pl.lit(None, pl.Int32).alias(_TURN))
        .collect()
    )
    for at in range(len(made.steps)) if tied.height else ():
        tied = _with_turn(tied, at)
    sources = tied.sort(_INSTANT, _TURN, _ROW, nulls_last=True)[_ROW]
    if (sources == tied[_ROW]).all():
        return rows
    places = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows.select(pl.all().gather(places.scatter(tied[_ROW], sources)))


def _with_turn(tied: pl.DataFrame, at: int) -> pl.DataFrame:
    """One event of each instant, of those that are left, is this step."""
    later = pl.col(_MASK) // (1 << (at + 1)) if at < 63 else pl.lit(0, pl.UInt64)
    again = pl.when(later == 0).then(64).otherwise(later.bitwise_trailing_zeros())
    is_open = pl.col(_TURN).is_null() & (pl.col(_MASK) & (1 << at) != 0)
    chosen = (
        tied.lazy()
        .filter(is_open)
        .sort(_INSTANT, again, _ROW, descending=[False, True, False])
        .unique(_INSTANT, keep="first")
        .select(_ROW, pl.lit(at, pl.Int32).alias("chosen"))
    )
    joined = tied.lazy().join(chosen, on=_ROW, how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(_TURN, "chosen").alias(_TURN)).drop("chosen").collect()
