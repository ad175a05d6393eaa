"""Went: the sessions behind a branch of a journey."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, cast

import polars as pl

from store.analytics.paths.journeys import Journeys
from store.analytics.paths.markers import event_named
from store.analytics.paths.ways import Way
from store.analytics.query import Query, option
from store.analytics.sessions.asking import Sessions
from store.analytics.sessions.owners import OWNER, Among
from store.analytics.sessions.summary import sessions_json, with_summary
from store.analytics.sessions.told import Told
from store.analytics.shapes import Answer, Finished, Result, Table

SESSIONS_MAX: Final = 10_000
"""Of more, the newest; the answer says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Went(Sessions):
    """Who went which way."""

    analysis: ClassVar[str] = "went"
    compares: ClassVar[bool] = False

    from_: str | None = option(
        None,
        "from where this is first; else from where sessions start",
        metavar="NAME",
        flag="from",
    )
    way: Way = option((), "then this, in order; `… end` is its end", metavar="NAME")
    backwards: bool = option(default=False, help_text="what came before, back from there")


class WentAnalysis:
    """The `sessions` that go a way of `journeys`, the summary as well."""

    name = "went"
    query_type = Went

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished]:
        asked = cast(Went, query)
        common = _of(asked, Query) | _of(asked, Sessions, only=("session_gap", "ignore_session_id"))
        journeys = Journeys(
            **{**common, "limit": SESSIONS_MAX, "by": ()},
            from_=asked.from_,
            backwards=asked.backwards,
            taken=asked.way,
        )
        (went,) = yield [journeys]
        assert isinstance(went.result, Table)
        pairs = [(row.values[OWNER], row.values["start"]) for row in went.result.rows]
        own = {**_of(asked, Sessions), "among": Among(pairs)}
        (told,) = yield [Told(**own)]
        assert isinstance(told.result, Table)
        count = went.result.summary["count"]
        summary = {**told.result.summary, "went": count}
        return Finished(
            with_summary(told.result, summary),
            events=told.events_scanned,
            sampled=told.sampled,
            truncated=told.truncated or count > SESSIONS_MAX,
        )

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return sessions_json(result)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The names of the way that nobody went."""
        asked = cast(Went, query)
        if cast(Table, result).rows:
            return []
        named = [asked.from_, *map(event_named, asked.way)]
        return [name for name in named if name is not None]


def _of(query: Query, kind: type[Query], only: Sequence[str] = ()) -> dict[str, Any]:
    """The values of the fields that `kind` has."""
    names = [part.name for part in fields(kind) if not only or part.name in only]
    return {name: getattr(query, name) for name in names}
