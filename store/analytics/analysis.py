"""What an analysis is: a few pure functions that turn parts into an answer.

A part never changes, so what was computed from it is never computed again: `partial` reduces parts
to the little that `finish` needs, the store caches it part by part, `combine` adds partials up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import polars as pl

from store.analytics.query import Query
from store.analytics.shapes import Result
from store.timespan import TimeSpan


@dataclass(frozen=True, slots=True)
class Cut:
    """How a part that straddles an edge of the span is reduced: per cell of `width`, inside
    `span` alone (whole multiples of the span around the edge), so that the partial stays valid
    while the edge moves on.
    """

    width: timedelta
    span: TimeSpan


class Analysis(Protocol):
    """One kind of question. Modules of store.analytics hold one each; ANALYSES lists them."""

    name: str
    """The subcommand and the `analysis` of the envelope."""
    version: int
    """Part of the cache key: raise it when `partial` changes its meaning."""
    query_type: type[Query]

    def horizon(self, query: Query) -> TimeSpan | None:
        """The time that must be read to answer; None is all history."""
        ...

    def columns(self, query: Query) -> Sequence[str]:
        """The columns that `partial` reads, without those of the filter."""
        ...

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        """Filtered events (with schema.PART naming each row's part) reduced, part by part: the
        result has PART as a key. With `cut`, or with an interval, `time` is a key as well: the
        start of the cell. Depends on the events, the query without its span, and the cut alone.
        """
        ...

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        """Many partials (concatenated, without PART) as one; associative and commutative."""
        ...

    def finish(self, combined: pl.DataFrame, query: Query) -> Result:
        """The answer over `query.span`; `combined` has no rows when nothing was found."""
        ...

    def as_json(self, result: Result) -> Mapping[str, Any]:
        """The `result` of the envelope, as CONTRACTS has it for this analysis."""
        ...
