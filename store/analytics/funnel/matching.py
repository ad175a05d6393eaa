"""Events to the rows that a funnel keeps: which steps each is, what it excludes, what it breaks."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Final

import polars as pl

from store.analytics.cells import SEVERITY_CLASS, stored_in
from store.analytics.funnel.definition import Definition, Stepped, definition_of
from store.analytics.funnel.steps import ANY, Exclusion, Step
from store.analytics.links import is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.rows import COLUMNS, reduced
from store.schema import as_text, severity_class

STEPS: Final = "steps"
"""A bit for each step that the event is."""
EXCLUDES: Final = "excludes"
"""A bit for each exclusion that it is."""
BREAKS: Final = "breaks"
"""True where it may break a strict run; not there when all events may."""
ID: Final = "id"

Kinds = Mapping[str, pl.DataType]


def key_columns(by: Sequence[str]) -> list[str]:
    """The columns of the breakdown values."""
    return [f"key.{at}" for at in range(len(by))]


def columns(query: Stepped, *, named: bool = False) -> list[str]:
    """What `matched` reads."""
    made = definition_of(query)
    of = subjects.columns(query.per, link=query.link, named=named)
    ids = ["event_id"] if has_ids(query) else []
    found = [*COLUMNS, *of, *made.columns(query.texts), *map(stored_in, query.by), *ids]
    return list(dict.fromkeys(found))


def matched(
    events: pl.LazyFrame,
    query: Stepped,
    *,
    named: bool = False,
    beside: Sequence[pl.Expr] = (),
    all_events: bool = False,
) -> pl.LazyFrame:
    """The partial of a funnel: the events that are a step, an exclusion, or may break a run, or all
    of them; with the values `beside`.
    """
    kinds, made = events.collect_schema(), definition_of(query)
    each_step = [_is(step, kinds) for step in made.steps]
    each_exclusion = [_is(exclusion, kinds) for exclusion in made.exclusions]
    values = [bits(each_step).alias(STEPS), *keys(query.by, kinds)]
    wanted: list[pl.Expr | None] = [*each_step, *each_exclusion]
    if each_exclusion:
        values.append(bits(each_exclusion).alias(EXCLUDES))
    if made.breakers:
        breaks = made.breakers.expr(kinds)
        values.append(breaks.alias(BREAKS))
        wanted.append(breaks)
    elif made.is_strict:
        wanted.append(None)
    if named and query.per == subjects.USER and kinds.get("install_id", pl.Null()) != pl.Null:
        # These tell the names of devices' users.
        wanted.append(is_given("user_id") & is_given("install_id"))
    if has_ids(query):
        values.append(pl.col("event_id").alias(ID))
    return reduced(
        events,
        None if all_events else _any(made, wanted, named=named),
        [*values, *beside],
        per=query.per,
        link=query.link,
        named=named,
    )


def bits(each: Sequence[pl.Expr | None]) -> pl.Expr:
    """A number with a bit for each that is true; None is always true."""
    kind = pl.UInt8() if len(each) <= 8 else pl.UInt32() if len(each) <= 32 else pl.UInt64()
    nothing, always = pl.lit(0, kind), sum(1 << at for at, one in enumerate(each) if one is None)
    tested = [
        pl.when(one).then(pl.lit(1 << at, kind)).otherwise(nothing)
        for at, one in enumerate(each)
        if one is not None
    ]
    return reduce(or_, tested, pl.lit(always, kind))


def keys(by: Sequence[str], kinds: Kinds) -> list[pl.Expr]:
    """The breakdown values as text; a missing one is empty."""
    return [_text(name, kinds).fill_null("").alias(f"key.{at}") for at, name in enumerate(by)]


def _text(name: str, kinds: Kinds) -> pl.Expr:
    if name == SEVERITY_CLASS:
        return severity_class()
    return as_text(name, kinds[name])


def has_ids(query: Stepped) -> bool:
    """Whether event ids are among the rows. They decide between events of one instant that are the
    same steps and differ in their breakdown values: of steps that must be the first, at once.
    """
    is_first = any(step.first_time for step in definition_of(query).steps)
    return query.with_ids or (bool(query.by) and query.attribution != "all" and is_first)


def _is(what: Step | Exclusion, kinds: Kinds) -> pl.Expr | None:
    """Whether an event is it; None: all are."""
    named = None if what.name == ANY else pl.col("event_name") == what.name
    if not what.where:
        return named
    fits = what.where.expr(kinds)
    return fits if named is None else named & fits


def _any(made: Definition, wanted: Sequence[pl.Expr | None], *, named: bool) -> pl.Expr | None:
    """Any of them; said by name where that is all, which reaches the file. None: all events."""
    told = [one for one in wanted if one is not None]
    if len(told) < len(wanted):
        return None
    all_of: list[Step | Exclusion] = [*made.steps, *made.exclusions]
    some = reduce(or_, told)
    if named or made.breakers or any(each.name == ANY for each in all_of):
        return some
    is_named = pl.col("event_name").is_in(sorted({each.name for each in all_of}))
    return is_named & some if any(each.where for each in all_of) else is_named
