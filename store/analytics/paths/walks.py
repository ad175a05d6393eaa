"""Walks: the nodes of sessions from a start up to an end, and where in its session each stands."""

from collections.abc import Mapping

import polars as pl

from store.analytics.chosen import EVERY, Chosen, Named, parse_chosen
from store.analytics.paths.markers import told_name

Ends = Mapping[str, Chosen]
"""Where a walk begins (`from`) and stops (`to`), of those that are asked for."""


def ends_of(start: Named, end: Named, tz: str) -> Ends:
    """The events that are meant; a UsageError names the option."""
    asked = {"from": start, "to": end}
    return {
        place: parse_chosen(given, place, tz) for place, given in asked.items() if given is not None
    }


def between(nodes: pl.DataFrame, ends: Ends) -> pl.DataFrame:
    """Each session from its first start up to its first end after that, where they are asked for;
    sessions without them vanish. A session's nodes stand together, before and after.
    """
    rows = nodes
    if "from" in ends:
        rows = rows.filter(_is("from", ends["from"]).cum_max().over("session"))
    if "to" in ends:
        arrived = _is("to", ends["to"])
        is_after = (arrived.cum_sum() - arrived.cast(pl.UInt32)).over("session") > 0
        rows = rows.filter(arrived.any().over("session") & ~is_after)
    return rows


def marked(place: str) -> str:
    """The column that says of events, and of nodes, whether they are that end: of one with a filter."""
    return f"is.{place}"


def _is(place: str, chosen: Chosen) -> pl.Expr:
    if chosen.where or chosen.name == EVERY:
        return pl.col(marked(place))
    return pl.col("node") == told_name(chosen.name)


def marks(ends: Ends, kinds: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Of events: what a node's name does not tell of the ends."""
    return [
        chosen.expr(kinds).fill_null(value=False).alias(marked(place))
        for place, chosen in ends.items()
        if chosen.where or chosen.name == EVERY
    ]


def place(*, from_last: bool = False) -> pl.Expr:
    """The number of a node in its session: 1 is the first one (the last one)."""
    row, beside = pl.int_range(pl.len()), -1 if from_last else 1
    is_edge = (pl.col("session") != pl.col("session").shift(beside)).fill_null(value=True)
    edge = pl.when(is_edge).then(row)
    return edge.backward_fill() - row + 1 if from_last else row - edge.forward_fill() + 1
