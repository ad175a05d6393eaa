"""Sessions counted: all of them in numbers, and which are the newest, without a text being read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.breakdown import Group, key_columns
from store.analytics.cut import Cut
from store.analytics.links import Links, is_given
from store.analytics.ordered import subjects
from store.analytics.ordered.rows import is_sampled
from store.analytics.ordered.subjects import DEVICE, WHO
from store.analytics.query import Query
from store.analytics.sessions import values
from store.analytics.sessions.asking import Sessions, gap, horizon
from store.analytics.sessions.owners import owner_of
from store.analytics.sessions.pieces import counted, extent, held_together, joined, length_of
from store.analytics.sessions.summary import by_value, summary
from store.analytics.shapes import Finished, Result, Table
from store.schema import PART
from store.timespan import TimeSpan

ROWS_MAX: Final = 20_000_000
"""Pieces of sessions: three gigabytes where they are put in order."""
_IS_HELD: Final = "is_held"
"""True where WHO is a session id, which holds the piece together; absent or null is false."""
_LENGTH: Final = "\0length"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted(Sessions):
    """How many sessions, how long."""

    analysis: ClassVar[str] = "sessions-counted"


@dataclass(frozen=True, slots=True)
class Newest(Table):
    """With those that may be shown: WHO (the subject, or the session id's hash), `start`, `end`."""

    frame: pl.DataFrame = field(default_factory=pl.DataFrame)
    groups: Sequence[Group] = ()
    """Of each breakdown value, all sessions in numbers."""


class CountedAnalysis:
    """The summary of the span's sessions, and the `limit` newest after `offset`; `reverse`, the
    oldest. At one instant perhaps more.
    """

    name = "sessions-counted"
    version = 2
    query_type = Counted
    rows_max = ROWS_MAX

    def horizon(self, query: Query) -> TimeSpan | None:
        return horizon(query)

    def columns(self, query: Query) -> Sequence[str]:
        asked = cast(Counted, query)
        linking = ("user_id", "install_id") if asked.link else ()
        ids = () if asked.ignore_session_id else ("session_id",)
        own = ("event_time", "event_type", "severity", "sample_rate", "subject_hash")
        return list(dict.fromkeys([*own, *linking, *ids, *values.columns(query.by)]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        kinds = events.collect_schema()
        time = pl.col("event_time")
        held = [pl.col(PART)] if kinds[PART] != pl.Null else []
        cell = [time.dt.truncate(cut.width).alias("time")] if cut else []
        by_id = kinds.get("session_id", pl.Null()) != pl.Null
        is_held = is_given("session_id") if by_id else pl.lit(value=False)
        owner = [owner_of(is_held).alias(WHO), is_held.alias(_IS_HELD)] if by_id else [pl.col(WHO)]
        linked = kinds.get("install_id", pl.Null()) != pl.Null
        device = [(~is_given("user_id") & ~is_held).alias(DEVICE)] if linked else []
        number = pl.when(~is_held).then(length_of(time, gap(query))).alias(_LENGTH)
        pieces = (
            events.with_columns(
                pl.col("subject_hash").alias(WHO), *counted(kinds), *values.given(query.by, kinds)
            )
            .filter(is_held | pl.col("subject_hash").is_not_null())
            .group_by(*held, *cell, *owner, *device, number)
            .agg(*extent(time, kinds), *values.firsts(key_columns(query.by)))
        )
        return pieces.drop(_LENGTH)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        flags = [name for name in (_IS_HELD, DEVICE) if name in partials.columns]
        return partials.drop("time", strict=False).with_columns(
            pl.col(flags).fill_null(value=False)
        )

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        assert query.span is not None
        rows = subjects.settled(combined, links)
        begins = pl.col("start").is_between(query.span.start, query.span.end, closed="left")
        found = _whole(rows, query).filter(begins)
        newest = _first(found, cast(Counted, query))
        return Finished(
            Newest((), (), summary(found), newest, list(by_value(found, query))),
            events=int(found["events"].sum()),
            sampled=is_sampled(found),
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return {"summary": dict(cast(Newest, result).summary)}


def _whole(rows: pl.DataFrame, query: Query) -> pl.DataFrame:
    if _IS_HELD not in rows.columns:
        return joined(rows, gap(query))
    by_id = rows.filter(_IS_HELD).group_by(WHO).agg(held_together(rows))
    return pl.concat([by_id, joined(rows.filter(~pl.col(_IS_HELD)), gap(query))])


def _first(found: pl.DataFrame, asked: Counted) -> pl.DataFrame:
    wanted = min(found.height, asked.offset + asked.limit)
    if not wanted:
        return found.clear().select(WHO, "start", "end")
    start = pl.col("start")
    is_first = start <= start.bottom_k(wanted).max()
    if not asked.reverse:
        is_first = start >= start.top_k(wanted).min()
    return found.filter(is_first).select(WHO, "start", "end")
