"""Whose events without a user are in a session: the devices that its user was linked to."""

import polars as pl

from store.analytics.links import Links
from store.analytics.ordered import subjects
from store.analytics.ordered.subjects import DEVICE, WHO


def devices_of(sessions: pl.DataFrame, pieces: pl.DataFrame, links: Links) -> pl.Series:
    """`devices`, for each of `sessions` (a few of those that `pieces.merged` gives): the
    `install_id` of every device that took part without a user, in order; none where an id holds the
    session together, since then the id finds its events.
    """
    sessions = sessions.with_row_index("at")
    silent = pl.col("session_id").is_null()
    wanted = sessions.filter(silent).select("at", WHO, "start", "end")
    alone = pieces.filter(silent & pl.col(DEVICE)).select(WHO, DEVICE, "install_id", "start")
    owned = subjects.settled(alone.rename({"start": "begun"}), links)
    took_part = wanted.join(owned, on=WHO).filter(
        pl.col("begun").is_between(pl.col("start"), pl.col("end"))
    )
    lists = took_part.group_by("at").agg(pl.col("install_id").unique().sort().alias("devices"))
    joined = sessions.join(lists, on="at", how="left", maintain_order="left")
    return joined["devices"].fill_null([])
