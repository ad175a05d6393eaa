"""The Protocol is enough: an analysis from outside is cached, cut and grouped like our own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import polars as pl

from store.analytics.query import Query
from store.analytics.shapes import Finished, Row, Table
from store.schema import PART
from store.testing import NOON, journeys, store_of, write
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Longest(Query):
    """The longest event name."""

    analysis: ClassVar[str] = "longest"


class LongestAnalysis:
    """Small, but with all that an analysis has."""

    name = "longest"
    version = 1
    query_type = Longest

    def horizon(self, query):
        return query.span

    def columns(self, query):
        return ["event_time", "event_name"]

    def numbers(self, query):
        return []

    def partial(self, events, query, cut):
        cell = [pl.col("event_time").dt.truncate(cut.width).alias("time")] if cut else []
        length = pl.col("event_name").str.len_chars()
        return events.group_by(PART, *cell).agg(length.max().alias("length"))

    def combine(self, partials, query):
        return partials.select(pl.col("length").max())

    def finish(self, combined, query, links):
        return Finished(Table(("length",), [Row({}, {"length": combined["length"].item()})]))

    def as_json(self, result):
        return {"length": result.rows[0].values["length"]}


def test_an_analysis_from_outside_answers_through_the_store(tmp_path):
    store = store_of(
        tmp_path, journeys(ada="a bbb cc"), journeys(bob="dddd"), analyses=(LongestAnalysis(),)
    )

    def longest(first, last):
        asked = Longest(span=TimeSpan(NOON + first * MINUTE, NOON + last * MINUTE))
        return store.run(asked).result.rows[0].values["length"]

    assert longest(0, 60) == 4
    assert longest(1, 60) == 3
    assert longest(2, 60) == 2
    assert longest(30, 60) is None
    for number in range(20):
        write(tmp_path, journeys(eve="x" * number))
        assert longest(0, 60) == max(4, number)
