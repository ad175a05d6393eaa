"""Devices and the users they were linked to: who an event without a `user_id` belongs to."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

import polars as pl
import xxhash

from store.analytics.cut import Cut
from store.analytics.query import Query
from store.schema import INSTANT, PART

if TYPE_CHECKING:
    from store.analytics.rollups.recipe import Recipe

LINK_COLUMNS: Final = ("install_id", "user_id", "subject_hash", "event_time")
LINKS: Final = {"device": pl.UInt64(), "user": pl.UInt64(), "time": INSTANT}


class Links:
    """device -> user over all history, as hashes (`subject_hash`); found when first needed."""

    def __init__(self, load: Callable[[], pl.DataFrame]) -> None:
        """`load` gives the frame; it is called once, or never when no device was seen."""
        self._load = load
        self.asked: pl.Series | None = None
        """The devices whose users somebody asked for."""

    def of(self, devices: pl.Series) -> pl.DataFrame:
        """The rows of `frame` for these hashes of devices."""
        self.asked = devices if self.asked is None else self.asked.append(devices)
        return self._of(devices)

    def version(self, devices: pl.Series) -> Hashable:
        """Equal while these devices belong to the same users."""
        found = self._of(devices)
        return found.height, int(found.hash_rows(seed=3).sum())

    def _of(self, devices: pl.Series) -> pl.DataFrame:
        return self.frame.filter(self.frame["device"].is_in(devices.implode()))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The columns `device` and `user` (UInt64), each device once."""
        return self._load().select("device", "user")


def no_links() -> Links:
    """For `--no-link`: each device counts as itself."""
    return Links(lambda: pl.DataFrame(schema=LINKS))


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
            _hashed, return_dtype=pl.UInt64(), is_elementwise=True
        )
        return pairs.select(
            PART,
            devices.alias("device"),
            pl.col("subject_hash").alias("user"),
            pl.col("event_time").alias("time"),
        )

    def recipe(self, query: Query) -> "Recipe | None":
        from store.analytics.rollups.recipe import Recipe

        return Recipe(None)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        """Each device once, with the user of the earliest event; of equal times, the smaller hash."""
        repeated = partials["device"].is_duplicated()
        ordered = partials.filter(repeated).sort("device", "time", "user")
        first = ordered.unique("device", keep="first", maintain_order=True)
        return pl.concat([partials.filter(~repeated), first])


def is_given(column: str) -> pl.Expr:
    """True where an identity is there, else False; an empty text is none."""
    return (pl.col(column).str.len_bytes() > 0).fill_null(value=False)


def _hashed(texts: pl.Series) -> pl.Series:
    """`subject_hash` of devices."""
    hashes = [xxhash.xxh3_64_intdigest(text.encode()) for text in texts.to_list()]
    return pl.Series(texts.name, hashes, dtype=pl.UInt64)
