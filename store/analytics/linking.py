"""The links of devices to users out of the parts, as any analysis's partials are read and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from store.analytics.cut import Cut
from store.analytics.distinct import hashed
from store.analytics.links import is_given
from store.analytics.query import Query
from store.analytics.rollups.recipe import Recipe
from store.schema import PART

LINK_COLUMNS: Final = ("install_id", "user_id", "subject_hash", "event_time")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinksQuery(Query):
    """Which devices were seen with which users, over all history."""

    analysis: ClassVar[str] = "links"


class LinksReduction:
    """Device and user of each part, as the store reads and caches any analysis's partials."""

    name = "links"
    version = 1

    def columns(self, query: Query) -> Sequence[str]:
        return LINK_COLUMNS

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        both = events.filter(is_given("install_id") & is_given("user_id"))
        pairs = both.group_by(PART, "install_id", "subject_hash").agg(pl.col("event_time").min())
        devices = pl.col("install_id").map_batches(
            hashed, return_dtype=pl.UInt64(), is_elementwise=True
        )
        return pairs.select(
            PART,
            devices.alias("device"),
            pl.col("subject_hash").alias("user"),
            pl.col("event_time").alias("time"),
        )

    def recipe(self, query: Query) -> Recipe | None:
        return Recipe(None)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        """Each device once, with the user of the earliest event; of equal times, the smaller hash."""
        # Nearly all devices have one user: grouping finds those at a third of the cost of sorting.
        user, time = pl.col("user"), pl.col("time")
        least = partials.group_by("device").agg(user.min(), time.min(), other=user.max())
        is_one = least["user"] == least["other"]
        names = partials.columns
        if is_one.all():
            return least.select(names)
        several = least.filter(~is_one)["device"].implode()
        ordered = partials.filter(pl.col("device").is_in(several)).sort("device", "time", "user")
        device = ordered["device"]
        first = ordered.filter(device.ne_missing(device.shift()))
        return pl.concat([least.filter(is_one).select(names), first])
