"""Which attempts count: a subject's best one, or all that do not overlap."""

from collections.abc import Sequence

import polars as pl

from store.analytics.funnel.attempts import DEPTH, LAST, OPEN, SPOILED
from store.analytics.funnel.journeys import END, UID, Journeys
from store.analytics.ordered.rows import TIME

_PLACES = 1 << 32
"""More than there are rows."""


def best(found: pl.DataFrame, per: Sequence[str] = (UID,)) -> pl.DataFrame:
    """For each value of `per` the first attempt that got furthest: of those that did so by the same
    event the one that began last, by the earliest way.

    Whose furthest attempts are all spoiled is left out altogether. OPEN is true when any of his
    attempts is.
    """
    score = pl.col(DEPTH).cast(pl.Int64) * _PLACES - pl.col(LAST)
    spoiled = bool(found[SPOILED].any())
    known = found.with_columns(pl.col(OPEN).any().over(per)) if found[OPEN].any() else found
    if spoiled:
        deepest = pl.col(DEPTH) == pl.col(DEPTH).max().over(per)
        known = known.filter(deepest).filter(~pl.col(SPOILED))
    first = known.lazy().with_columns(score.alias("score"))
    first = first.filter(pl.col("score") == pl.col("score").max().over(per))
    # Attempts stand in the order of their starts; of one start, through different events, in turn.
    latest = first.filter(pl.col("row.0") == pl.col("row.0").max().over(per))
    return latest.drop("score").unique(per, keep="first", maintain_order=True).collect()


def apart(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """Attempts that do not overlap, from each subject's first on: the next is the first to begin
    after one was completed, or has expired (in a strict run: was broken). Spoiled ones are left out.
    """
    if not found.height:
        return found
    after = _next_attempt(found, journeys)
    firsts = found.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"), UID)
    taken = firsts.unique(UID, keep="first", maintain_order=True)["at"]
    reached = pl.repeat(False, found.height, dtype=pl.Boolean, eager=True).scatter(taken, True)
    # Twice as far with each turn: after n of them all that 2^n steps lead to are taken.
    while after.null_count() < after.len():
        more = after.filter(reached).drop_nulls()
        reached = reached.scatter(more, True)
        after = after.gather(after)
    return found.filter(reached & ~found[SPOILED])


def _next_attempt(found: pl.DataFrame, journeys: Journeys) -> pl.Series:
    """The place of the attempt that comes after each; null after the last."""
    made = journeys.made
    places = found.with_row_index("at")
    is_done = pl.col(f"row.{len(made.steps) - 1}").is_not_null()
    begins = found["row.0"]
    after = begins.search_sorted(found[LAST], side="right")
    ends = pl.col("limit") if made.is_strict else pl.lit(None, pl.UInt32)
    broken = begins.search_sorted(found.select(ends.fill_null(0)).to_series(), side="left")
    if made.window is None:
        expired = pl.Series([None], dtype=pl.UInt32).new_from_index(0, found.height)
    else:
        late = places.select(UID, (pl.col(TIME) + made.window).alias(TIME))
        expired = late.join_asof(
            places.select(UID, TIME, "at"),
            on=TIME,
            by=UID,
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )["at"]
    told = places.select(UID, END, is_done.alias("is_done"), ends.alias("ends")).with_columns(
        after.cast(pl.UInt32).alias("after"),
        broken.cast(pl.UInt32).alias("broken"),
        expired.alias("expired"),
    )
    is_broken = (pl.col("ends") < pl.col(END)).fill_null(value=False)
    stopped = pl.when(is_broken).then(pl.min_horizontal("broken", "expired")).otherwise("expired")
    following = pl.when("is_done").then("after").otherwise(stopped)
    return _within(told.select(following.alias("next"), UID))


def _within(told: pl.DataFrame) -> pl.Series:
    """Without those that are another subject's."""
    uid = told[UID]
    whose = pl.concat([uid, pl.Series([None], dtype=uid.dtype)]).gather(told["next"])
    return told.with_columns(whose.alias("whose")).select(
        pl.when(pl.col("whose") == pl.col(UID)).then("next")
    ).to_series()
