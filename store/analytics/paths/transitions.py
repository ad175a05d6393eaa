"""Transitions: which event follows which, over whole sessions."""

from dataclasses import dataclass
from typing import ClassVar, Final, cast

import polars as pl

from store.analytics.paths.markers import OTHER, PATH_END, PATH_START
from store.analytics.paths.reading import OfSessions, SessionsQuery
from store.analytics.query import Query, option
from store.analytics.shapes import Row, Table

_COLUMNS: Final = ("from", "to", "count", "users", "share")


@dataclass(frozen=True, kw_only=True, slots=True)
class Transitions(SessionsQuery):
    """How often one event leads to another."""

    analysis: ClassVar[str] = "transitions"

    share_of: str = option(
        "from", "what a share is of: all that leaves, or all that arrives", choices=("from", "to")
    )


class TransitionsAnalysis(OfSessions):
    """Passages from a node to the next one of the session; the repeats of a name are one node. The
    most frequent `limit` of them, and the rest as one.
    """

    name = "transitions"
    version = 4
    query_type = Transitions

    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        found = _passages(nodes, cast(Transitions, query).share_of)
        rows = [Row({}, row) for row in found.head(query.limit).iter_rows(named=True)]
        rest = found.slice(query.limit)
        if rest.height:
            values = {"from": OTHER, "to": OTHER, "count": int(rest["count"].sum())}
            rows.append(Row({}, {**values, "users": None, "share": None}, folded=True))
        return Table(_COLUMNS, rows)


def _passages(nodes: pl.DataFrame, share_of: str) -> pl.DataFrame:
    # Names are numbers of texts while there are many rows of them, and null beyond the ends.
    node = pl.col("node")
    is_last = pl.col("session") != pl.col("session").shift(-1)
    is_first = (pl.col("session") != pl.col("session").shift()).fill_null(value=True)
    onward = nodes.select(
        node.alias("from"), pl.when(~is_last).then(node.shift(-1)).alias("to"), "who"
    )
    nothing = pl.lit(None, nodes["node"].dtype)
    entered = nodes.filter(is_first).select(nothing.alias("from"), node.alias("to"), "who")
    counts = (
        pl.concat([entered, onward])
        .group_by("from", "to")
        .agg(pl.len().alias("count"), pl.col("who").drop_nulls().n_unique().alias("users"))
        .with_columns(
            pl.col("from").cast(pl.String).fill_null(PATH_START),
            pl.col("to").cast(pl.String).fill_null(PATH_END),
        )
    )
    share = pl.col("count") / pl.col("count").sum().over(share_of)
    order = [pl.col("count"), pl.col("from"), pl.col("to")]
    return counts.with_columns(share.alias("share")).sort(order, descending=[True, False, False])
