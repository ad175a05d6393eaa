"""Visits: the events of each session in their order, a row for every node of it.

A node is a run of events of one name; its time is that of the last of them. Sessions are those of
store.analytics.sessions: by id, else by the gap.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from store.analytics.links import Links, is_given
from store.schema import PART
from store.timespan import TimeSpan

COLUMNS: Final = (
    *("event_time", "event_id", "event_name"),
    *("subject_hash", "user_id", "session_id"),
)
"""What `events_in_short` reads."""
_OWNER: Final = ("is_named", "owner")
"""What holds a session together: the code of its id, or a subject."""


def events_in_short(
    events: pl.LazyFrame,
    *,
    by_id: bool = True,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> pl.LazyFrame:
    """The rows and columns of a part that visits are made of: PART where there are several,
    `session_id`, `who`, `is_device`, `time`, `id`, `node`. Without what is in no session, of another
    name than `only`, or of a name in `without`.
    """
    has_part = events.collect_schema()[PART] != pl.Null
    name = pl.col("event_name")
    kept = is_given("session_id") if by_id else pl.lit(value=False)
    if only:
        events = events.filter(name.is_in(only))
    if without:
        events = events.filter(~name.is_in(without))
    return events.filter(kept | pl.col("subject_hash").is_not_null()).select(
        *([PART] if has_part else []),
        pl.when(kept).then("session_id").cast(pl.String).alias("session_id"),
        pl.col("subject_hash").alias("who"),
        (~is_given("user_id") & pl.col("subject_hash").is_not_null()).alias("is_device"),
        pl.col("event_time").alias("time"),
        pl.col("event_id").alias("id"),
        name.cast(pl.Categorical).alias("node"),
    )


def visits(short: pl.DataFrame, gap: timedelta, span: TimeSpan, links: Links) -> pl.DataFrame:
    """The nodes of all sessions that start in `span`, session by session and in order: `session` (a
    number), `who` (the subject of its first event that has one), `node`, `time`, `events`.
    """
    rows = _ordered(_linked(short, links))
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in _OWNER)
    late = ~pl.col("is_named") & (pl.col("time").diff() > gap)
    begins = (other | late).fill_null(value=True)
    rows = rows.with_columns(begins.cum_sum().alias("session"))
    start = pl.col("time").first().over("session")
    rows = rows.filter(start.is_between(span.start, span.end, closed="left"))
    moved = pl.any_horizontal(
        pl.col(name).to_physical() != pl.col(name).to_physical().shift()
        for name in ("session", "node")
    )
    new = rows.select(moved.fill_null(value=True)).to_series()
    first = new.arg_true()
    last = first.shift(-1, fill_value=rows.height) - 1
    who = pl.col("who").drop_nulls().first().over("session")
    return rows.with_columns(who).select(
        pl.col("session", "who", "node").gather(first),
        pl.col("time").gather(last),
        (last - first + 1).cast(pl.Int64).alias("events"),
    )


def _linked(short: pl.DataFrame, links: Links) -> pl.DataFrame:
    """Devices become the users that they were linked to; sessions get an owner."""
    named = pl.col("session_id").is_not_null()
    code = pl.col("session_id").cast(pl.Categorical).to_physical().cast(pl.UInt64)
    devices = short.filter("is_device")["who"].unique()
    if devices.len():
        known = links.of(devices).rename({"device": "who", "user": "linked"})
        joined = short.join(known, on="who", how="left")
        owner = pl.when("is_device").then(pl.coalesce("linked", "who")).otherwise("who")
        short = joined.with_columns(owner.alias("who")).drop("linked")
    return short.select(
        named.alias("is_named"),
        pl.when(named).then(code).otherwise("who").alias("owner"),
        "who",
        "time",
        "id",
        "node",
    )


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """By owner, time and id. Ids are long texts, so they are looked at in ties alone."""
    keys = [*_OWNER, "time"]
    rows = rows.sort(keys)
    same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in keys)
    again = rows.select(same.fill_null(value=False)).to_series()
    tied = (again | again.shift(-1, fill_value=False)).arg_true()
    if not tied.len():
        return rows.drop("id")
    by_id = tied.gather(rows[tied].select(pl.arg_sort_by(*keys, "id")).to_series())
    places = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    return rows.drop("id")[places.scatter(tied, by_id)]
