"""Sessions: how many, how long, and the newest of them."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

import polars as pl

from store.analytics.breakdown import whole_of
from store.analytics.ordered.subjects import WHO
from store.analytics.query import Query
from store.analytics.sessions.asking import GAP, LONGEST, Sessions, gap
from store.analytics.sessions.counted import Counted, Newest
from store.analytics.sessions.owners import Among
from store.analytics.sessions.summary import sessions_json, with_groups
from store.analytics.sessions.told import Told
from store.analytics.shapes import Answer, Finished, Result, Table
from store.timespan import EPOCH, UNITS, TimeSpan

__all__ = ["GAP", "LONGEST", "Sessions", "SessionsAnalysis", "gap"]


class SessionsAnalysis:
    """A session id holds its events together; without one, a subject's events do while none
    follows the one before by more than the gap. A session belongs to the span in which it starts,
    its length is from its first to its last event; one of a single event has `bounced`, and is
    left out of the median. Rows are the newest sessions, or the first by `sort`, `limit` of them
    after the first `offset`; `with_devices`, with `devices`: whose events belong to a session
    though they name no user (none where an id holds it together).

    Broken down, a session has the first value that is given among its events, of each attribute;
    the values of the most sessions come first.
    """

    name = "sessions"
    query_type = Sessions

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Sequence[Finished]]:
        """All are counted without the texts, which are larger than all else; those are read where
        the sessions that are shown lie.
        """
        asked = cast(Sessions, query)
        own = {part.name: getattr(asked, part.name) for part in fields(Sessions)}
        if asked.sort != "start" or asked.among is not None:
            (whole,) = yield [Told(**own)]
            return _finished(whole)
        (counted,) = yield [Counted(**own)]
        newest = [cast(Newest, each) for each in (counted.result, counted.previous) if each]
        spans = [counted.span, counted.span.previous()]
        told = yield [
            Told(**{**own, "span": span, "compare": None, **_only(each)})
            for each, span in zip(newest, spans, strict=False)
        ]
        return [
            _of_all(each, whole_of(answer.result), counted)
            for each, answer in zip(newest, told, strict=True)
        ]

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return sessions_json(result)


def _finished(answer: Answer) -> Sequence[Finished]:
    """The answer, and that about the span before, as they are."""
    found = Finished(
        answer.result, answer.events_scanned, answer.sampled, truncated=answer.truncated
    )
    return [found, *([Finished(answer.previous)] if answer.previous else [])]


def _of_all(newest: Newest, shown: Table, counted: Answer) -> Finished:
    summary = newest.summary
    is_cut = summary["sessions"] > len(shown.rows)
    table = with_groups(replace(shown, summary=summary), newest.groups, counted.query)
    return Finished(table, counted.events_scanned, counted.sampled, truncated=is_cut)


def _only(newest: Newest) -> dict[str, Any]:
    """The sessions that may be shown, and where they lie."""
    frame = newest.frame
    among = Among(frame.select(WHO, "start").iter_rows())
    if not frame.height:
        return {"among": among, "within": TimeSpan(EPOCH, EPOCH)}
    end = cast(datetime, frame["end"].max()) + UNITS["us"]
    return {"among": among, "within": TimeSpan(cast(datetime, frame["start"].min()), end)}
