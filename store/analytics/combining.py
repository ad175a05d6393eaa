"""Partials put together, as long as they fit."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from store.analytics.batches import Task
from store.errors import UsageError

ROWS_MAX: Final = 5_000_000
"""Rows of partials put together at once: what a breakdown by single events would run into."""


def combined(task: Task, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The partials of a task as one. UsageError: they would not fit into memory."""
    most = getattr(task.reduction, "rows_max", None)
    if task.query.by and getattr(task.reduction, "folds", False):
        most = None
    if sum(frame.height for frame in frames) > (most or ROWS_MAX):
        thing, what = ("events", "events of it") if most else ("breakdown", "different values")
        raise UsageError(
            thing,
            f"there are over {most or ROWS_MAX:,} {what}",
            next_step=f"filter first, or {'take less time' if most else 'break down by something coarser'}",
        )
    return task.reduction.combine(pl.concat(frames, how="diagonal"), task.query)
