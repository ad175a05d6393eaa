"""Walks: the nodes of sessions from a start up to an end, and where in its session each stands."""

import polars as pl

from store.analytics.paths.markers import told_name


def between(nodes: pl.DataFrame, start: str | None, end: str | None) -> pl.DataFrame:
    """Each session from its first `start` up to its first `end` after that, where they are asked
    for; sessions without them vanish. A session's nodes stand together, before and after.
    """
    rows = nodes
    if start is not None:
        begun = pl.col("node") == told_name(start)
        rows = rows.filter(begun.cum_max().over("session"))
    if end is not None:
        arrived = pl.col("node") == told_name(end)
        is_after = (arrived.cum_sum() - arrived.cast(pl.UInt32)).over("session") > 0
        rows = rows.filter(arrived.any().over("session") & ~is_after)
    return rows


def place(*, from_last: bool = False) -> pl.Expr:
    """The number of a node in its session: 1 is the first one (the last one)."""
    row, beside = pl.int_range(pl.len()), -1 if from_last else 1
    is_edge = (pl.col("session") != pl.col("session").shift(beside)).fill_null(value=True)
    edge = pl.when(is_edge).then(row)
    return edge.backward_fill() - row + 1 if from_last else row - edge.forward_fill() + 1
