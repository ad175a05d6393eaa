"""Steps with a time of their own: each must come `within` so long of the required step before it.

Then the earliest event of each step need not lead on: of a@0 b@1 b@5 c@8 with c within 3 only the
second b does. What counts is whether any events make a chain, in order, each in its step's time and
all in the window. Two things keep that from being a search:

- Of two chains to one step, let one begin later and the other end later. Somewhere the second
  overtakes the first; a third chain, the first one's up to there and the second one's from there,
  begins and ends as late as either, and none of its times is longer than theirs. So the newest
  chain to a step has both the newest start and the newest event, and the rule of
  `store.analytics.funnel.attempts` holds, but for this: a repeat of a step goes into the place of
  the event that reached it ("has not come here already" is left out).
- In the same way, of all chains from one start to the deepest step that is reached, those with the
  earliest events of each step are one chain. That is the attempt. To find it, a step's event counts
  only when another that leads on follows in time: that is carried backward, step by step.

Optional steps move none of the required ones: one counts when it comes in its time, between them. In
a strict run what comes too late ends the run, and any repeat of a step may be the one that leads on.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import polars as pl

from store.analytics.funnel.journeys import END, LIMIT, ROW, UID, Journeys, is_step, next_row
from store.analytics.funnel.matching import STEPS
from store.analytics.ordered.rows import TIME

FIXED: Final = "fixed"
"""The row of the step `made.at_step`, where it was settled beforehand."""
BEGIN: Final = "begin"
DUE: Final = "due"
"""Strict: until when what comes next must come."""
_NEVER: Final = 1 << 62


def settled(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """With `to.STEP`: the rows of the required steps up to the last one with a time of its own that
    each attempt comes to; null from there on.
    """
    made = journeys.made
    base, place, since = 0, found["row.0"], found[TIME]
    if FIXED in found.columns:
        is_required = made.at_step in made.required
        base = made.at_step if is_required else made.before(made.at_step)
        place = found[FIXED]
        since = journeys.at(TIME, place if is_required else found.get_column(f"to.{base}", default=found["row.0"]))  # fmt: skip
    steps = [step for step in made.required if step > base]
    known: dict[int, pl.Series] = {}
    for last in reversed([step for step in steps if made.within(step) is not None]):
        ways = _leading(journeys, [step for step in steps if step <= last])
        here, rows = place, {}
        for step, way in ways.items():
            here = rows[step] = way.gather(here)
        came = _came(found, journeys, since, rows)
        for step, row in rows.items():
            told = pl.select(pl.when(came).then(row)).to_series()
            known[step] = pl.select(pl.coalesce(known.get(step, told), told)).to_series()
    return found.with_columns(row.alias(f"to.{step}") for step, row in known.items())


def _came(
    found: pl.DataFrame, journeys: Journeys, since: pl.Series, rows: Mapping[int, pl.Series]
) -> pl.Series:
    """Whether the first of the steps is in its time, and the last in the window."""
    made, (first, *_, last) = journeys.made, (*rows, *rows)
    came = rows[first] < found[END]
    if (within := made.within(first)) is not None:
        came &= journeys.at(TIME, rows[first]) - since <= within
    if made.window is not None:
        came &= journeys.at(TIME, rows[last]) - found[TIME] <= made.window
    return came.fill_null(value=False)


def _leading(journeys: Journeys, steps: Sequence[int]) -> Mapping[int, pl.Series]:
    """For each of the steps, in order: the next row that is it and leads on to the last of them."""
    last = steps[-1]
    found = {last: journeys.rows[f"next.{last}"]}
    for step, after in reversed(list(pairwise(steps))):
        leads = _in_time(journeys, found[after], journeys.made.within(after))
        found[step] = _next(journeys, step, leads)
    return {step: found[step] for step in steps}


def _in_time(journeys: Journeys, coming: pl.Series, within: int | None) -> pl.Series:
    """Of each row: whether one that comes is the same subject's, and in time."""
    fits = coming < journeys.rows[END]
    if within is not None:
        fits &= journeys.at(TIME, coming) - journeys.rows[TIME] <= within
    return fits.fill_null(value=False)


def _next(journeys: Journeys, step: int, fits: pl.Series) -> pl.Series:
    """The next row after each that is the step, and fits."""
    told = journeys.rows.select(ROW, STEPS, fits.alias("fits"))
    return told.select(next_row(is_step(step) & pl.col("fits"))).to_series()


def may_go_on(journeys: Journeys, now: int) -> pl.Series:
    """Of each row as a first step: whether by the steps' own times the last one could still be come
    to, were all that lacks done now.
    """
    made, rows = journeys.made, journeys.rows
    hope = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    for after in reversed(made.required[1:]):
        within = made.within(after)
        if within is None:
            hope = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
            continue
        still = rows[TIME] + within >= now
        if after != made.required[-1]:
            still |= _in_time(journeys, _next(journeys, after, hope), within)
        hope = still
    return hope


def starts_of(journeys: Journeys, begins: pl.Expr, to: int) -> Mapping[int, pl.Series]:
    """For each required step up to one: of each row that is it, the newest start (its row) from
    which it is come to in the steps' times; null where from none.
    """
    found = {0: journeys.rows.select(pl.when(begins).then(ROW)).to_series()}
    for before, step in pairwise(at for at in journeys.made.required if at <= to):
        start = start_before(journeys, found[before], journeys.made.within(step))
        told = journeys.rows.select(STEPS, start.alias(BEGIN))
        found[step] = told.select(pl.when(is_step(step)).then(BEGIN)).to_series()
    return found


def start_before(journeys: Journeys, starts: pl.Series, within: int | None) -> pl.Series:
    """Of each row: the start of the newest row before it that has one, where that is in time."""
    rows = journeys.rows
    has = rows.select(ROW, starts.alias(BEGIN))
    came = pl.when(pl.col(BEGIN).is_not_null()).then(ROW).forward_fill().shift()
    before = has.select(came).to_series()
    fits = journeys.at(UID, before) == rows[UID]
    if within is not None:
        fits &= rows[TIME] - journeys.at(TIME, before) <= within
    told = pl.when(fits).then(starts.gather(before))
    return pl.select(told).to_series()


def last_repeat(journeys: Journeys, begin: int, step: int, end: int) -> int:
    """The last row before `end` that is a required step to which one start comes."""
    starts = starts_of(journeys, pl.col(ROW) == begin, step)[step]
    return int(starts.head(end).is_not_null().arg_true()[-1])


def traced(back: pl.DataFrame, journeys: Journeys, starts: Mapping[int, pl.Series]) -> pl.DataFrame:
    """With `to.STEP`: the earliest rows by which each start (BEGIN, `begun`) comes to the step
    `made.at_step` in ROW.
    """
    made, later, after = journeys.made, back[TIME], journeys.made.at_step
    for step in reversed([at for at in starts if 0 < at < made.at_step]):
        within = made.within(after)
        since = back["begun"] if within is None else later - within
        own = journeys.rows.select(TIME, ROW, starts[step].alias(BEGIN)).drop_nulls()
        own = own.unique([BEGIN, TIME], keep="first", maintain_order=True)
        asked = back.select(BEGIN, since.alias(TIME))
        row = asked.join_asof(own, on=TIME, by=BEGIN, strategy="forward", check_sortedness=False)
        back = back.with_columns(row[ROW].alias(f"to.{step}"))
        later, after = journeys.at(TIME, row[ROW]), step
    return back


# Strict runs


def held(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """Strict runs as far as each step came in time, with the earliest of a step's repeats that
    leads on; what came too late is the LIMIT. With DUE.
    """
    made, count = journeys.made, len(journeys.made.steps)
    newest, goes = found["row.0"], pl.repeat(True, found.height, dtype=pl.Boolean, eager=True)
    found = found.with_columns(_due(journeys, newest, made.within(1) if count > 1 else None))
    for step in range(1, count):
        within, here = made.within(step), found[f"row.{step}"]
        late = pl.repeat(False, found.height, dtype=pl.Boolean, eager=True)
        before = journeys.at(TIME, newest)
        if within is not None:
            late = goes & (journeys.at(TIME, here) - before > within).fill_null(value=False)
        goes = goes & here.is_not_null() & ~late
        limit = pl.when(late).then(here).otherwise(LIMIT)
        kept = pl.when(goes).then(here)
        again = _due(journeys, newest, within)
        newest = _newest_repeat(found, journeys, step, None if within is None else before + within)
        further = made.within(step + 1) if step + 1 < count else None
        due = pl.max_horizontal(_due(journeys, newest, further), again)
        found = found.with_columns(
            limit.alias(LIMIT),
            kept.alias(f"row.{step}"),
            pl.when(goes).then(due).otherwise(DUE).alias(DUE),
        )
    return _earliest(found, journeys)


def _due(journeys: Journeys, newest: pl.Series, within: int | None) -> pl.Series:
    time = journeys.at(TIME, newest)
    return (time * 0 + _NEVER if within is None else time + within).alias(DUE)


def _newest_repeat(
    found: pl.DataFrame, journeys: Journeys, step: int, until: pl.Series | None
) -> pl.Series:
    """The last row of a step before the run goes on, or is broken, that is no later than `until`."""
    ends = [pl.col(f"row.{step + 1}")] if step + 1 < len(journeys.made.steps) else []
    bound = found.select(pl.coalesce(*ends, pl.min_horizontal(LIMIT, END)).alias(ROW)).to_series()
    if until is not None:
        after = _first_at(found, journeys, until, or_at=False)
        bound = pl.select(pl.min_horizontal(bound, after)).to_series()
    own = journeys.rows.lazy().filter(is_step(step)).select(ROW).collect().to_series()
    place = own.search_sorted(bound.fill_null(0)).cast(pl.Int64) - 1
    return own.gather(
        pl.select(pl.when(found[f"row.{step}"].is_not_null()).then(place)).to_series()
    )


def _earliest(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    """From the deepest step back, the earliest repeat of each that leads on."""
    for step in range(len(journeys.made.steps) - 2, 0, -1):
        within, name = journeys.made.within(step + 1), f"row.{step}"
        if within is None:
            continue
        then = journeys.at(TIME, found[f"row.{step + 1}"])
        since = _first_at(found, journeys, then - within, or_at=True)
        own = journeys.rows.lazy().filter(is_step(step)).select(ROW).collect().to_series()
        place = own.search_sorted(pl.select(pl.max_horizontal(since, found[name])).to_series().fill_null(0))  # fmt: skip
        goes = pl.select(pl.when(then.is_not_null()).then(place)).to_series()
        found = found.with_columns(pl.coalesce(own.gather(goes), name).alias(name))
    return found


def _first_at(
    found: pl.DataFrame, journeys: Journeys, times: pl.Series, *, or_at: bool
) -> pl.Series:
    """The subject's first row after some time of each, or at it; null of null, and past the last."""
    rows = journeys.rows.select(UID, TIME, ROW).unique([UID, TIME], keep="first")
    asked = found.select(UID, times.alias(TIME)).with_row_index("place").drop_nulls().sort(TIME)
    told = asked.join_asof(
        rows.sort(TIME),
        on=TIME,
        by=UID,
        strategy="forward",
        allow_exact_matches=or_at,
        check_sortedness=False,
    )
    nothing = pl.Series([None], dtype=rows.schema[ROW]).new_from_index(0, found.height)
    return nothing.scatter(told["place"], told[ROW])
