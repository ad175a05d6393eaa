"""Explain: which attribute values the events of a name have, beside the same name's other events.

The building block of `changes`; the question names a few event names, so little is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.cut import Cut
from store.analytics.findings import turning_point
from store.analytics.links import Links
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import rows_json
from store.schema import INSTANT, PART, SEVERITIES, as_text
from store.timespan import EPOCH, UNITS, TimeSpan, floor

COLUMNS: Final = ("attribute", "value", "count", "share", "share_else", "distinct")
SINCE: Final = "\0since"
"""Stands for the time among the attributes; its value is when the chosen events set in."""
VALUE_CHARS_MAX: Final = 200
_KEYS: Final = ["event_name", "is_chosen", "attribute", "value"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explain(Query):
    """What sets the slow (or all) events of some names apart."""

    analysis: ClassVar[str] = "explain"

    attributes: tuple[str, ...] = option((), "look at these", metavar="ATTR")
    errors_of: tuple[str, ...] = option((), "of these names, only errors", metavar="NAME")
    cell: timedelta = option(timedelta(minutes=1), "how exactly to tell since when")
    slower_than: tuple[tuple[str, float], ...] = option(
        (), "of these names, only events that took longer (ms)", metavar="NAME,MS"
    )


class ExplainAnalysis:
    """Rows for each name and attribute: its most frequent value among the chosen events, its share
    of them, and its share among the name's other events (null without others).
    """

    name = "explain"
    version = 1
    query_type = Explain

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Explain, query)
        slow = ["duration_ms"] if asked.slower_than else []
        errors = ["severity"] if asked.errors_of else []
        return ["event_name", "event_time", *slow, *errors, *asked.attributes]

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        asked = cast(Explain, query)
        types = events.collect_schema()
        texts = [
            as_text(name, types[name]).fill_null("").str.slice(0, VALUE_CHARS_MAX).alias(name)
            for name in asked.attributes
        ]
        time = pl.col("event_time").dt.truncate(cut.width) if cut else pl.lit(None, INSTANT)
        minute = pl.col("event_time").dt.truncate(asked.cell).dt.epoch("us").cast(pl.String)
        named = events.select(
            PART,
            "event_name",
            _is_chosen(asked).alias("is_chosen"),
            time.alias("time"),
            minute.alias(SINCE),
            *texts,
        )
        # One column under another: a row for each event and attribute.
        index = [PART, "time", "event_name", "is_chosen"]
        long = named.unpivot(
            [SINCE, *asked.attributes], index=index, variable_name="attribute", value_name="value"
        )
        return long.group_by(PART, "time", *_KEYS).agg(pl.len().cast(pl.Int64).alias("count"))

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        summed = partials.group_by(_KEYS).agg(pl.col("count").sum())
        return summed.with_columns(time=pl.lit(None, INSTANT)).select(partials.columns)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        since, combined = _since(combined, query), combined.filter(pl.col("attribute") != SINCE)
        over = ["event_name", "is_chosen", "attribute"]
        shares = combined.with_columns(share=pl.col("count") / pl.col("count").sum().over(over))
        chosen = shares.filter("is_chosen").sort("count", "value", descending=[True, False])
        real = pl.col("value").filter(pl.col("value") != "").n_unique()
        best = chosen.group_by("event_name", "attribute", maintain_order=True).agg(
            pl.col("value", "count", "share").first(), real.alias("distinct")
        )
        others = shares.filter(~pl.col("is_chosen"))
        beside = best.join(
            others.select("event_name", "attribute", "value", share_else="share"),
            on=["event_name", "attribute", "value"],
            how="left",
        )
        known = others["event_name"].unique().implode()
        absent = pl.when(pl.col("event_name").is_in(known)).then(0.0)
        told = beside.with_columns(pl.coalesce("share_else", absent).alias("share_else"))
        rows = [
            Row({"event_name": row["event_name"]}, {name: row[name] for name in COLUMNS})
            for row in told.filter(pl.col("value") != "").iter_rows(named=True)
        ]
        return Finished(Table(COLUMNS, rows + since), events=_events(combined))

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return rows_json(result)


def _events(combined: pl.DataFrame) -> int:
    """How many events there were: each stands once for every attribute."""
    counts = combined.group_by("attribute").agg(pl.col("count").sum())["count"].to_list()
    return max(counts, default=0)


def _since(combined: pl.DataFrame, query: Query) -> list[Row]:
    """A row for each name whose chosen events set in within the span: since when."""
    span, cell = query.span, cast(Explain, query).cell
    if span is None:
        return []
    chosen = combined.filter((pl.col("attribute") == SINCE) & pl.col("is_chosen"))
    start = floor(span.start, cell)
    at = (pl.col("value").cast(pl.Int64) - (start - EPOCH) // UNITS["us"]) // (cell // UNITS["us"])
    counts: dict[str, list[float]] = {}
    for name, place, count in chosen.select("event_name", at, "count").iter_rows():
        cells = counts.setdefault(name, [0.0] * (-(-(span.end - start) // cell)))
        cells[min(max(place, 0), len(cells) - 1)] += count
    whole = TimeSpan(start, start + cell * max(map(len, counts.values()), default=0))
    found = {name: turning_point(cells, whole) for name, cells in counts.items()}
    return [
        Row({"event_name": name}, dict.fromkeys(COLUMNS) | {"attribute": SINCE, "value": since})
        for name, since in found.items()
        if since is not None
    ]


def _is_chosen(query: Explain) -> pl.Expr:
    is_error = (pl.col("severity") >= SEVERITIES["error"]).fill_null(value=False)
    chosen = pl.lit(value=True)
    if query.errors_of:
        of_errors = pl.col("event_name").is_in(query.errors_of)
        chosen = pl.when(of_errors).then(is_error).otherwise(chosen)
    for name, slow_ms in query.slower_than:
        is_slow = (pl.col("duration_ms") > slow_ms).fill_null(value=False)
        chosen = pl.when(pl.col("event_name") == name).then(is_slow).otherwise(chosen)
    return chosen
