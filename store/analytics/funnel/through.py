"""Attempts through one step: one for each event that is it, for whose value counts there."""

import polars as pl

from store.analytics.funnel.attempts import attempts, in_turn, judged
from store.analytics.funnel.journeys import END, FIRST, ROW, UID, Journeys, is_step
from store.analytics.funnel.timely import BEGIN, FIXED, start_before, starts_of, traced
from store.analytics.ordered.rows import TIME


def attempts_through(journeys: Journeys, start: int, end: int, *, now: int | None) -> pl.DataFrame:
    """As `attempts` gives them, but one for each event of the step `made.at_step`: from the newest start that gets
    there, through this very event, and on.
    """
    made, rows = journeys.made, journeys.rows
    at = made.at_step
    if at == 0 or made.is_strict or made.is_unordered:
        return attempts(journeys, start, end, now=now).filter(pl.col(f"row.{at}").is_not_null())
    through = rows.lazy().filter(is_step(at)).select(UID, END, FIRST, TIME, ROW).collect()
    in_span = (pl.col(TIME) >= start) & (pl.col(TIME) < end)
    newest = starts_of(journeys, is_step(0) & in_span, made.before(at)) if made.is_timed else {}
    if made.is_timed:
        came = start_before(journeys, newest[made.before(at)], made.within(at)).gather(through[ROW])
    else:
        came = _walked_back(through[ROW], journeys, in_span)
    back = through.with_columns(came.alias(BEGIN), rows[TIME].gather(came).alias("begun"))
    back = back.filter(pl.col(BEGIN) >= pl.col(FIRST))
    if made.window is not None:
        back = back.filter(pl.col(TIME) - pl.col("begun") <= made.window)
    back = traced(back, journeys, newest)
    # What begins at one instant begins with the first of its events.
    instants = rows.lazy().filter(is_step(0)).group_by(UID, TIME).agg(pl.col(ROW).min())
    told = (pl.col("begun").alias(TIME), pl.col(ROW).alias(FIXED), pl.col("^to\\..*$"))
    starts = back.lazy().select(UID, END, *told)
    first = starts.join(instants, on=[UID, TIME], how="left", maintain_order="left").collect()
    found = judged(in_turn(first, journeys), journeys, now)
    return found.filter(pl.col(f"row.{at}").is_not_null())


def _walked_back(rows: pl.Series, journeys: Journeys, in_span: pl.Expr) -> pl.Series:
    """The newest start that gets to each row of the step `made.at_step`."""
    made = journeys.made
    for step in reversed([step for step in made.required if step < made.at_step]):
        wanted = is_step(step) & in_span if step == 0 else is_step(step)
        before = pl.when(wanted).then(pl.col(ROW)).forward_fill().shift()
        rows = journeys.rows.select(before).to_series().gather(rows)
    return rows
