"""Ways: the names that a session passes one after the other, and where sessions set out."""

import re
from typing import Final

import polars as pl

from store.analytics.ordered.subjects import WHO
from store.analytics.paths.markers import told_name
from store.errors import UsageError

Way = tuple[str, ...]
"""Names after the start, in the order in which one comes to them; END (backwards START) closes it."""
_ARROW: Final = re.compile(r"\s*[>▸]\s*")


def way_of_text(text: str) -> Way:
    """`search > signup` as a way; names with such a sign are written in JSON."""
    names = tuple(_ARROW.split(text.strip()))
    if not all(names):
        raise UsageError(
            "way", f"a name is missing in {text!r}", next_step="write 'search > signup'"
        )
    return names


def begun(nodes: pl.DataFrame, name: str | None, *, backwards: bool) -> pl.DataFrame:
    """A row for each session, where it sets out: `at` (its row in `nodes`, of the first node with
    that name; without a name, just outside of its first node, backwards of its last), `stop` (the
    row of the last node that it can come to), `home` (of its first one) and WHO.
    """
    rows = nodes.select("session", "node", WHO).with_row_index("at")
    is_first = (pl.col("session") != pl.col("session").shift()).fill_null(value=True)
    first = rows.filter(is_first)
    at = pl.col("at").cast(pl.Int64)
    edges = first.select("session", WHO, at.alias("home")).with_columns(
        (pl.col("home").shift(-1, fill_value=nodes.height) - 1).alias("last")
    )
    stop = pl.col("home" if backwards else "last").alias("stop")
    if name is None:
        outside = pl.col("last") + 1 if backwards else pl.col("home") - 1
        return edges.select(outside.alias("at"), stop, "home", WHO)
    hits = rows.filter(pl.col("node") == told_name(name)).unique(
        "session", keep="first", maintain_order=True
    )
    found = hits.select("session", at).join(edges, on="session", maintain_order="left")
    return found.select("at", stop, "home", WHO)
