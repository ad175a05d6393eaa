"""Breakdowns: to whose numbers an attempt belongs.

`first` and `last`: a subject's first (last) value that is not empty on any of his steps, each
attribute by itself. `step:N`: the value at that step; who has several there is under each of them.
`all`: each value is a funnel of its own over the events that have it, exclusions included.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from store.analytics.funnel.attempts import DEPTH, attempts
from store.analytics.funnel.choosing import apart, best
from store.analytics.funnel.definition import Definition
from store.analytics.funnel.journeys import UID, Journeys, journeys_of
from store.analytics.funnel.matching import STEPS, key_columns
from store.analytics.funnel.shares import counts, shares, timed
from store.analytics.funnel.through import attempts_through
from store.analytics.ordered.rows import TIME
from store.analytics.ordered.subjects import WHO
from store.analytics.shapes import StepGroup

PERSON = "person"
"""Who it is; WHO is a value's part of him where each value is a funnel of its own."""


def groups(
    rows: pl.DataFrame,
    journeys: Journeys,
    chosen: pl.DataFrame,
    by: Sequence[str],
    limit: int,
    bounds: Mapping[str, Any],
) -> Sequence[StepGroup]:
    """The steps of each value, those with the most in their first step first; past `limit` folded.

    `rows` are settled, `chosen` the timed attempts that count over all values.
    """
    made, keys = journeys.made, key_columns(by)
    match made.attribution:
        case "all":
            found, held = _each_alone(rows, made, keys, bounds)
        case "step":
            found, held = _at_step(journeys, keys, bounds), journeys
        case _:
            found, held = touched(journeys, chosen, keys), journeys
    return _shown(_with_person(found, held), made, keys, by, limit)


def by_point(
    rows: pl.DataFrame,
    journeys: Journeys,
    by: Sequence[str],
    bounds: Mapping[str, Any],
    point: pl.Expr,
) -> pl.DataFrame:
    """The timed attempts that count for each value and `point` (as a column of that name), with the
    columns of the values and PERSON.
    """
    keys, held = key_columns(by), journeys
    if journeys.made.attribution == "all":
        held = _split(rows, journeys.made, keys, bounds)
    found = _at_points(held, bounds, point, keys)
    if journeys.made.attribution in ("first", "last"):
        found = touched(journeys, found, keys)
    elif journeys.made.attribution == "all":
        found = found.with_columns(held.at(key, found["row.0"]).alias(key) for key in keys)
    return _with_person(timed(found, held), held)


def _at_points(
    journeys: Journeys, bounds: Mapping[str, Any], point: pl.Expr, keys: Sequence[str]
) -> pl.DataFrame:
    """Those that count in each point; `step:N`, also for each value."""
    made = journeys.made
    is_at_step = made.at_step >= 0
    if made.by_attempt:
        found = apart(attempts(journeys, **bounds), journeys)
        found = found.filter(pl.col(f"row.{max(made.at_step, 0)}").is_not_null())
    elif is_at_step:
        found = attempts_through(journeys, **bounds)
    else:
        found = attempts(journeys, **bounds)
    found = found.with_columns(point.alias("point"))
    if is_at_step:
        at = found[f"row.{made.at_step}"]
        found = found.with_columns(journeys.at(key, at).alias(key) for key in keys)
    if made.by_attempt:
        return found
    return best(found, (UID, "point", *(keys if is_at_step else ())))


def touched(journeys: Journeys, chosen: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The chosen attempts, with the subject's first or last values."""
    first = journeys.made.attribution == "first"
    values = [pl.col(key).filter(pl.col(key) != "") for key in keys]
    touched = (
        journeys.rows.lazy()
        .filter(pl.col(STEPS) != 0)
        .group_by(UID)
        .agg((each.first() if first else each.last()) for each in values)
        .with_columns(pl.col(key).fill_null("") for key in keys)
    )
    return chosen.lazy().join(touched, on=UID, how="left", maintain_order="left").collect()


def _at_step(journeys: Journeys, keys: Sequence[str], bounds: Mapping[str, Any]) -> pl.DataFrame:
    made = journeys.made
    found = attempts_through(journeys, **bounds)
    at = found[f"row.{made.at_step}"]
    valued = found.with_columns(journeys.at(key, at).alias(key) for key in keys)
    if made.by_attempt:
        taken = apart(attempts(journeys, **bounds), journeys)
        taken = taken.filter(pl.col(f"row.{made.at_step}").is_not_null())
        at = taken[f"row.{made.at_step}"]
        return timed(taken.with_columns(journeys.at(key, at).alias(key) for key in keys), journeys)
    return timed(best(valued, (UID, *keys)), journeys)


def _each_alone(
    rows: pl.DataFrame, made: Definition, keys: Sequence[str], bounds: Mapping[str, Any]
) -> tuple[pl.DataFrame, Journeys]:
    journeys = _split(rows, made, keys, bounds)
    once = not made.by_attempt
    found = attempts(journeys, **bounds, newest=once)
    chosen = timed(best(found) if once else apart(found, journeys), journeys)
    valued = chosen.with_columns(journeys.at(key, chosen["row.0"]).alias(key) for key in keys)
    return valued, journeys


def _split(
    rows: pl.DataFrame, made: Definition, keys: Sequence[str], bounds: Mapping[str, Any]
) -> Journeys:
    """The journeys of each person's values, each by itself."""
    own = pl.struct(WHO, *keys).hash(seed=7).alias(WHO)
    split = rows.with_columns(pl.col(WHO).alias(PERSON)).with_columns(own)
    return journeys_of(split, made, bounds["start"])


def _with_person(found: pl.DataFrame, journeys: Journeys) -> pl.DataFrame:
    name = PERSON if PERSON in journeys.rows.columns else WHO
    return found.with_columns(journeys.at(name, found["row.0"]).alias(PERSON))


def _shown(
    found: pl.DataFrame, made: Definition, keys: Sequence[str], by: Sequence[str], limit: int
) -> Sequence[StepGroup]:
    counted = found.group_by(keys).agg(counts(made))
    ranked = counted.sort("count.0", *keys, descending=[True, *[False] * len(keys)])
    top = ranked.head(limit)
    told = [
        StepGroup(dict(zip(by, [row[key] for key in keys], strict=True)), shares(row, made))
        for row in top.iter_rows(named=True)
    ]
    if ranked.height > limit:
        rest = once(found.join(top, on=keys, how="anti", nulls_equal=True), made)
        numbers = rest.select(list(counts(made))).row(0, named=True)
        told.append(StepGroup(dict.fromkeys(by, ""), shares(numbers, made), folded=True))
    return told


def once(rest: pl.DataFrame, made: Definition, per: Sequence[str] = (PERSON,)) -> pl.DataFrame:
    """Who is under several of the folded values counts there once, as ever with his best."""
    if made.by_attempt or made.attribution in ("first", "last"):
        return rest
    times = pl.coalesce(*(pl.col(f"time.{at}") for at in reversed(range(len(made.steps)))))
    order = rest.with_columns(times.alias("reached")).sort(
        DEPTH, "reached", TIME, descending=[True, False, True]
    )
    return order.unique(per, keep="first", maintain_order=True)
