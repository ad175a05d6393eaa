"""Drop-off: the last thing done before going."""

from dataclasses import dataclass
from typing import ClassVar, Final, cast

import polars as pl

from store.analytics.paths.markers import OTHER
from store.analytics.paths.reading import OfSessions, SessionsQuery
from store.analytics.paths.visits import Visits
from store.analytics.query import Query, option
from store.analytics.shapes import Row, Table

PER: Final = ("session_id", "user_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class DropOff(SessionsQuery):
    """Where people stop."""

    analysis: ClassVar[str] = "drop-off"

    per: str = option("session_id", "the last event of each session, or of each user", choices=PER)


class DropOffAnalysis(OfSessions):
    """The name of the last event of each session that starts in the span: where it truly ended, not
    where it left what is shown. Per user: of each user's last session.
    """

    name = "drop-off"
    version = 4
    query_type = DropOff

    def counted(self, found: Visits, query: Query) -> pl.DataFrame:
        """The last node of each session; per user, the last of those."""
        is_last = (pl.col("session") != pl.col("session").shift(-1)).fill_null(value=True)
        lasts = found.nodes.filter(is_last)
        if cast(DropOff, query).per != "user_id":
            return lasts
        known = lasts.filter(pl.col("who").is_not_null())
        last = known.filter(pl.col("time") == pl.col("time").max().over("who"))
        if not last["who"].is_duplicated().any():
            return last
        # Of sessions that end at one instant, what tells them apart decides, not when it came in.
        told = last.join(found.values, on="session", how="left")
        keys = [name for name in found.values.columns if name != "session"]
        ordered = told.sort(pl.col("node").cast(pl.String), *keys)
        return ordered.unique("who", keep="last", maintain_order=True).select(last.columns)

    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        names = nodes.select(pl.col("node").cast(pl.String).alias("event_name"))
        counts = names.group_by("event_name").len("count")
        counts = counts.sort("count", "event_name", descending=[True, False])
        rows = [_row(event_name, count, nodes.height) for event_name, count in counts.rows()]
        rest = sum(row.values["count"] for row in rows[query.limit :])
        others = OTHER if query.by else ""
        folded = [_row(others, rest, nodes.height, folded=True)] if rest else []
        return Table(("event_name", "count", "share"), [*rows[: query.limit], *folded])


def _row(name: str, count: int, of: int, *, folded: bool = False) -> Row:
    values = {"event_name": name, "count": count, "share": count / of}
    return Row({}, values, folded=folded)
