"""The order of a subject's events: by time, and at one instant by what does not depend on when they
came in.
"""

from collections.abc import Sequence

import polars as pl

from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

_ROW = "\0row"
_INSTANT = "\0instant"


def in_order(rows: pl.DataFrame, ties: Sequence[str | pl.Expr] = ()) -> pl.DataFrame:
    """The rows of each WHO together, by TIME; those of one instant by `ties`, nulls first. The
    order of the subjects means nothing.

    Only rows that share an instant are compared by `ties`, so texts such as event ids cost next to
    nothing there; where rows of one instant stand for the same, leave the ids out altogether.
    """
    # Parts are in the order of time, so this sort is nearly done before it starts; grouping then
    # takes a quarter of sorting by two keys.
    by_time = rows.sort(TIME)
    others = [name for name in rows.columns if name != WHO]
    grouped = by_time.lazy().group_by(WHO).agg(others).explode(others).collect()
    return _untied(grouped, ties) if ties else grouped


def _untied(rows: pl.DataFrame, ties: Sequence[str | pl.Expr]) -> pl.DataFrame:
    same_time = pl.col(TIME) == pl.col(TIME).shift()
    follows = same_time & (pl.col(WHO) == pl.col(WHO).shift())
    is_next = rows.select(follows.fill_null(value=False)).to_series()
    if not is_next.any():
        return rows
    places = (is_next | is_next.shift(-1, fill_value=False)).arg_true()
    instant = (~is_next.gather(places)).cum_sum().alias(_INSTANT)
    tied = pl.concat(
        [pl.DataFrame([places.alias(_ROW), instant]), rows[places].select(ties)], how="horizontal"
    )
    names = [name for name in tied.columns if name not in (_ROW, _INSTANT)]
    order = tied.sort(_INSTANT, *names, maintain_order=True)[_ROW]
    everything = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows[everything.scatter(places, order)]
