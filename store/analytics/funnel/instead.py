"""What people did instead of going on: the first thing after the last step of each."""

from typing import Final

import polars as pl

from store.analytics.ordered.subjects import USER
from store.schema import as_text

WHO: Final = "who"
THEN: Final = "then"


def done_after(events: pl.LazyFrame, last: pl.DataFrame, per: str = USER) -> pl.DataFrame:
    """`who` and `then`, the name of the first event after `last.at` of each `last.who` (text, as a
    funnel names its subjects); who did nothing more has no row. Of events at one instant it is the
    one whose name comes first, whatever arrived first.

    Somebody is known by the user or else the device of an event: what a device did before it was
    linked to a user is told under the device.
    """
    kinds = events.collect_schema()
    named = events.select(_who(kinds, per).alias(WHO), "event_time", "event_name")
    after = named.join(last.lazy().select(WHO, "at"), on=WHO).filter(
        pl.col("event_time") > pl.col("at")
    )
    first = pl.col("event_name").cast(pl.String).sort_by("event_time", "event_name").first()
    return after.group_by(WHO).agg(first.alias(THEN)).collect()


def columns(per: str = USER) -> tuple[str, ...]:
    """What `done_after` reads."""
    return ("event_time", "event_name", *((USER, "install_id") if per == USER else (per,)))


def _who(kinds: pl.Schema, per: str) -> pl.Expr:
    names = [USER, "install_id"] if per == USER else [per]
    texts = [as_text(name, kinds[name]) for name in names if name in kinds]
    return pl.coalesce(pl.when(text.str.len_bytes() > 0).then(text) for text in texts)
