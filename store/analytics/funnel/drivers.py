"""Drivers: what those who converted did, or were, that the others did not."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.changes import telling_attributes
from store.analytics.cut import Cut
from store.analytics.funnel.analysis import chosen_of
from store.analytics.funnel.asking import Asked, asked_of
from store.analytics.funnel.attempts import DEPTH, OPEN
from store.analytics.funnel.definition import Stepped, between, horizon
from store.analytics.funnel.did import NAME, Begun, Did, Named, People, counted
from store.analytics.funnel.journeys import is_step
from store.analytics.funnel.matching import STEPS, columns, matched
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
    breaks_down: ClassVar[bool] = False
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
    step and the last.
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
        people = cast(Begun, began.result).people
        assert people is not None
        common = {part.name: own[part.name] for part in fields(Stepped)}
        (did,) = yield [Did(**common, people=people)]
        found = _table(cast(Named, did.result).frame, people.frame, [NAME], asked.limit)
        scanned = began.events_scanned + did.events_scanned
        return replace(found, events=scanned, sampled=began.sampled or did.sampled)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)


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
        people = _people(found, asked)
        whole = Finished(
            Begun((), (), people=People(people, links if asked.link else None)),
            events=combined.height - combined[WHO].null_count(),
            sampled=kept.is_sampled(combined),
        )
        if asked.of == "events":
            return whole
        told = _table(_had(found, people, asked), people, ["attribute", "value"], asked.limit)
        return replace(whole, result=told.result, truncated=told.truncated)

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)


def _people(asked: Asked, query: Drivers) -> pl.DataFrame:
    """WHO, `is_converted`, and the time to look at: `begun` and `ended`. Without those who may
    still get there.
    """
    once = replace(asked.journeys.made, by_attempt=False)
    journeys = replace(asked.journeys, made=once)
    before, to = _reach(query)
    last, begun = pl.col(f"time.{to}"), pl.col(f"time.{before}")
    end = pl.lit(None, pl.Int64) if once.window is None else pl.col(kept.TIME) + once.window
    chosen = chosen_of(replace(asked, journeys=journeys))
    may_still = pl.col(OPEN) & (pl.col(DEPTH) <= to)
    return (
        chosen.with_columns(journeys.at(WHO, chosen["row.0"]).alias(WHO))
        .filter(begun.is_not_null() & (last.is_not_null() | ~may_still))
        .select(
            WHO,
            last.is_not_null().alias("is_converted"),
            begun.alias("begun"),
            pl.coalesce(last, end, pl.lit(2**62)).alias("ended"),
        )
    )


def _reach(asked: Drivers) -> tuple[int, int]:
    return between(asked, asked.from_step, asked.to_step)


def _had(asked: Asked, people: pl.DataFrame, query: Seen) -> pl.DataFrame:
    """How many were what when they began: `attribute`, `value`, `converted`, `not_converted`."""
    time = pl.col(kept.TIME).to_physical()
    within = asked.rows.lazy().join(people.lazy(), on=WHO)
    began = pl.col(STEPS) != 0 if asked.journeys.made.is_unordered else is_step(_reach(query)[0])
    first = within.filter(began & (time == pl.col("begun"))).collect()
    found = [pl.DataFrame(schema=_HAD)]
    for at, name in enumerate(query.attributes):
        value = pl.col(f"of.{at}").alias("value")
        valued = first.select(WHO, "is_converted", value, pl.lit(name).alias("attribute"))
        once = valued.filter(pl.col("value").str.len_bytes() > 0).unique()
        found.append(once.group_by("attribute", "value").agg(counted()))
    return pl.concat(found)


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
