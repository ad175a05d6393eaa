"""Releases: versions of services that were not there before; the charts mark them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from store.analytics.cells import Spec
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.measured import is_sampled
from store.analytics.query import Query
from store.analytics.rollups.recipe import Recipe
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import rows_json
from store.schema import INSTANT, PART
from store.timespan import TimeSpan

COLUMNS: Final = ("first_seen", "last_seen", "count", "replaces")
_SERVICE: Final = ["service_name", "service_version"]
_NUMBERS: Final = ("first", "last", "n", "weight")
_CELLS: Final = Spec(by=tuple(_SERVICE), is_timed=False, seen=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Releases(Query):
    """Which new versions of services appeared, and when."""

    analysis: ClassVar[str] = "releases"
    compares: ClassVar[bool] = False
    breaks_down: ClassVar[bool] = False
    instead_of_by: ClassVar[str] = (
        "its rows are versions of services: to see who runs which, ask top --by service_version"
    )


class ReleasesAnalysis:
    """A row for each version first seen in the span, of services that ran another one before;
    looked back is as far as the span is long. `replaces` is the version seen last before it.
    """

    name = "releases"
    version = 2
    query_type = Releases

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span and TimeSpan(query.span.previous().start, query.span.end)

    def columns(self, query: Query) -> Sequence[str]:
        return ["event_time", "sample_rate", *_SERVICE]

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        time = pl.col("event_time")
        versioned = events.filter(pl.col("service_version") != "")
        cell = [time.dt.truncate(cut.width).alias("time")] if cut else []
        found = versioned.group_by(PART, *cell, *_SERVICE).agg(
            time.min().alias("first"),
            time.max().alias("last"),
            pl.len().cast(pl.Int64).alias("n"),
            pl.col("sample_rate").cast(pl.Float64).fill_null(1.0).clip(1.0).sum().alias("weight"),
        )
        named = found.with_columns(pl.col("service_name").fill_null(""))
        timed = named if cut else named.with_columns(time=pl.lit(None, INSTANT))
        # One order of columns, since partials with and without a cut are put below each other.
        return timed.select(PART, "time", *_SERVICE, *_NUMBERS)

    def recipe(self, query: Query) -> Recipe | None:
        return Recipe(_CELLS, made=_partial)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        summed = partials.group_by(_SERVICE).agg(
            pl.col("first").min(), pl.col("last").max(), pl.col("n", "weight").sum()
        )
        timeless = summed.with_columns(time=pl.lit(None, INSTANT))
        return timeless.select(partials.columns)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        start = query.span.start if query.span else None
        ordered = combined.sort("first", "service_version", "service_name")
        before = ordered.with_columns(
            pl.col("service_version").shift().over("service_name").alias("replaces")
        )
        new = before.filter(pl.col("replaces").is_not_null())
        if start is not None:
            new = new.filter(pl.col("first") >= start)
        rows = [
            Row(
                {"service_name": row["service_name"], "service_version": row["service_version"]},
                dict(
                    zip(
                        COLUMNS,
                        (row["first"], row["last"], round(row["weight"]), row["replaces"]),
                        strict=True,
                    )
                ),
            )
            for row in new.iter_rows(named=True)
        ]
        return Finished(Table(COLUMNS, rows), int(combined["n"].sum()), is_sampled(combined))

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _partial(cells: pl.DataFrame) -> pl.DataFrame:
    """The partial out of cells by service and version."""
    named = cells.rename(dict(zip(_CELLS.keys, _SERVICE, strict=True)))
    told = named.filter(pl.col("service_version") != "")
    return told.select(PART, "time", *_SERVICE, *_NUMBERS)
