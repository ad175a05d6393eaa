"""Visits: the events of each session in their order, a row for every node of it.

A node is a run of events of one name; its time is that of the last of them. Sessions are those of
store.analytics.sessions: by id, else by the gap.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from store.analytics.links import Links, is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.order import in_order
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO
from store.schema import PART
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("event_time", "event_id", "event_name", "session_id"),
    *subjects.columns(subjects.USER, link=True),
)
"""What `events_in_short` reads."""
_SESSION_ID: Final = "session_id"
_USER: Final = "\0user"


def events_in_short(
    events: pl.LazyFrame,
    *,
    by_id: bool = True,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> pl.LazyFrame:
    """The rows and columns of a part that visits are made of: PART, TIME, WHO and DEVICE of the
    subject, `session_id`, `id`, `node`. Without what is in no session, of another name than `only`,
    or of a name in `without`.
    """
    name = pl.col("event_name")
    kept = is_given(_SESSION_ID) if by_id else pl.lit(value=False)
    if only:
        events = events.filter(name.is_in(only))
    if without:
        events = events.filter(~name.is_in(without))
    subject = subjects.subject(events.collect_schema(), subjects.USER, link=True)
    return events.filter(kept | subjects.is_known(subjects.USER)).select(
        PART,
        pl.col("event_time").alias(TIME),
        *subject,
        pl.when(kept).then(_SESSION_ID).cast(pl.String).alias(_SESSION_ID),
        pl.col("event_id").alias("id"),
        name.cast(pl.Categorical).alias("node"),
    )


def visits(short: pl.DataFrame, gap: timedelta, span: TimeSpan, links: Links) -> pl.DataFrame:
    """The nodes of all sessions that start in `span`, session by session and in order: `session` (a
    number), `who` (the subject of its first event that has one), `node`, `time`, `events`.
    """
    rows = _sessions(subjects.settled(short, links, nobody=True), gap)
    start = pl.col(TIME).first().over("session")
    rows = rows.filter(start.is_between(span.start, span.end, closed="left"))
    moved = pl.any_horizontal(
        pl.col(name).to_physical() != pl.col(name).to_physical().shift()
        for name in ("session", "node")
    )
    first = rows.select(moved.fill_null(value=True)).to_series().arg_true()
    last = first.shift(-1, fill_value=rows.height) - 1
    user = pl.col(_USER).drop_nulls().first().over("session")
    return rows.with_columns(user.alias(WHO)).select(
        pl.col("session", WHO, "node").gather(first),
        pl.col(TIME).gather(last),
        (last - first + 1).cast(pl.Int64).alias("events"),
    )


def _sessions(rows: pl.DataFrame, gap: timedelta) -> pl.DataFrame:
    """In order, with a number for each session: what an id holds together, or what a subject did
    without a long silence.
    """
    is_named = pl.col(_SESSION_ID).is_not_null()
    id_hash = pl.col(_SESSION_ID).hash(seed=11)
    owned = rows.select(
        pl.when(is_named).then(id_hash).otherwise(WHO).alias(WHO),
        is_named.alias("is_named"),
        pl.col(WHO).alias(_USER),
        *(TIME, "id", "node"),
    )
    ordered = in_order(owned, ties=["id"]).drop("id")
    late = ~pl.col("is_named") & (pl.col(TIME).diff() > gap)
    other = pl.col(WHO) != pl.col(WHO).shift()
    begins = (other | late).fill_null(value=True)
    return ordered.with_columns(begins.cum_sum().alias("session"))
