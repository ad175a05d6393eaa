"""Profile: how often each attribute has which value. The building block of `compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

import polars as pl

from store import schema
from store.analytics import sketch
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
    one_in: int = option(1, "look at one in so many events, chosen by when and whose they are")


@dataclass(frozen=True, slots=True)
class Profiled(Table):
    """With the counts themselves; `code` and the extremes of a bucket for measures, `value` for
    texts; "" and a null code stand for a missing value.
    """

    frame: pl.DataFrame = field(default_factory=pl.DataFrame)


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
        return list(dict.fromkeys([*own, *map(stored_in, asked.texts), *asked.measures]))

    def numbers(self, query: Query) -> Sequence[str]:
        return cast(Profile, query).measures

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked, types = cast(Profile, query), events.collect_schema()
        if asked.one_in == 1:
            return _counts(events, asked, cut)
        # A few are counted where they are: as many streams as attributes would cost as much again.
        few = events.filter(_is_chosen(asked.one_in)).drop("subject_hash")
        time = {"time": types["event_time"]} if cut else {}
        return few.map_batches(
            lambda found: _counts(found.lazy(), asked, cut).collect(engine="in-memory"),
            schema={PART: types[PART], **_COUNTED, **time},
        )

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        sums = [pl.col("n", "weight").sum(), pl.col("low").min(), pl.col("high").max()]
        return partials.group_by(_KEYS).agg(sums)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        most = combined.sort("n", "value", "code", descending=[True, False, False])
        place = pl.int_range(pl.len()).over("attribute")
        kept = most.filter((place < VALUES_MAX) | pl.col("value").is_null())
        distinct = most.filter(pl.col("value") != "").group_by("attribute").len("distinct")
        events = combined.group_by("attribute").agg(pl.col("n").sum())["n"].max()
        sizes = dict(distinct.rows())
        return Finished(
            Profiled((), (), {"distinct": sizes}, kept), events=int(cast(int, events or 0))
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return {"rows": cast(Profiled, result).frame.to_dicts()}


def _counts(events: pl.LazyFrame, asked: Profile, cut: Cut | None) -> pl.LazyFrame:
    types = events.collect_schema()
    keys = [pl.col(PART)]
    keys += [pl.col("event_time").dt.truncate(cut.width).alias("time")] if cut else []
    weighed = types["sample_rate"] != pl.Null
    weight = pl.col("sample_rate").fill_null(1.0).clip(1.0).sum() if weighed else pl.len()
    sums = [pl.len().cast(pl.Int64).alias("n"), weight.cast(pl.Float64).alias("weight")]
    time = {"time": types["event_time"]} if cut else {}
    found = [pl.LazyFrame(schema={PART: types[PART], **_COUNTED, **time})]
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
