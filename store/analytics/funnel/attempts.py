"""Attempts: from each first step, the earliest way on from step to step.

The rule to be kept (PostHog's) says it the other way round: "keep for each step the newest chain
that reached it; an event goes on with the newest chain of the step before, if that still is within
the window and has not come here already; an event that is several steps is tried from the highest
down; what counts is the first chain that reached the deepest step". A chain is told by its start:
from there it takes the earliest event of each next step, whatever newer chains do meanwhile. So all
starts are followed at once, and of those that reached the deepest step first the newest counts.
Where steps have times of their own, `store.analytics.funnel.timely` says which events lead on.
"""

import polars as pl

from store.analytics.funnel.definition import Definition
from store.analytics.funnel.journeys import (
    END,
    LIMIT,
    NEXT_INSTANT,
    ROW,
    UID,
    Journeys,
    is_step,
)
from store.analytics.funnel.matching import STEPS
from store.analytics.funnel.timely import (
    DUE,
    FIXED,
    held,
    may_go_on,
    settled,
)
from store.analytics.ordered.rows import TIME

DEPTH = "depth"
LAST = "last"
SPOILED = "is_spoiled"
OPEN = "is_open"
WIPED = "wiped"
"""In any order: when what is excluded next happened after the start."""
_AT, _GOES = "at", "goes"


def attempts(
    journeys: Journeys, start: int, end: int, *, now: int | None, newest: bool = False
) -> pl.DataFrame:
    """A row for each attempt that begins in the span, in the order of their first rows: UID, END,
    `time` of the start, `row.STEP` (null: not reached), DEPTH, LAST (the row of the deepest step),
    SPOILED, OPEN (it may still go on). With `newest` those are left out that cannot be anybody's
    best: begun again before they went on.
    """
    made = journeys.made
    begins = pl.col(STEPS) != 0 if made.is_unordered else is_step(0)
    in_span = (pl.col(TIME) >= start) & (pl.col(TIME) < end)
    first = journeys.rows.lazy().filter(begins & in_span).select(UID, END, TIME, ROW).collect()
    if newest and not (made.is_unordered or made.exclusions):
        first = _newest(first, journeys)
    followed = _any_order(first, journeys) if made.is_unordered else in_turn(first, journeys)
    return judged(followed, journeys, now)


def _newest(first: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """Without what began again, at a later instant, before it went on; each subject's first stays,
    for who never goes on.
    """
    going = [
        journeys.at(f"next.{step}", first[ROW]).alias(f"going.{step}")
        for step in journeys.made.follows(0)
    ]
    again = pl.col(ROW).shift(-1)
    is_same = (pl.col(UID) == pl.col(UID).shift(-1)) & (pl.col(TIME) != pl.col(TIME).shift(-1))
    goes = pl.min_horizontal(*(pl.col(each.name) for each in going), END)
    is_first = (pl.col(UID) != pl.col(UID).shift()).fill_null(value=True)
    kept = is_first | ~(is_same & (again < goes)).fill_null(value=False)
    return first.with_columns(going).filter(kept).select(first.columns)


def in_turn(first: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """The rows of the steps that each start (UID, END, TIME, ROW) comes to, one after another."""
    made = journeys.made
    found = first.rename({ROW: "row.0"}).with_columns(
        pl.col("row.0").alias(_AT), pl.lit(value=True).alias(_GOES)
    )
    if made.is_strict:
        found = found.with_columns(journeys.at("break.0", first[ROW]).alias(LIMIT))
    elif made.is_timed:
        found = settled(found, journeys)
    for at in range(1, len(made.steps)):
        found = _stepped(found, journeys, at)
    if made.is_strict and made.is_timed:
        found = held(found, journeys)
    return found.drop(_AT, _GOES).select(pl.exclude("^to\\..*$"))


def _stepped(found: pl.DataFrame, journeys: Journeys, at: int) -> pl.DataFrame:
    """With `row.AT`."""
    made, here = journeys.made, f"row.{at}"
    coming = _coming(found, journeys, at)
    found = found.with_columns(coming.alias(here), journeys.at(TIME, coming).alias("then"))
    valid = pl.col(_GOES) & (pl.col(here) < pl.col(END))
    if made.window is not None:
        valid &= pl.col("then") - pl.col(TIME) <= made.window
    if made.is_strict:
        valid &= (pl.col(here) < pl.col(LIMIT)).fill_null(value=True)
    if FIXED in found.columns and at < made.at_step:
        valid &= pl.col(here) < pl.col(FIXED)
    before = found[f"row.{made.before(at)}"]
    if made.within(at) is not None and not made.is_strict:
        valid &= pl.col("then") - journeys.at(TIME, before) <= made.within(at)
    if made.steps[at].optional:
        for rival in made.follows(at):
            other = _coming(found, journeys, rival)
            if (within := made.within(rival)) is not None:
                # What comes too late is none.
                in_time = journeys.at(TIME, other) - journeys.at(TIME, before) <= within
                other = pl.select(pl.when(in_time).then(other)).to_series()
            found = found.with_columns(other.alias(f"rival.{rival}"))
            # One event that is both is the later step.
            valid &= (pl.col(here) < pl.col(f"rival.{rival}")).fill_null(value=True)
    goes = pl.col(_GOES) if made.steps[at].optional else pl.col(here).is_not_null()
    found = found.with_columns(pl.when(valid).then(here).alias(here)).with_columns(
        pl.coalesce(here, _AT).alias(_AT), goes.alias(_GOES)
    )
    if made.is_strict:
        limit = pl.when(pl.col(here).is_not_null()).then("then_limit").otherwise(LIMIT)
        limits = journeys.at(f"break.{at}", found[here]).alias("then_limit")
        found = found.with_columns(limits).with_columns(limit.alias(LIMIT))
    return found.select(pl.exclude("^rival.*$", "then", "then_limit"))


def _coming(found: pl.DataFrame, journeys: Journeys, at: int) -> pl.Series:
    """The next event of a step; where it was settled which one that is, this very one."""
    if FIXED in found.columns and at == journeys.made.at_step:
        return found[FIXED]
    coming = journeys.at(f"next.{at}", found[_AT])
    if f"to.{at}" not in found.columns:
        return coming
    return pl.select(pl.coalesce(found[f"to.{at}"], coming)).to_series()


def _any_order(first: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """The rows of the first, second, … step that each start comes to, whichever they are."""
    made = journeys.made
    count = len(made.steps)
    here = first[ROW]
    found = first.rename({ROW: "row.0"}).with_columns(
        pl.lit(0, pl.UInt64).alias("done"), journeys.at(STEPS, here).alias("steps")
    )
    found = found.with_columns(
        _excluded_time(journeys, at, here).alias(f"wiped.{at}")
        for at in range(len(made.exclusions))
    )
    wiped = [pl.col(f"wiped.{at}") for at in range(len(made.exclusions))]
    limit = [pl.col(TIME) + made.window] if made.window is not None else []
    found = found.with_columns(
        pl.min_horizontal(*wiped, pl.lit(None, pl.Int64)).alias(WIPED),
        pl.min_horizontal(*wiped, *limit, pl.lit(None, pl.Int64)).alias(LIMIT),
        _highest(count).alias("done"),
    )
    for at in range(1, count):
        found = found.with_columns(
            journeys.at(f"next.{step}", here).alias(f"coming.{step}") for step in range(count)
        )
        coming = [
            pl.when(pl.col("done") & (1 << step) == 0).then(f"coming.{step}")
            for step in range(count)
        ]
        found = found.with_columns(pl.min_horizontal(coming).alias("next"))
        times = journeys.at(TIME, found["next"])
        found = found.with_columns(times.alias("then"))
        late = (pl.col("then") > pl.col(LIMIT)).fill_null(value=False)
        valid = (pl.col("next") < pl.col(END)) & ~late
        found = found.with_columns(pl.when(valid).then("next").alias(f"row.{at}"))
        here = found[f"row.{at}"]
        steps = journeys.at(STEPS, here)
        found = found.with_columns(steps.fill_null(0).alias("steps"))
        found = found.with_columns(_highest(count).alias("done"))
    return found.select(UID, END, TIME, WIPED, *(f"row.{at}" for at in range(count)))


def _highest(count: int) -> pl.Expr:
    """The steps that are done, with the highest open one that the event is."""
    done, steps = pl.col("done"), pl.col("steps").cast(pl.UInt64)
    filled = pl.lit(0, pl.UInt64)
    for step in range(count):
        bit = pl.lit(1 << step, pl.UInt64)
        filled = pl.when((steps & bit != 0) & (done & bit == 0)).then(bit).otherwise(filled)
    return done | filled


def judged(found: pl.DataFrame, journeys: Journeys, now: int | None) -> pl.DataFrame:
    """The attempts followed, with DEPTH, LAST, SPOILED and OPEN."""
    made = journeys.made
    rows = [f"row.{at}" for at in range(len(made.steps))]
    depth = pl.max_horizontal(
        pl.when(pl.col(name).is_not_null()).then(pl.lit(at + 1, pl.Int32))
        for at, name in enumerate(rows)
    )
    found = found.with_columns(
        depth.alias(DEPTH), pl.coalesce(*reversed(rows)).alias(LAST), _spoiled(found, journeys)
    )
    if made.is_unordered:
        # What was wiped out is nothing any more: whatever else he did is deeper.
        found = found.with_columns(pl.when(SPOILED).then(0).otherwise(DEPTH).alias(DEPTH))
    is_open = _is_open(found, journeys, now)
    return found.with_columns(is_open.alias(OPEN)).drop(FIXED, DUE, strict=False)


def _is_open(found: pl.DataFrame, journeys: Journeys, now: int | None) -> pl.Expr:
    made = journeys.made
    if now is None or made.longest is None:
        return pl.lit(value=False)
    is_open = ~pl.col(SPOILED)
    if made.window is not None:
        is_open &= pl.col(TIME) + made.window >= now
    if made.is_strict:
        is_open &= (pl.col(LIMIT) >= pl.col(END)).fill_null(value=True)
    if made.is_timed and made.is_strict:
        is_open &= pl.col(DUE) >= now
    elif made.is_timed:
        is_open &= pl.lit(may_go_on(journeys, now).gather(found["row.0"]))
    return is_open


def _spoiled(found: pl.DataFrame, journeys: Journeys) -> pl.Series:
    """Whether what is excluded happened in its place."""
    made = journeys.made
    if made.is_unordered:
        wiped = pl.col(WIPED).is_not_null() & pl.col(f"row.{len(made.steps) - 1}").is_null()
        if made.window is not None:
            wiped &= pl.col(WIPED) - pl.col(TIME) <= made.window
        return found.select(wiped.fill_null(value=False).alias(SPOILED)).to_series()
    spoiled = pl.repeat(False, found.height, dtype=pl.Boolean, eager=True)
    for number, exclusion in enumerate(made.exclusions):
        after = found.select(_reached(made, exclusion.after - 1, backward=True)).to_series()
        before = found.select(_reached(made, exclusion.before - 1, backward=False)).to_series()
        when = _excluded_time(journeys, number, after).alias("x")
        done = journeys.at(TIME, before).alias("done")
        told = found.select(TIME).with_columns(when, done)
        hit = pl.col("x").is_not_null() & (pl.col("x") < pl.col("done")).fill_null(value=True)
        if made.window is not None:
            hit &= pl.col("x") - pl.col(TIME) <= made.window
        spoiled |= told.select(hit.fill_null(value=False)).to_series()
    return spoiled.alias(SPOILED)


def _reached(made: Definition, at: int, *, backward: bool) -> pl.Expr:
    """The row of a step; where an optional one was left out, of the one done before, or after."""
    found = [f"row.{at}"]
    while made.steps[at].optional:
        at += -1 if backward else 1
        if at >= len(made.steps):
            break
        found.append(f"row.{at}")
    return pl.coalesce(*found)


def _excluded_time(journeys: Journeys, number: int, rows: pl.Series) -> pl.Series:
    """When what is excluded next happens to the subject after the instants of these rows."""
    later = journeys.at(NEXT_INSTANT, rows)
    excluded = journeys.at(f"excluded.{number}", later)
    frame = pl.DataFrame(
        {
            "row": excluded,
            "end": journeys.at(END, rows),
            "time": journeys.at(TIME, excluded),
        }
    )
    return frame.select(pl.when(pl.col("row") < pl.col("end")).then("time")).to_series()
