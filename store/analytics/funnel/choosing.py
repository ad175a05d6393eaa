"""Which attempts count: a subject's best one, or all that do not overlap."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from store.analytics.funnel.attempts import DEPTH, LAST, OPEN, SPOILED, WIPED
from store.analytics.funnel.journeys import END, LIMIT, UID, Journeys
from store.analytics.ordered.rows import TIME

_PLACES = 1 << 32
"""More than there are rows."""


def best(found: pl.DataFrame, per: Sequence[str] = (UID,)) -> pl.DataFrame:
    """For each value of `per` the first attempt that got furthest: of those that did so by the same
    event the one that began last; all that began at one instant are the same, and came to each
    step when the first of them did.

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
    latest = first.filter(pl.col(TIME) == pl.col(TIME).max().over(per))
    return latest.drop("score").unique(per, keep="first", maintain_order=True).collect()


def apart(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """Attempts that do not overlap, from each subject's first on: the next is the first to begin
    after one was completed, or has expired (in a strict run: was broken; in any order: was wiped
    out). Spoiled ones are left out.
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
    made, begins = journeys.made, found["row.0"]
    after = begins.search_sorted(found[LAST], side="right").cast(pl.UInt32)
    told = found.with_columns(after.alias("after"), _expired(found, journeys).alias("next"))
    if made.is_unordered:
        wiped = pl.when(SPOILED).then(WIPED)
        told = told.with_columns(_first_after(found, wiped, or_at=True).alias("wiped"))
        told = told.with_columns(pl.coalesce("wiped", "next").alias("next"))
    if made.is_strict:
        broken = begins.search_sorted(found[LIMIT].fill_null(0)).cast(pl.UInt32)
        is_broken = (pl.col(LIMIT) < pl.col(END)).fill_null(value=False)
        sooner = pl.min_horizontal("next", pl.when(is_broken).then("broken"))
        told = told.with_columns(broken.alias("broken")).with_columns(sooner.alias("next"))
    is_done = pl.col(f"row.{len(made.steps) - 1}").is_not_null()
    following = pl.when(is_done).then("after").otherwise("next").alias("next")
    places = told.select(following, UID)
    # One past the end is nobody's.
    whose = pl.concat([places[UID], pl.Series([None], dtype=places.schema[UID])])
    own = whose.gather(places["next"]).alias("whose")
    same = pl.when(pl.col("whose") == pl.col(UID)).then("next")
    return places.with_columns(own).select(same).to_series()


def _expired(found: pl.DataFrame, journeys: Journeys) -> pl.Series:
    """The place of the subject's first attempt after the window of each, or if that is sooner after
    the time of the required step that it waits for, since the last one that it reached.
    """
    made = journeys.made
    ends = [] if made.window is None else [pl.col(TIME) + made.window]
    for before, step in pairwise(made.required):
        if (within := made.within(step)) is not None:
            waits = pl.col(f"row.{before}").is_not_null() & pl.col(f"row.{step}").is_null()
            ends.append(pl.when(waits).then(journeys.at(TIME, found[f"row.{before}"]) + within))
    if not ends:
        return pl.Series([None], dtype=pl.UInt32).new_from_index(0, found.height)
    return _first_after(found, pl.min_horizontal(ends))


def _first_after(found: pl.DataFrame, time: pl.Expr, *, or_at: bool = False) -> pl.Series:
    """The place of the subject's first attempt that begins after some time of each; null of null."""
    times = found.select(UID, TIME).with_row_index("next")
    asked = found.select(UID, time.alias(TIME)).with_row_index("place").sort(TIME)
    told = asked.join_asof(
        times,
        on=TIME,
        by=UID,
        strategy="forward",
        allow_exact_matches=or_at,
        check_sortedness=False,
    )
    return told.sort("place")["next"]
