"""Sessions: how many, how long, and the newest of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.query import Query, option
from store.analytics.sessions.devices import devices_of
from store.analytics.sessions.owners import Among
from store.analytics.sessions.pieces import COLUMNS, merged, pieces
from store.analytics.shapes import Finished, Result, Row, Table
from store.analytics.table_json import flat_rows_json
from store.errors import UsageError
from store.timespan import UNITS, TimeSpan, duration_text

GAP: Final = timedelta(minutes=30)
LONGEST: Final = UNITS["d"]
"""How far a session may reach over the edges of the span, to be counted right."""
_SHOWN: Final = ("session_id", "user_id", "start", "end", "events", "errors")
_COUNTS: Final = ("interactions", "components")
SORTS: Final = ("start", "length", "events", "errors", *_COUNTS, "user_id")
"""What sessions can be sorted by: the newest, or those with the most, come first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sessions(Query):
    """What people did in one go."""

    analysis: ClassVar[str] = "sessions"
    breaks_down: ClassVar[bool] = False

    session_gap: timedelta = option(GAP, "a longer silence ends a session")
    ignore_session_id: bool = option(default=False, help_text="split by the gap alone")
    sort: str = option("start", "the newest first, or those with the most", choices=SORTS)
    reverse: bool = option(default=False, help_text="the other way round")
    offset: int = option(0, "leave out the first so many", metavar="N")
    among: Among | None = option(None, "only these", hidden=True)
    with_devices: bool = option(default=False, help_text="whose events they hold", hidden=True)

    def key(self) -> tuple[Any, ...]:
        """Which of them are shown comes at last."""
        every = replace(self, sort="start", reverse=False, offset=0, among=None, with_devices=False)
        return super(Sessions, every).key()


class SessionsAnalysis:
    """A session id holds its events together; without one, a subject's events do while none
    follows the one before by more than the gap. A session belongs to the span in which it starts,
    its length is from its first to its last event; one of a single event has `bounced`, and is
    left out of the median. Rows are the newest sessions, or the first by `sort`, `limit` of them
    after the first `offset`; `with_devices`, with `devices`: whose events belong to a session
    though they name no user (none where an id holds it together).
    """

    name = "sessions"
    version = 1
    query_type = Sessions

    def horizon(self, query: Query) -> TimeSpan | None:
        gap(query)
        return query.span and TimeSpan(query.span.start - LONGEST, query.span.end + LONGEST)

    def columns(self, query: Query) -> Sequence[str]:
        return COLUMNS

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        cell = pl.col("event_time").dt.truncate(cut.width) if cut else None
        by_id = not cast(Sessions, query).ignore_session_id
        return pieces(events, gap(query), cell=cell, by_id=by_id)

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials.drop("time", strict=False)

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        assert query.span is not None
        asked = cast(Sessions, query)
        begins = pl.col("start").is_between(query.span.start, query.span.end, closed="left")
        found = merged(combined, gap(query), links).filter(begins)
        found = asked.among.kept(found) if asked.among else found
        shown = _ordered(found, asked).slice(asked.offset, asked.limit)
        told = shown.select(*_SHOWN, *_COUNTS)
        if asked.with_devices:
            told = told.with_columns(devices_of(shown, combined, links))
        return Finished(
            Table(
                tuple(told.columns),
                [Row({}, row) for row in told.iter_rows(named=True)],
                summary(found),
            ),
            events=int(found["events"].sum()),
            truncated=found.height > shown.height,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)


def _ordered(found: pl.DataFrame, asked: Sessions) -> pl.DataFrame:
    """What is equal, the newest first."""
    if asked.sort not in SORTS:
        known = ", ".join(SORTS)
        raise UsageError("sort", f"{asked.sort!r} is none", next_step=f"take one of: {known}")
    first = pl.col("end") - pl.col("start") if asked.sort == "length" else pl.col(asked.sort)
    down = (asked.sort != "user_id") != asked.reverse
    ties = ["start", "session_id", "user_id", "end"]
    return found.sort(first, *ties, descending=[down, True, False, False, False], nulls_last=True)


def gap(query: Query) -> timedelta:
    """The session gap that was asked for; a UsageError when it is none."""
    asked: timedelta = getattr(query, "session_gap", GAP)
    if asked is None or asked <= timedelta():
        said = "none" if asked is None else duration_text(asked)
        raise UsageError("session gap", f"{said} is no gap", next_step="write 30m")
    return asked


def summary(found: pl.DataFrame) -> Mapping[str, Any]:
    """What `sessions` come to; null where there is nothing to take a mean of."""
    length = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    is_single = pl.col("events") == 1
    told = found.select(
        pl.len().alias("sessions"),
        length.mean().alias("mean_seconds"),
        length.filter(~is_single).median().alias("median_seconds"),
        pl.col("events").mean().alias("events_per_session"),
        (pl.col("errors") > 0).sum().alias("with_errors"),
        is_single.sum().alias("bounced"),
    )
    return told.row(0, named=True)
