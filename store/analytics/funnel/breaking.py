"""Strict runs: of the events that are no step, those that can break one.

Such a question keeps all events, and most of them lie where nothing could be broken. So the steps
alone are put in order first; only between two that follow each other rightly does it matter what
else happened.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Final

import polars as pl

from store.analytics.funnel.definition import Definition
from store.analytics.funnel.instants import arranged
from store.analytics.funnel.journeys import is_step, step_order
from store.analytics.funnel.matching import STEPS
from store.analytics.ordered.order import in_order
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

PIECES: Final = 32
"""So many pieces of time in a window: what lies in one of interest is kept."""
WIDTH_MIN: Final = 1_000_000
_SPREAD: Final = 0x9E37_79B9_7F4A_7C15


def can_be_pruned(made: Definition) -> bool:
    """Where each subject's best attempt is asked for, and every event that is no step breaks."""
    is_plain = made.is_strict and made.breakers is None and not made.exclusions
    is_bounded = made.window is not None and not made.by_attempt
    return is_plain and is_bounded and not any(step.first_time for step in made.steps)


def pruned(rows: pl.DataFrame, made: Definition, bounds: Mapping[str, Any]) -> pl.DataFrame:
    """The steps, and of the other events at least those that break a run which would go on, or
    which still might. A repeated first step begins anew whatever was before it.
    """
    assert made.window is not None
    if not rows.height:
        return rows
    width = max(made.window // PIECES, WIDTH_MIN)
    steps = rows.lazy().filter(pl.col(STEPS) != 0).select(WHO, TIME, STEPS).collect()
    steps = arranged(in_order(steps, step_order()), made)
    steps = steps.with_columns(pl.col(TIME).to_physical())
    last = int(rows.select(pl.col(TIME).max().to_physical()).item())
    time, following = pl.col(TIME), pl.col(TIME).shift(-1)
    is_his = (pl.col(WHO) == pl.col(WHO).shift(-1)).fill_null(value=False)
    goes_on = reduce(or_, (_goes_on(made, at) for at in range(len(made.steps))))
    until: pl.Expr = pl.when(is_his & goes_on & (following - time <= made.window)).then(following)
    if bounds["now"] is not None:
        waits = ~is_his & (time + made.window >= bounds["now"])
        until = pl.when(waits).then(pl.lit(last)).otherwise(until)
    pieces = pl.int_ranges(time // width, pl.col("until") // width + 1).alias("piece")
    wanted = (
        steps.lazy()
        .with_columns(until.alias("until"))
        .filter(pl.col("until").is_not_null())
        .select(WHO, pieces)
        .explode("piece")
        .select(_place(pl.col("piece")))
        .unique()
        .collect()
        .to_series()
    )
    place = _place(pl.col(TIME).to_physical() // width)
    telling = (pl.col(STEPS) != 0) | place.is_in(wanted.implode())
    return rows.lazy().filter(telling).collect()


def _goes_on(made: Definition, at: int) -> pl.Expr:
    """Whether the row is this step, and the one below goes on from it or, but for the first step,
    repeats it.
    """
    fine = sum(1 << step for step in (*([at] if at else []), *made.follows(at)))
    goes_on: pl.Expr = is_step(at) & (pl.col(STEPS).shift(-1).fill_null(0) & fine != 0)
    return goes_on


def _place(piece: pl.Expr) -> pl.Expr:
    """A number for a subject's piece of time. Where two have the same, too much is kept."""
    spread: pl.Expr = piece.cast(pl.UInt64) * pl.lit(_SPREAD, pl.UInt64)
    return pl.col(WHO) ^ spread
