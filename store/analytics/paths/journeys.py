"""Journeys: where sessions go from a start on, or came from, as a tree that unfolds way by way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.ordered.subjects import WHO
from store.analytics.paths.branching import COUNTS, Branching
from store.analytics.paths.markers import END, OTHER, START
from store.analytics.paths.reading import OfSessions, SessionsQuery
from store.analytics.paths.ways import Way, begun, way_of_text
from store.analytics.query import Query, option
from store.analytics.sessions.owners import OWNER
from store.analytics.shapes import Result, Row, Table
from store.analytics.shares import wilson
from store.errors import UsageError

UNFOLD_MAX: Final = 1_000
_COLUMNS: Final = ("path", "to", "count", "share", "low", "high", "share_of_all", *COUNTS[1:])


@dataclass(frozen=True, kw_only=True, slots=True)
class Journeys(SessionsQuery):
    """What comes next, way by way."""

    analysis: ClassVar[str] = "journeys"

    from_: str | None = option(
        None,
        "from where this is first; else from where sessions start",
        metavar="NAME",
        flag="from",
    )
    backwards: bool = option(default=False, help_text="what came before, back from there")
    unfold: tuple[Way, ...] = option(
        (), "also what follows this way, as 'search > signup'", metavar="WAY", reads=way_of_text
    )
    unfold_above: float | None = option(
        None, "also what follows each name that so large a share of all goes to", metavar="SHARE"
    )
    depth: int = option(4, "down to so many steps, where --unfold-above unfolds")
    taken: Way | None = option(None, "which sessions went so", hidden=True)

    def key(self) -> tuple[Any, ...]:
        """Where they go comes at last."""
        every = replace(
            self, from_=None, backwards=False, unfold=(), unfold_above=None, depth=0, taken=None
        )
        return super(Journeys, every).key()


class JourneysAnalysis(OfSessions):
    """For the start and for every way that is unfolded, one by one or since many go it: the names that come next, how often, and
    their shares of those who came so far (from `low` to `high` by Wilson's interval at 95 %) and of all. A repeated name is one node. Names that are
    unfolded are shown, and `limit` of the most frequent; the rest is OTHER, and a session that goes
    no further ended (END), so that what leaves a node adds up to what came in. From a name, each
    session counts from the first such event on; sessions without it are not there.

    Backwards the same from the session's last event, or from the first such event, to what came
    before; a session that has nothing before began there (START).
    """

    name = "journeys"
    version = 4
    query_type = Journeys

    def owned(self, query: Query) -> bool:
        return cast(Journeys, query).taken is not None

    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        asked = cast(Journeys, query)
        if len(asked.unfold) > UNFOLD_MAX:
            few = f"unfold at most {UNFOLD_MAX:,} ways"
            raise UsageError("unfold", f"{len(asked.unfold):,} ways are too many", next_step=few)
        if asked.depth < 0:
            raise UsageError("depth", f"{asked.depth} is none", next_step="write 0 or more")
        walkers = begun(nodes, asked.from_, backwards=asked.backwards)
        branching = Branching(
            nodes, asked.limit, asked.backwards, from_name=asked.from_ is not None
        )
        least = inf if asked.unfold_above is None else asked.unfold_above * walkers.height
        if asked.taken is not None:
            return _taken(branching.along(walkers, asked.taken), nodes, asked)
        return _tree(
            branching.unfolded(walkers, asked.unfold, least, asked.depth), walkers, nodes, asked
        )

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        asked, is_found = cast(Journeys, query), bool(cast(Table, result).rows)
        begun = [asked.from_] if asked.from_ is not None and not is_found else []
        return [*begun, *super().unmet(query, result)]


def _tree(
    found: list[tuple[Way, pl.DataFrame]],
    walkers: pl.DataFrame,
    nodes: pl.DataFrame,
    asked: Journeys,
) -> Table:
    end = START if asked.backwards else END
    rows = [
        Row({}, _values(way, row, of, walkers.height), folded=row["to"] == OTHER)
        for way, branches in found
        for of in [int(branches["count"].sum())]
        for row in branches.with_columns(pl.col("to").fill_null(end)).iter_rows(named=True)
    ]
    summary = {
        "from": asked.from_,
        "count": walkers.height,
        "users": walkers[WHO].drop_nulls().n_unique(),
        "sessions": nodes["session"].n_unique(),
    }
    return Table(_COLUMNS, rows, summary)


def _values(way: Way, row: dict[str, Any], of: int, of_all: int) -> dict[str, Any]:
    share = wilson(row["count"], of)
    told = {
        "path": list(way),
        "to": row["to"],
        "count": row["count"],
        "share": share.share,
        "low": share.low,
        "high": share.high,
        "share_of_all": row["count"] / of_all,
    }
    return told | {name: row[name] for name in COUNTS[1:]}


def _taken(walkers: pl.DataFrame, nodes: pl.DataFrame, asked: Journeys) -> Table:
    """OWNER and `start` of the newest sessions that went the way."""
    owners = nodes[[OWNER, "start"]][walkers["home"]]
    newest = owners.sort("start", OWNER, descending=[True, False]).head(asked.limit)
    rows = [Row({}, row) for row in newest.iter_rows(named=True)]
    return Table((OWNER, "start"), rows, {"count": walkers.height})
