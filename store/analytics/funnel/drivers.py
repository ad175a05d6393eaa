"""Drivers: what those who converted did, or were, that the others did not."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.breakdown import (
    Group,
    broken_down,
    broken_down_json,
    key_columns,
    labels,
    ranked,
)
from store.analytics.changes import telling_attributes
from store.analytics.cut import Cut
from store.analytics.funnel.analysis import chosen_of
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import DEPTH, OPEN
from store.analytics.funnel.attribution import touched
from store.analytics.funnel.definition import Stepped, between, horizon
from store.analytics.funnel.did import NAME, Begun, Did, Named, People, counted
from store.analytics.funnel.journeys import is_settled, is_step
from store.analytics.funnel.matching import STEPS, columns, has_ids, matched
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import USER, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Answer, Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.errors import UsageError
from store.schema import as_text
from store.timespan import TimeSpan

SEEN_SHARE: Final = 0.02
SEEN_MOST: Final = 25
"""What fewer did than this share of all, but never more than so many, says nothing."""
OF: Final = ("events", "attributes")
VALUE_CHARS_MAX: Final = 200
_HAD: Final = {
    **dict.fromkeys(("attribute", "value"), pl.String()),
    **dict.fromkeys(("converted", "not_converted"), pl.Int64()),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Drivers(Stepped):
    """What sets those who converted apart."""

    analysis: ClassVar[str] = "drivers"
    compares: ClassVar[bool] = False

    of: str = option("events", "what they did, or which values they had", choices=OF)
    from_step: int = option(1, "of those who came to this step", metavar="I")
    to_step: int | None = option(None, "who came to this one; the last", metavar="J")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen(Drivers):
    """The same, with the attributes to look at."""

    analysis: ClassVar[str] = "drivers-seen"

    attributes: tuple[str, ...] = option((), "look at these", metavar="ATTR")

    def key(self) -> tuple[Any, ...]:
        return (*super(Seen, self).key(), self.of, self.attributes)


class DriversAnalysis:
    """Rows by how far the odds ratio is from 1, either way: `((s+1)(F-f+1)) / ((S-s+1)(f+1))` for s
    of S converted and f of F others.

    Of events: what happened after the first step and up to the last, or for who did not get there up
    to the window's end, without the steps themselves. Of attributes: those of the event that was
    the first step. Who may still get there is neither. `from_step` and `to_step` stand for the first
    step and the last. Broken down, the same within each value that people had on their steps, those
    that most began first.
    """

    name = "drivers"
    query_type = Drivers

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished]:
        asked = cast(Drivers, query)
        if asked.of not in OF:
            raise UsageError("of", f"{asked.of!r} is none", next_step=f"take {', '.join(OF)}")
        _reach(asked)
        _check_breakdown(asked)
        own = {part.name: getattr(asked, part.name) for part in fields(asked)}
        if asked.of == "attributes":
            # Who it is says nothing about why.
            whose = (USER, asked.per)
            names = tuple(name for name in telling_attributes(types) if name not in whose)
            (told,) = yield [Seen(**own, attributes=names)]
            return Finished(
                told.result, told.events_scanned, told.sampled, told.exact, told.truncated
            )
        (began,) = yield [Seen(**own)]
        begun = cast(Begun, began.result)
        assert begun.people is not None
        common = {part.name: own[part.name] for part in fields(Stepped)} | {"by": ()}
        (did,) = yield [Did(**common, people=begun.people)]
        counts = cast(Named, did.result).frame
        found = _answer(counts, begun.people.frame, begun.values, [NAME], asked)
        scanned = began.events_scanned + did.events_scanned
        return replace(found, events=scanned, sampled=began.sampled or did.sampled)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return broken_down_json(result, flat_rows_json)


class SeenAnalysis:
    """Who began, and how it went; of attributes, the answer."""

    name = "drivers-seen"
    version = 1
    query_type = Seen
    rows_max = kept.ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        return horizon(cast(Stepped, query))

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Seen, query)
        return list(dict.fromkeys([*columns(asked), *asked.attributes]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = cast(Seen, query)
        kinds = events.collect_schema()
        values = [
            as_text(name, kinds[name]).str.slice(0, VALUE_CHARS_MAX).alias(f"of.{at}")
            for at, name in enumerate(asked.attributes)
        ]
        return matched(events, asked, beside=values)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        asked = cast(Seen, query)
        found = asked_of(combined, asked, links)
        if asked.by and not (has_ids(asked) or is_settled(found.journeys, key_columns(asked.by))):
            raise AskAgainError(replace(asked, with_ids=True))
        people, values = _grouped(_people(found, asked), asked)
        whole = Finished(
            Begun((), (), people=People(people, links if asked.link else None), values=values),
            events=combined.height - combined[WHO].null_count(),
            sampled=kept.is_sampled(combined),
        )
        if asked.of == "events":
            return whole
        counts = _had(found, people, asked)
        told = _answer(counts, people, values, ["attribute", "value"], asked)
        return replace(whole, result=told.result, truncated=told.truncated)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)


def _check_breakdown(asked: Drivers) -> None:
    if asked.by and asked.attribution not in ("first", "last"):
        raise UsageError(
            "attribution",
            f"{asked.attribution!r} gives somebody several values, and drivers need one",
            next_step="take first or last, or filter with where",
        )


def _people(asked: Asked, query: Drivers) -> pl.DataFrame:
    """WHO, `is_converted`, and the time to look at: `begun` and `ended`, and the values that they
    are broken down by. Without those who may still get there.
    """
    once = replace(asked.journeys.made, by_attempt=False)
    journeys = replace(asked.journeys, made=once)
    before, to = _reach(query)
    last, begun = pl.col(f"time.{to}"), pl.col(f"time.{before}")
    longest = once.until(to)
    end = pl.lit(None, pl.Int64) if longest is None else pl.col(kept.TIME) + longest
    chosen = chosen_of(replace(asked, journeys=journeys))
    keys = key_columns(query.by)
    chosen = touched(journeys, chosen, keys) if keys else chosen
    may_still = pl.col(OPEN) & (pl.col(DEPTH) <= to)
    return (
        chosen.with_columns(journeys.at(WHO, chosen["row.0"]).alias(WHO))
        .filter(begun.is_not_null() & (last.is_not_null() | ~may_still))
        .select(
            WHO,
            last.is_not_null().alias("is_converted"),
            begun.alias("begun"),
            pl.coalesce(last, end, pl.lit(2**62)).alias("ended"),
            *keys,
        )
    )


def _grouped(people: pl.DataFrame, query: Drivers) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """With the `group` in the place of the values, and what the groups are."""
    keys = key_columns(query.by)
    if not keys:
        return people, None
    values = ranked(people.group_by(keys).len("size"), query.limit)
    return people.join(values, on=keys).drop(keys), values


def _reach(asked: Drivers) -> tuple[int, int]:
    return between(asked, asked.from_step, asked.to_step)


def _had(asked: Asked, people: pl.DataFrame, query: Seen) -> pl.DataFrame:
    """How many were what when they began: `attribute`, `value`, `converted`, `not_converted`, where
    there are groups by `group`.
    """
    time = pl.col(kept.TIME).to_physical()
    within = asked.rows.lazy().join(people.lazy(), on=WHO)
    began = pl.col(STEPS) != 0 if asked.journeys.made.is_unordered else is_step(_reach(query)[0])
    first = within.filter(began & (time == pl.col("begun"))).collect()
    group = [name for name in people.columns if name == "group"]
    found = [pl.DataFrame(schema={**{name: people.schema[name] for name in group}, **_HAD})]
    for at, name in enumerate(query.attributes):
        value = pl.col(f"of.{at}").alias("value")
        named = pl.lit(name).alias("attribute")
        valued = first.select(*group, WHO, "is_converted", value, named)
        once = valued.filter(pl.col("value").str.len_bytes() > 0).unique()
        found.append(once.group_by(*group, "attribute", "value").agg(counted()))
    return pl.concat(found)


def _answer(
    counts: pl.DataFrame,
    people: pl.DataFrame,
    values: pl.DataFrame | None,
    keys: Sequence[str],
    asked: Drivers,
) -> Finished:
    """What tells most, of all, and within each group where there are some."""
    if values is None:
        return _table(counts, people, keys, asked.limit)
    sums = counts.group_by(keys).agg(pl.col("converted", "not_converted").sum())
    whole = _table(sums, people, keys, asked.limit)
    if "attribute" in keys:
        # Within one of its values, an attribute says nothing.
        counts = counts.filter(~pl.col("attribute").is_in(asked.by))
    tables = []
    for at, (key, folded) in enumerate(labels(values, asked)):
        is_mine = pl.col("group") == at
        own = counts.filter(is_mine).drop("group")
        told = _table(own, people.filter(is_mine), keys, asked.limit)
        tables.append(Group(key, cast(Table, told.result), folded))
    return replace(whole, result=broken_down(cast(Table, whole.result), tables))


def _table(counts: pl.DataFrame, people: pl.DataFrame, keys: Sequence[str], limit: int) -> Finished:
    """What tells most first; `counts` are of `keys`."""
    converted = int(people["is_converted"].sum())
    others = people.height - converted
    least = min(SEEN_MOST, SEEN_SHARE * people.height)
    did, did_too = pl.col("converted"), pl.col("not_converted")
    odds = ((did + 1) * (others - did_too + 1)) / ((converted - did + 1) * (did_too + 1))
    told = counts.filter(did + did_too >= least).with_columns(odds.alias("odds_ratio"))
    far = pl.col("odds_ratio").log().abs().round(9)
    order = [far, pl.col("odds_ratio"), *map(pl.col, keys)]
    told = told.sort(order, descending=[True, True, *[False] * len(keys)])
    rows = [Row({}, row) for row in told.head(limit).iter_rows(named=True)]
    summary = {"converted": converted, "not_converted": others}
    return Finished(Table(tuple(told.columns), rows, summary), truncated=told.height > limit)
