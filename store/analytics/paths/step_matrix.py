"""Step matrix: of all sessions, how many are where at each of their steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.chosen import Named
from store.analytics.paths.markers import OTHER, PATH_END, PATH_START
from store.analytics.paths.reading import OfSessions, SessionsQuery
from store.analytics.paths.walks import Ends, between, ends_of, place
from store.analytics.query import Query, option
from store.analytics.shapes import Row, Table
from store.analytics.shares import wilson
from store.errors import UsageError

DEPTH_MAX: Final = 500
_AT: Final = "at"


@dataclass(frozen=True, kw_only=True, slots=True)
class StepMatrix(SessionsQuery):
    """Where sessions are at each step."""

    analysis: ClassVar[str] = "step-matrix"

    from_: Named = option(
        None, "step 1 is where this is first: NAME [where FILTER]", metavar="EVENT", flag="from"
    )
    to: Named = option(
        None, "the last step is where this is first: NAME [where FILTER]", metavar="EVENT"
    )
    depth: int = option(5, "so many steps")


class StepMatrixAnalysis(OfSessions):
    """For each name and each step from 1 to `depth`: the sessions that are there, and their share
    of all. A repeated name is one node, and one step. A session that has ended stays at PATH_END,
    so that each step has them all. Names past `limit`, by their passages in all steps, are OTHER.

    With a start, a session's first step is where that is first, and a session without it vanishes.
    With an end, the last step is where that is first, the one before what came before; a session
    that had not begun then stands at PATH_START.
    """

    name = "step-matrix"
    version = 2
    query_type = StepMatrix

    def ends(self, query: Query) -> Ends:
        asked = cast(StepMatrix, query)
        return ends_of(asked.from_, asked.to, asked.tz)

    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        asked = _checked(cast(StepMatrix, query))
        walked = between(nodes, self.ends(query))
        sessions = walked["session"].n_unique()
        counts = _counts(walked, asked)
        steps = range(1, asked.depth + 1)
        columns = ("event_name", *(f"share_{k}" for k in steps), *(f"count_{k}" for k in steps))
        rows = [_row(name, each, sessions) for name, each in _lines(counts, asked, sessions)]
        return Table(columns, rows, {"sessions": sessions})

    def table_json(self, table: Table) -> Mapping[str, Any]:
        """`{"summary": {"sessions": n}, "rows": [{"event_name", "counts", "shares", "low", "high"}]}`: lists
        with an entry a step.
        """
        names = ("event_name", "counts", "shares", "low", "high")
        rows = [
            {name: row.values[name] for name in names}
            | ({"folded": True} if row.values["event_name"] == OTHER else {})
            for row in table.rows
        ]
        return {"summary": dict(table.summary), "rows": rows}


def _checked(asked: StepMatrix) -> StepMatrix:
    if not 1 <= asked.depth <= DEPTH_MAX:
        fault = f"{asked.depth:,} is no number of steps"
        raise UsageError("depth", fault, next_step=f"write 1 to {DEPTH_MAX}")
    return asked


def _counts(walked: pl.DataFrame, asked: StepMatrix) -> pl.DataFrame:
    """`node` (all past the limit are OTHER), `at` (its step) and `count`; the most frequent first,
    OTHER last.
    """
    number = place(from_last=asked.to is not None)
    step = asked.depth + 1 - number if asked.to is not None else number
    placed = walked.lazy().select("node", step.alias(_AT))
    counts = (
        placed.filter(pl.col(_AT).is_between(1, asked.depth)).group_by("node", _AT).len("count")
    )
    named = counts.with_columns(pl.col("node").cast(pl.String), pl.col(_AT).cast(pl.Int64))
    sums = named.group_by("node").agg(pl.col("count").sum().alias("all"))
    ranked = sums.sort("all", "node", descending=[True, False]).with_row_index("rank")
    rank = pl.col("rank").clip(upper_bound=asked.limit)
    shown = pl.when(pl.col("rank") < asked.limit).then("node").otherwise(pl.lit(OTHER))
    told = named.join(ranked, on="node").select(rank, shown.alias("node"), _AT, "count")
    return told.group_by("rank", "node", _AT).agg(pl.col("count").sum()).sort("rank", _AT).collect()


def _lines(
    counts: pl.DataFrame, asked: StepMatrix, sessions: int
) -> Sequence[tuple[str, list[int]]]:
    """A name and its counts each, the marker at last: what all others leave."""
    found: dict[str, list[int]] = {}
    left = [sessions] * asked.depth
    for node, at, count in counts.select("node", _AT, "count").iter_rows():
        found.setdefault(node, [0] * asked.depth)[at - 1] = count
        left[at - 1] -= count
    marker = PATH_END if asked.to is None else PATH_START
    return [*found.items(), *([(marker, left)] if sessions else [])]


def _row(name: str, counts: Sequence[int], of: int) -> Row:
    told = [wilson(count, of) for count in counts]
    shares, low, high = map(list, zip(*told, strict=True))
    values = {
        "event_name": name,
        **{f"share_{k}": share for k, share in enumerate(shares, 1)},
        **{f"count_{k}": count for k, count in enumerate(counts, 1)},
        "counts": list(counts),
        "shares": shares,
        "low": low,
        "high": high,
    }
    return Row({}, values, folded=name == OTHER)
