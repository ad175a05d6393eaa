"""Sessions with all that is told of them: whose they are, and what was in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.breakdown import key_columns
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.ordered import subjects
from store.analytics.ordered.rows import is_sampled
from store.analytics.ordered.subjects import DEVICE, WHO
from store.analytics.query import Query, option
from store.analytics.sessions import values
from store.analytics.sessions.asking import SORTS, Sessions, gap, horizon
from store.analytics.sessions.devices import devices_of
from store.analytics.sessions.pieces import COLUMNS, merged, pieces
from store.analytics.sessions.summary import by_value, sessions_json, summary, with_groups
from store.analytics.shapes import Finished, Result, Row, Table
from store.errors import UsageError
from store.timespan import TimeSpan

SHOWN: Final = (
    *("session_id", "user_id", "start", "end", "events", "errors", "interactions", "components"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Told(Sessions):
    """Sessions, in full."""

    analysis: ClassVar[str] = "sessions-told"

    within: TimeSpan | None = option(None, "where all that is asked for lies", hidden=True)

    def key(self) -> tuple[Any, ...]:
        """What is read of a part is the same wherever it lies."""
        return super(Told, replace(self, within=None)).key()


class ToldAnalysis:
    """The sessions of the span, one after the other; see `store.analytics.sessions.analysis`."""

    name = "sessions-told"
    version = 2
    query_type = Told

    def horizon(self, query: Query) -> TimeSpan | None:
        return cast(Told, query).within or horizon(query)

    def columns(self, query: Query) -> Sequence[str]:
        return list(dict.fromkeys([*COLUMNS, *values.columns(query.by)]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        cell = pl.col("event_time").dt.truncate(cut.width) if cut else None
        by_id = not cast(Sessions, query).ignore_session_id
        return pieces(events, gap(query), cell=cell, by_id=by_id, by=query.by)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials.drop("time", strict=False)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        assert query.span is not None
        asked = cast(Told, query)
        begins = pl.col("start").is_between(query.span.start, query.span.end, closed="left")
        found = merged(combined, gap(query), links).filter(begins)
        found = asked.among.kept(found) if asked.among else found
        shown = _ordered(found, asked).slice(asked.offset, asked.limit)
        if asked.within and _is_nameless(shown, combined, links):
            raise AskAgainError(replace(asked, within=None))
        told = shown.select(SHOWN)
        if query.by:
            told = told.with_columns(_keys(shown, query.by))
        if asked.with_devices:
            told = told.with_columns(devices_of(shown, combined, links))
        rows = [Row({}, row) for row in told.iter_rows(named=True)]
        whole = Table(tuple(told.columns), rows, summary(found))
        return Finished(
            with_groups(whole, list(by_value(found, query)), query),
            events=int(found["events"].sum()),
            sampled=is_sampled(found),
            truncated=found.height > shown.height,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return sessions_json(result)


def _keys(shown: pl.DataFrame, by: Sequence[str]) -> pl.Series:
    """`key` of each session: its breakdown values by the attributes' names."""
    of_name = dict(zip(by, key_columns(by), strict=True))
    texts = values.named(shown).select(pl.col(key).alias(name) for name, key in of_name.items())
    return texts.to_struct("key")


def _ordered(found: pl.DataFrame, asked: Sessions) -> pl.DataFrame:
    """What is equal, the newest first."""
    if asked.sort not in SORTS:
        known = ", ".join(SORTS)
        raise UsageError("sort", f"{asked.sort!r} is none", next_step=f"take one of: {known}")
    first = pl.col("end") - pl.col("start") if asked.sort == "length" else pl.col(asked.sort)
    down = (asked.sort != "user_id") != asked.reverse
    ties = ["start", "session_id", "user_id", "end"]
    return found.sort(first, *ties, descending=[down, True, False, False, False], nulls_last=True)


def _is_nameless(shown: pl.DataFrame, pieces: pl.DataFrame, links: Links) -> bool:
    """Whether a device in one of them has a user whose name is not among these pieces."""
    ids = shown["session_id"].drop_nulls().implode()
    is_shown = pl.col("session_id").is_null() | pl.col("session_id").is_in(ids)
    alone = pieces.filter(is_shown & pl.col(DEVICE))
    alone = alone.select(WHO, DEVICE, pl.col(WHO).alias("device"), "session_id")
    owned = subjects.settled(alone, links).filter(pl.col(WHO) != pl.col("device"))
    is_his = pl.col("session_id").is_not_null() | pl.col(WHO).is_in(shown[WHO].implode())
    named = pieces.filter(pl.col("user_id").is_not_null())[WHO]
    return not owned.filter(is_his)[WHO].is_in(named.implode()).all()
