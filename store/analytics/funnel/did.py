"""Did: what those who began did meanwhile. Parts are reduced to who did what, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.cut import Cut
from store.analytics.funnel.definition import Stepped, horizon
from store.analytics.funnel.matching import STEPS, columns, matched
from store.analytics.links import Links
from store.analytics.ordered import rows as kept
from store.analytics.ordered.subjects import DEVICE, WHO
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Table
from store.schema import PART
from store.timespan import TimeSpan

NAME: Final = "event_name"
_PERSON: Final = "person"


class People:
    """Those who began, and when to look at them; told apart from others by what it holds."""

    def __init__(self, people: pl.DataFrame, links: Links | None) -> None:
        """`people`: WHO, `is_converted`, `begun` and `ended` in microseconds, perhaps `group`. Events of devices
        that `links` knows are their users'.
        """
        self.frame = people
        is_device = pl.lit(value=False).alias(DEVICE)
        own = people.select(pl.col(WHO).alias(_PERSON), WHO, is_device)
        self._keys = _with_devices(own, links) if links else own
        sums = (int(frame.hash_rows(seed=5).sum()) for frame in (self.frame, self._keys))
        self._name = f"People({self.frame.height}, {', '.join(map(str, sums))})"

    def __repr__(self) -> str:
        """It is part of the key of what is kept."""
        return self._name

    def of(self, events: pl.LazyFrame) -> pl.LazyFrame:
        """The events (WHO, perhaps DEVICE, TIME) of these people while they were under way, each with
        its `person`.
        """
        has_devices = DEVICE in events.collect_schema()
        keys = self._keys if has_devices else self._keys.filter(~pl.col(DEVICE)).drop(DEVICE)
        own = keys.join(self.frame.rename({WHO: _PERSON}), on=_PERSON)
        joined = events.join(own.lazy(), on=[WHO, DEVICE] if has_devices else [WHO])
        time = pl.col(kept.TIME).to_physical()
        return joined.filter((time > pl.col("begun")) & (time <= pl.col("ended")))


def _with_devices(own: pl.DataFrame, links: Links) -> pl.DataFrame:
    # Asked for by all of them, so that a new one makes the answer another.
    linked = links.of(links.frame["device"])
    alone = own.join(linked, left_on=WHO, right_on="device", how="anti")
    theirs = linked.join(own, left_on="user", right_on=WHO)
    theirs = theirs.select(_PERSON, pl.col("device").alias(WHO))
    is_device = pl.lit(value=True).alias(DEVICE)
    return pl.concat(
        [own, *(each.with_columns(is_device) for each in (alone, theirs))], how="diagonal"
    )


@dataclass(frozen=True, slots=True)
class Begun(Table):
    """With who they are."""

    people: People | None = None
    values: pl.DataFrame | None = None
    """What the groups of people are: `breakdown.ranked`."""


@dataclass(frozen=True, slots=True)
class Named(Table):
    """With how many did what: NAME, perhaps `group`, `converted`, `not_converted`."""

    frame: pl.DataFrame = field(default_factory=pl.DataFrame)


@dataclass(frozen=True, kw_only=True, slots=True)
class Did(Stepped):
    """What people did."""

    analysis: ClassVar[str] = "drivers-did"
    compares: ClassVar[bool] = False

    people: People | None = option(None, "these", hidden=True)

    def key(self) -> tuple[Any, ...]:
        return (*super(Did, self).key(), repr(self.people))


class DidAnalysis:
    """How many of the people did what, each once, without the steps themselves."""

    name = "drivers-did"
    version = 1
    query_type = Did
    rows_max = kept.ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        return horizon(cast(Stepped, query))

    def columns(self, query: Query) -> Sequence[str]:
        return list(dict.fromkeys([*columns(cast(Did, query)), NAME]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = cast(Did, query)
        assert asked.people is not None
        name = pl.col(NAME).alias("of")
        rows = matched(events, asked, beside=[name], all_events=True).filter(pl.col(STEPS) == 0)
        there = rows.collect_schema()
        held = [pl.col(PART)] if there[PART] != pl.Null else []
        cell = [pl.col(kept.TIME).dt.truncate(cut.width).alias("time")] if cut else []
        sampled = [pl.col(kept.SAMPLED).any()] if kept.SAMPLED in there else []
        found = asked.people.of(rows).group_by(*held, *cell, _PERSON, "of")
        return found.agg(pl.col("is_converted").first(), pl.len().alias("n"), *sampled)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        sampled = [pl.col(kept.SAMPLED).any()] if kept.SAMPLED in partials.columns else []
        found = partials.lazy().group_by(_PERSON, "of")
        sums = (pl.col("is_converted").first(), pl.col("n").sum())
        return found.agg(*sums, *sampled).collect()

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        people = cast(Did, query).people
        assert people is not None
        keys = [name for name in ("group",) if name in people.frame.columns]
        of = people.frame.select(pl.col(WHO).alias(_PERSON), *keys)
        placed = combined.join(of, on=_PERSON) if keys else combined
        counts = placed.group_by(*keys, pl.col("of").alias(NAME)).agg(counted())
        return Finished(
            Named((), (), frame=counts),
            events=int(combined["n"].sum()),
            sampled=kept.is_sampled(combined),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return {"rows": cast(Named, result).frame.to_dicts()}


def counted() -> list[pl.Expr]:
    """In a group of people with `is_converted`: how many of them are, and are not."""
    is_converted = pl.col("is_converted")
    return [
        is_converted.sum().cast(pl.Int64).alias("converted"),
        (~is_converted).sum().cast(pl.Int64).alias("not_converted"),
    ]
