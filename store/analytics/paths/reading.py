"""What questions about the order of events in sessions have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.breakdown import (
    Group,
    broken_down,
    broken_down_json,
    groups,
    key_columns,
    ranked,
)
from store.analytics.cells import stored_in
from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.ordered.rows import ROWS_MAX
from store.analytics.paths.visits import COLUMNS, Visits, events_in_short, visits
from store.analytics.paths.walks import Ends
from store.analytics.query import Query, option
from store.analytics.sessions.asking import GAP, gap, horizon
from store.analytics.shapes import Finished, Result, Table
from store.analytics.table_json import flat_rows_json
from store.timespan import TimeSpan


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionsQuery(Query):
    """The options that say what a session is, and which of its events count."""

    session_gap: timedelta = option(GAP, "a longer silence ends a session")
    ignore_session_id: bool = option(default=False, help_text="split by the gap alone")
    only: tuple[str, ...] = option((), "only events of these names", metavar="NAME")
    without: tuple[str, ...] = option((), "no events of these names", metavar="NAME")
    with_ids: bool = option(default=False, help_text="order events of one instant", hidden=True)


class OfSessions(ABC):
    """The half of an analysis that reads: a part gives its events in short, all of them together
    are put into order at last. Broken down, a session has the first value that is given among its
    events, of each attribute; the values of the most sessions come first, past `limit` they are one.
    """

    rows_max = ROWS_MAX

    def owned(self, query: Query) -> bool:
        """Whether it asks which sessions they are."""
        del query
        return False

    def horizon(self, query: Query) -> TimeSpan | None:
        return horizon(query)

    def ends(self, query: Query) -> Ends:
        """Where its walks begin and stop."""
        del query
        return {}

    def columns(self, query: Query) -> Sequence[str]:
        chosen = (name for end in self.ends(query).values() for name in end.columns())
        return list(dict.fromkeys([*COLUMNS, *chosen, *map(stored_in, query.by)]))

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        # Each event is a cell of its own: its `time` tells on which side of an edge it is.
        asked = cast(SessionsQuery, query)
        return events_in_short(
            events,
            by_id=not asked.ignore_session_id,
            only=asked.only,
            without=asked.without,
            with_ids=asked.with_ids,
            by=asked.by,
            ends=self.ends(query),
        )

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        return partials

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        """Out of the visits. Ids order what shares an instant; they are the largest of all columns,
        so they are read only when that occurs.
        """
        assert query.span is not None
        owned = self.owned(query)
        found = visits(combined, gap(query), query.span, links, owned=owned)
        asked = cast(SessionsQuery, query)
        if found.is_tied and not asked.with_ids:
            raise AskAgainError(replace(asked, with_ids=True))
        nodes = self.counted(found, query)
        whole = self.result(nodes, query)
        told = broken_down(whole, self._groups(nodes, found.values, query)) if query.by else whole
        return Finished(told, int(found.nodes["events"].sum()), found.is_sampled)

    def counted(self, found: Visits, query: Query) -> pl.DataFrame:
        """The nodes of the sessions that count."""
        del query
        return found.nodes

    @abstractmethod
    def result(self, nodes: pl.DataFrame, query: Query) -> Table:
        """The answer out of `Visits.nodes`."""

    def _groups(self, nodes: pl.DataFrame, values: pl.DataFrame, query: Query) -> Iterator[Group]:
        keys = key_columns(query.by)
        counted = values.join(nodes.select("session").unique(), on="session", how="semi")
        best = ranked(counted.group_by(keys).len("size"), query.limit)
        placed = counted.join(best, on=keys).select("session", "group")
        grouped = nodes.join(placed, on="session", maintain_order="left")
        return groups(grouped, best, query, lambda found: self.result(found, query))

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return broken_down_json(result, self.table_json)

    def table_json(self, table: Table) -> Mapping[str, Any]:
        """The JSON of what `result` gives."""
        return flat_rows_json(table)

    def unmet(self, query: Query, result: Result) -> Sequence[str]:
        """The events that were named, when it is not plain that they happened."""
        asked, is_found = cast(SessionsQuery, query), bool(cast(Table, result).rows)
        ends = [] if is_found else [end.name for end in self.ends(query).values()]
        return [*ends, *asked.only, *asked.without]
