"""Profile: how often each attribute has which value. The building block of `compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

import polars as pl

from store import schema
from store.analytics import sketch
from store.analytics.breakdown import key_columns, key_texts
from store.analytics.cells import SEVERITY_CLASS, stored_in
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.query import Query, option
from store.analytics.reducing import finite
from store.analytics.shapes import Finished, Result, Table
from store.schema import PART, as_text
from store.timespan import TimeSpan

VALUE_CHARS_MAX: Final = 200
VALUES_MAX: Final = 5_000
"""Kept of an attribute at last: what is rarer moves a share by less than a five-thousandth."""
_KEYS: Final = ["attribute", "value", "code"]
_VALUE: Final = "\0value"
_GROUP: Final = "group"
_COUNTED: Final[Mapping[str, pl.DataType]] = {
    "attribute": pl.String(),
    "value": pl.String(),
    "code": pl.Int32(),
    "n": pl.Int64(),
    "weight": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile(Query):
    """The values of some attributes."""

    analysis: ClassVar[str] = "profile"

    texts: tuple[str, ...] = option((), "count the values of these", metavar="ATTR")
    measures: tuple[str, ...] = option((), "these are numbers", metavar="ATTR")
    values: tuple[tuple[str, ...], ...] = option((), "tell these of `by` apart", hidden=True)
    one_in: int = option(1, "look at one in so many events, chosen by when and whose they are")


@dataclass(frozen=True, slots=True)
class Profiled(Table):
    """With the counts themselves; `code` and the extremes of a bucket for measures, `value` for
    texts; "" and a null code stand for a missing value.
    """

    frame: pl.DataFrame = field(default_factory=pl.DataFrame)
    groups: Sequence[pl.DataFrame] = ()
    """The same of each of the `values` that were asked for, then of all others."""


class ProfileAnalysis:
    """A row for each attribute and value (of measures: bucket of 2 %), with `n` events, the
    `weight` that they stand for, and `low` and `high`.
    """

    name = "profile"
    version = 1
    rows_max = 20_000_000
    query_type = Profile

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Profile, query)
        own = ["event_time", "sample_rate", *(["subject_hash"] if asked.one_in > 1 else [])]
        texts = (*asked.texts, *asked.by)
        return list(dict.fromkeys([*own, *map(stored_in, texts), *asked.measures]))

    def numbers(self, query: Query) -> Sequence[str]:
        return cast(Profile, query).measures

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked, types = cast(Profile, query), events.collect_schema()
        if asked.one_in == 1:
            return _counts(_placed(events, asked), asked, cut)
        # A few are counted where they are: as many streams as attributes would cost as much again.
        few = events.filter(_is_chosen(asked.one_in)).drop("subject_hash")
        time = {"time": types["event_time"]} if cut else {}
        return few.map_batches(
            lambda found: _counts(_placed(found.lazy(), asked), asked, cut).collect(
                engine="in-memory"
            ),
            schema={PART: types[PART], **_schema(asked), **time},
        )

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return _added(partials, [*_KEYS, *([_GROUP] if query.by else [])])

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        whole = _added(combined, _KEYS) if query.by else combined
        events = whole.group_by("attribute").agg(pl.col("n").sum())["n"].max()
        given = whole.filter(pl.col("value") != "")
        sizes = dict(given.group_by("attribute").len("distinct").rows())
        groups = []
        if query.by:
            parts = combined.partition_by(_GROUP, as_dict=True, include_key=False)
            nothing = combined.drop(_GROUP).clear()
            count = len(cast(Profile, query).values) + 1
            groups = [_most(parts.get((at,), nothing)) for at in range(count)]
        return Finished(
            Profiled((), (), {"distinct": sizes}, _most(whole), groups),
            events=int(cast(int, events or 0)),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return {"rows": cast(Profiled, result).frame.to_dicts()}


def _added(counts: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    sums = [pl.col("n", "weight").sum(), pl.col("low").min(), pl.col("high").max()]
    return counts.group_by(keys).agg(sums)


def _most(counts: pl.DataFrame) -> pl.DataFrame:
    """Of each attribute, the most frequent values."""
    most = counts.sort("n", "value", "code", descending=[True, False, False])
    place = pl.int_range(pl.len()).over("attribute")
    return most.filter((place < VALUES_MAX) | pl.col("value").is_null())


def _schema(asked: Profile) -> dict[str, pl.DataType]:
    return {**_COUNTED, **({_GROUP: pl.Int32()} if asked.by else {})}


def _placed(events: pl.LazyFrame, asked: Profile) -> pl.LazyFrame:
    """With the place of their breakdown values among those asked for; all others have one more."""
    if not asked.by:
        return events
    names = [f"\0{key}" for key in key_columns(asked.by)]
    texts = key_texts(asked.by, events.collect_schema())
    known = pl.DataFrame(asked.values, {name: pl.String() for name in names}, orient="row")
    known = known.with_columns(pl.int_range(pl.len(), dtype=pl.Int32()).alias(_GROUP))
    named = events.with_columns(
        text.fill_null("").alias(name) for name, text in zip(names, texts, strict=True)
    )
    placed = named.join(known.lazy(), on=names, how="left").drop(names)
    return placed.with_columns(pl.col(_GROUP).fill_null(len(asked.values)))


def _counts(events: pl.LazyFrame, asked: Profile, cut: Cut | None) -> pl.LazyFrame:
    types = events.collect_schema()
    keys = [pl.col(PART)]
    keys += [pl.col("event_time").dt.truncate(cut.width).alias("time")] if cut else []
    keys += [pl.col(_GROUP)] if asked.by else []
    weighed = types["sample_rate"] != pl.Null
    weight = pl.col("sample_rate").fill_null(1.0).clip(1.0).sum() if weighed else pl.len()
    sums = [pl.len().cast(pl.Int64).alias("n"), weight.cast(pl.Float64).alias("weight")]
    time = {"time": types["event_time"]} if cut else {}
    found = [pl.LazyFrame(schema={PART: types[PART], **_schema(asked), **time})]
    for name in asked.texts:
        # Of the different values alone is the text made.
        counts = events.group_by(*keys, schema.column(stored_in(name)).alias(_VALUE)).agg(sums)
        text = _text(name, types).alias("value")
        found.append(counts.with_columns(text, attribute=pl.lit(name)).drop(_VALUE))
    for name in asked.measures:
        number = finite(name)
        ends = [number.min().alias("low"), number.max().alias("high")]
        counts = events.group_by(*keys, sketch.bucket(number).alias("code")).agg(*sums, *ends)
        found.append(counts.with_columns(pl.lit(name).alias("attribute")))
    return pl.concat(found, how="diagonal")


def _is_chosen(one_in: int) -> pl.Expr:
    """One in so many events: the same ones however they are stored."""
    mixed = pl.col("event_time").to_physical().hash(seed=5) ^ pl.col("subject_hash").fill_null(0)
    return mixed % one_in == 0


def _text(name: str, types: Mapping[str, pl.DataType]) -> pl.Expr:
    is_class = name == SEVERITY_CLASS
    text = schema.severity_class(_VALUE) if is_class else as_text(_VALUE, types[name])
    return text.fill_null("").str.slice(0, VALUE_CHARS_MAX)
