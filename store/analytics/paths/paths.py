"""Paths: what people do next, from a start or up to an end, and how often they go which way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.chosen import Named
from store.analytics.paths.markers import END, OTHER
from store.analytics.paths.reading import OfSessions, SessionsQuery
from store.analytics.paths.walks import Ends, between, ends_of, place
from store.analytics.query import Query, option
from store.analytics.shapes import Row, Table
from store.analytics.sums import mean_seconds
from store.analytics.table_json import flat_rows_json
from store.errors import UsageError

_EDGE: Final = ("depth", "from", "to", "count", "users", "mean_seconds", "median_seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths(SessionsQuery):
    """Which ways sessions go."""

    analysis: ClassVar[str] = "paths"

    from_: Named = option(
        None, "begin where this is first: NAME [where FILTER]", metavar="EVENT", flag="from"
    )
    to: Named = option(None, "stop where this is first: NAME [where FILTER]", metavar="EVENT")
    depth: int = option(5, "this many nodes of a session, the first ones (with --to the last)")
    per_step: int | None = option(
        None,
        "so many names of each step by themselves; as many as --limit unless told",
        metavar="N",
    )


class PathsAnalysis(OfSessions):
    """The edges between the nodes of sessions, by depth: from the first node to the second is 1.
    A repeated name is one node; its time is that of the last repeat. With a start, a session is cut
    at its first occurrence, and one without vanishes; likewise with an end.

    What leaves a node adds up to what came in: a session that ended goes to END, what comes after
    the last node, and the rarer nodes past `per_step` of a depth, are OTHER. The paths themselves are
    in the summary, the most frequent first, the rest as one.
    """

    name = "paths"
    version = 4
    query_type = Paths

    def ends(self, query: Query) -> Ends:
        asked = cast(Paths, query)
        return ends_of(asked.from_, asked.to, asked.tz)

    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        asked = cast(Paths, query)
        if asked.depth < 1:
            raise UsageError("depth", f"{asked.depth} is no path", next_step="write 1 or more")
        if asked.per_step is not None and asked.per_step < 1:
            fault = f"{asked.per_step} names tell nothing"
            raise UsageError("per step", fault, next_step="write 1 or more")
        walked = _walked(nodes, asked, self.ends(query))
        edges = _edges(walked, asked)
        rows = [Row({}, row) for row in edges.select(_EDGE).iter_rows(named=True)]
        return Table(_EDGE, rows, {"paths": _paths(walked, asked)})

    def table_json(self, table: Table) -> Mapping[str, Any]:
        return {"edges": flat_rows_json(Table(_EDGE, table.rows))["rows"], **table.summary}


def _walked(nodes: pl.DataFrame, asked: Paths, ends: Ends) -> pl.DataFrame:
    """The nodes that count, with their `depth` in the session from 1 on; without an end that was
    asked for, the one after the last as well.
    """
    rows = between(nodes, ends)
    if asked.to is not None:
        rows = rows.filter(pl.int_range(pl.len(), 0, -1).over("session") <= asked.depth)
    numbered = rows.lazy().with_columns(place().alias("depth"))
    return numbered.filter(pl.col("depth") <= asked.depth + 1).collect()


def _edges(walked: pl.DataFrame, asked: Paths) -> pl.DataFrame:
    follows = pl.col("session").shift(-1) == pl.col("session")
    is_last = pl.col("depth") == asked.depth
    way = pl.when(follows).then(pl.col("shown").shift(-1)).otherwise(_marker(END))
    took = (pl.col("time").shift(-1) - pl.col("time")).dt.total_microseconds() / 1e6
    edges = _shown(walked, asked).select(
        "depth",
        "who",
        pl.col("shown").alias("from"),
        pl.when(follows & is_last).then(_marker(OTHER)).otherwise(way).alias("to"),
        pl.when(follows).then(took).alias("seconds"),
    )
    # What is past the last node, or the end that was asked for, leads nowhere.
    is_edge = (
        (pl.col("to") != _marker(END)) if asked.to is not None else pl.col("depth") <= asked.depth
    )
    return (
        edges.filter(is_edge)
        .group_by("depth", "from", "to")
        .agg(
            pl.len().alias("count"),
            pl.col("who").drop_nulls().n_unique().alias("users"),
            mean_seconds(pl.col("seconds")).alias("mean_seconds"),
            pl.col("seconds").median().alias("median_seconds"),
        )
        .with_columns(pl.col("from", "to").cast(pl.String))
        .sort("depth", "count", "from", "to", descending=[False, True, False, False])
    )


def _shown(walked: pl.DataFrame, asked: Paths) -> pl.DataFrame:
    """With the column `shown`: the node, or OTHER where so many others are more frequent there."""
    most = asked.limit if asked.per_step is None else asked.per_step
    counts = walked.group_by("depth", "node").len("count")
    order = [pl.col("depth"), pl.col("count"), pl.col("node").cast(pl.String)]
    counts = counts.sort(order, descending=[False, True, False])
    rank = pl.int_range(pl.len()).over("depth")
    shown = pl.when(rank < most).then("node").otherwise(_marker(OTHER))
    names = counts.select("depth", "node", shown.alias("shown"))
    return walked.join(names, on=("depth", "node"), maintain_order="left")


def _marker(text: str) -> pl.Expr:
    """As names are while there are many rows of them: numbers of texts."""
    return pl.lit(text).cast(pl.Categorical)


def _paths(walked: pl.DataFrame, asked: Paths) -> list[dict[str, Any]]:
    """The nodes of whole sessions, as far as they count, and how many went so."""
    kept = walked.filter(pl.col("depth") <= asked.depth)
    lists = kept.group_by("session", maintain_order=True).agg("node")
    counts = lists.group_by(pl.col("node").alias("path")).len("count")
    # Texts are made of those alone that may be shown: most paths are gone once.
    shown = min(asked.limit, counts.height)
    best = counts.filter(pl.col("count") >= pl.col("count").top_k(shown).min())
    best = best.with_columns(pl.col("path").cast(pl.List(pl.String)))
    best = best.sort("count", pl.col("path").list.join("\0"), descending=[True, False])
    told = best.head(shown)
    rest = int(counts["count"].sum()) - int(told["count"].sum())
    others = [{"path": [OTHER], "count": rest, "folded": True}] if rest else []
    return [*told.to_dicts(), *others]
