"""Parts that an edge of the horizon cuts."""

from dataclasses import replace

import polars as pl

from store.analytics.cut import Cut
from store.analytics.plan import Node
from store.analytics.rollups.shelf import Use
from store.timespan import TimeSpan


def at_edge(leaf: Node, cut: Cut, horizon: TimeSpan, use: Use) -> Node:
    """A part that an edge cuts: its cells, and of those the ones in the horizon added up, which
    stay the same until the edge reaches the next cell.
    """
    rolled = use.at_edge(leaf, cut, horizon)
    if rolled:
        return rolled
    cells = replace(leaf, key=(leaf.key, cut), cut=cut)
    within = (max(horizon.start, leaf.start), min(horizon.end, leaf.end))
    # A cut that is made for this very horizon holds no other cells, but may begin before it.
    limits = None if cut.span == horizon else horizon
    key = (leaf.key, cut, within)
    return replace(leaf, key=key, part=None, nodes=(cells,), inside=limits, lasts=False)


def inside(cells: pl.DataFrame, span: TimeSpan) -> pl.DataFrame:
    """The cells that start in `span`."""
    # Compared as a column: an expression takes 0.1 ms to hold an instant, six times as long in all.
    time = cells["time"]
    return cells.filter((time >= span.start) & (time < span.end))
