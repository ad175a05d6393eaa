"""Where walkers go next: one step at a time for all of them, and only along what is unfolded."""

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO
from store.analytics.paths.markers import END, OTHER, START
from store.analytics.paths.ways import Way
from store.analytics.sums import mean_seconds

COUNTS: Final = ("count", "users", "mean_seconds", "median_seconds", "names")
"""Of a branch: passages, people, the time from node to node, and how many names it stands for."""
_WAY: Final = "way"
_ROOT: Final[Way] = ()


class Branching:
    """Walkers (as `ways.begun` gives them) on the nodes of sessions."""

    def __init__(
        self, nodes: pl.DataFrame, limit: int, backwards: bool, *, from_name: bool
    ) -> None:
        # Walkers look rows up, which are found slowly among chunks.
        self._nodes = nodes.select("node", TIME).rechunk()
        self._limit = limit
        self._by = -1 if backwards else 1
        self._from_name = from_name

    def unfolded(
        self, walkers: pl.DataFrame, ways: Sequence[Way], least: float, depth: int
    ) -> list[tuple[Way, pl.DataFrame]]:
        """The branches (`to`, null for the end, and COUNTS) of the start and of each of `ways` and
        of what leads there, and of those that `least` walkers go, down to `depth`: by count, then
        OTHER, then the end.
        """
        wanted = _with_all_that_leads_there(ways)
        level: list[Way] = [_ROOT]
        walkers = walkers.with_columns(pl.lit(0, pl.UInt32).alias(_WAY))
        found = []
        while level and walkers.height:
            stepped = self._stepped(walkers, is_start=level == [_ROOT])
            large = _large(stepped, level, least) if len(level[0]) < depth - 1 else []
            after = {
                way: list(dict.fromkeys(w for w in (*wanted, *large) if w and w[:-1] == way))
                for way in level
            }
            branches = self._branches(stepped, level, after)
            found += [(way, branches[at]) for at, way in enumerate(level) if at in branches]
            walkers, level = _onward(stepped, level, after)
        return found

    def along(self, walkers: pl.DataFrame, way: Way) -> pl.DataFrame:
        """Those who go all of it."""
        for name in way:
            if name in (END, START):
                return walkers.filter(pl.col("at") == pl.col("stop"))
            moving = walkers.filter(pl.col("at") != pl.col("stop"))
            moving = moving.with_columns(pl.col("at") + self._by)
            node = self._nodes["node"].gather(moving["at"])
            walkers = moving.filter(node == name)
        return walkers

    def _stepped(self, walkers: pl.DataFrame, *, is_start: bool) -> pl.DataFrame:
        """One step further: `at`, `node` (null where it ended) and `seconds`."""
        goes = walkers["at"] != walkers["stop"]
        ended, moving = walkers.filter(~goes), walkers.filter(goes)
        to = moving["at"] + self._by
        times = self._nodes[TIME]
        took = pl.lit(None, pl.Float64)
        if self._from_name or not is_start:
            between = times.gather(to) - times.gather(moving["at"])
            took = pl.lit(between.dt.total_microseconds() / 1e6).abs()
        node = self._nodes["node"].gather(to).cast(pl.String)
        moved = moving.with_columns(at=to, node=node, seconds=took)
        return pl.concat([moved, ended], how="diagonal")

    def _branches(
        self, stepped: pl.DataFrame, level: Sequence[Way], after: dict[Way, list[Way]]
    ) -> dict[int, pl.DataFrame]:
        """By the number of the way."""
        sizes = stepped.filter(pl.col("node").is_not_null()).group_by(_WAY, "node").len("count")
        sizes = sizes.join(_ways(level, after), on=(_WAY, "node"), how="left")
        is_open = pl.col("next").is_not_null()
        sizes = sizes.sort(_WAY, "count", "node", descending=[False, True, False])
        is_shown = (pl.int_range(pl.len()).over(_WAY) < self._limit) | is_open
        shown = sizes.select(
            _WAY, "node", pl.when(is_shown).then("node").otherwise(pl.lit(OTHER)).alias("to")
        )
        named = stepped.join(shown, on=(_WAY, "node"), how="left")
        counted = named.group_by(_WAY, "to").agg(
            pl.len().alias("count"),
            pl.col(WHO).drop_nulls().n_unique().alias("users"),
            mean_seconds(pl.col("seconds")).alias("mean_seconds"),
            pl.col("seconds").median().alias("median_seconds"),
            pl.col("node").n_unique().alias("names"),
        )
        order = [
            pl.col(_WAY),
            pl.col("to").is_null(),
            pl.col("to") == OTHER,
            -pl.col("count"),
            "to",
        ]
        parts = counted.with_columns(pl.col("count").cast(pl.Int64)).sort(order)
        return {
            int(key[0]): part.select("to", *COUNTS)
            for key, part in parts.partition_by(_WAY, as_dict=True, include_key=False).items()
        }


def _with_all_that_leads_there(ways: Iterable[Way]) -> list[Way]:
    return list(dict.fromkeys(way[:to] for way in ways for to in range(1, len(way) + 1)))


def _large(stepped: pl.DataFrame, level: Sequence[Way], least: float) -> list[Way]:
    """The ways on which at least so many go on."""
    counts = stepped.filter(pl.col("node").is_not_null()).group_by(_WAY, "node").len("count")
    found = counts.filter(pl.col("count") >= least).sort(_WAY, "node")
    return [(*level[way], node) for way, node, _ in found.rows()]


def _ways(level: Sequence[Way], after: dict[Way, list[Way]]) -> pl.DataFrame:
    """The number of the way that one is on after `node`, where that is unfolded."""
    steps = [(at, way[-1]) for at, before in enumerate(level) for way in after[before]]
    rows = [(at, node, number) for number, (at, node) in enumerate(steps)]
    schema = {_WAY: pl.UInt32(), "node": pl.String(), "next": pl.UInt32()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _onward(
    stepped: pl.DataFrame, level: Sequence[Way], after: dict[Way, list[Way]]
) -> tuple[pl.DataFrame, list[Way]]:
    """Those who went where it is unfolded, and the ways that they are on."""
    went = stepped.join(_ways(level, after), on=(_WAY, "node"))
    walkers = went.select("at", "stop", "home", WHO, pl.col("next").alias(_WAY))
    return walkers, [way for before in level for way in after[before]]
