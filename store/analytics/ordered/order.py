"""The order of a subject's events: by time, and at one instant by what does not depend on when they
came in.
"""

from collections.abc import Sequence

import polars as pl

from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO

_ROW = "\0row"


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
    follows = ((pl.col(TIME) == pl.col(TIME).shift()) & (pl.col(WHO) == pl.col(WHO).shift())).alias(
        "follows"
    )
    found = rows.select(follows.fill_null(value=False)).with_row_index(_ROW)
    is_tied = pl.col("follows") | pl.col("follows").shift(-1, fill_value=False)
    instant = pl.col("follows").not_().cum_sum().alias("\0instant")
    tied = found.select(_ROW, instant, is_tied.alias("is_tied")).filter("is_tied")
    if not tied.height:
        return rows
    places = tied[_ROW]
    sorted_ties = pl.concat([tied.drop("is_tied"), rows[places].select(ties)], how="horizontal")
    order = sorted_ties.sort("\0instant", *ties, maintain_order=True)[_ROW]
    everything = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows[everything.scatter(places, order)]
