"""What an analysis is: a few pure functions that turn parts into an answer.

A part never changes, so what was computed from it is never computed again: `partial` reduces parts
to the little that `finish` needs, the store caches it part by part, `combine` adds partials up.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Protocol

import polars as pl

from store.analytics.cut import Cut
from store.analytics.links import Links
from store.analytics.query import Query
from store.analytics.shapes import Answer, Finished, Result
from store.analytics.table_json import flat_rows_json
from store.timespan import TimeSpan


class Partials(Protocol):
    """What reads parts, and makes partials of them."""

    def columns(self, query: Query) -> Sequence[str]:
        """The columns that `partial` reads, without those of the filter."""
        ...

    def partial(self, events: pl.LazyFrame, query: Query, cut: Cut | None) -> pl.LazyFrame:
        """Filtered events (with schema.PART naming each row's part) reduced, part by part: the
        result has PART as a key (it is of the type Null, and may be left out, when all are of one
        part). With `cut`, or with an interval, `time` is a key as well: the
        start of the cell. Depends on the events, the query without its span, and the cut alone.
        A column that no event has is there, and null; `sample_rate`, `install_id` and `component`
        have the type Null then.
        """
        ...


class Reduction(Partials, Protocol):
    """What the store needs of an analysis to read parts and to keep what it read.

    One whose partials hold a row for an event has `rows_max`: how many it takes at most; if it also
    `folds`, that is without a breakdown, whose values have a limit of their own. One that looks for
    attributes that perhaps nobody sends names them in `may_miss`; others are refused. One that can
    do with less where all events lie within a span has `narrow(query, span)`: Partials that give
    the same there, or None.
    """

    @property
    def name(self) -> str:
        """The subcommand and the `analysis` of the envelope."""
        ...

    @property
    def version(self) -> int:
        """Part of the cache key: raise it when `partial` changes its meaning."""
        ...

    def combine(self, partials: pl.DataFrame, query: Query) -> pl.DataFrame:
        """Many partials (concatenated, without PART) as one; associative and commutative. The
        cells of cut parts come filtered to the span; here they become the query's points, or,
        without an interval, lose their `time`.
        """
        ...


class AskAgainError(Exception):
    """What `finish` raises when the partials do not settle the answer: a query, at heart the same,
    whose partials will. So what is hardly ever needed is hardly ever read.
    """

    def __init__(self, query: Query) -> None:
        super().__init__()
        self.query = query


class Named(Protocol):
    """One kind of question. Modules of store.analytics hold one each; ANALYSES lists them.

    One that says how far an answer is from that about the span before has `compared(result,
    previous)`: JSON beside both. One that is asked about events by name may have `unmet(query, result)`: the names that the
    answer found nothing of, which are perhaps misspelled (`*` is none).
    """

    @property
    def name(self) -> str:
        """The subcommand and the `analysis` of the envelope."""
        ...

    @property
    def query_type(self) -> type[Query]:
        """The questions it answers."""
        ...

    def as_json(self, result: Result) -> Mapping[str, Any]:
        """The `result` of the envelope, as CONTRACTS has it for this analysis."""
        ...


class Analysis(Named, Reduction, Protocol):
    """An analysis that is made out of partials of parts."""

    def horizon(self, query: Query) -> TimeSpan | None:
        """The time that must be read to answer; None is all history."""
        ...

    def numbers(self, query: Query) -> Sequence[str]:
        """Those of `columns` that must not be text: a question about them would be refused."""
        ...

    def finish(self, combined: pl.DataFrame, query: Query, links: Links) -> Finished:
        """The answer over `query.span`; `combined` has no rows when nothing was found. `links`
        says which devices belong to which users, over all history.
        """
        ...


class OfSpan:
    """What an analysis need not say that reads its query's span and no numbers, and makes a Table."""

    def horizon(self, query: Query) -> TimeSpan | None:
        return query.span

    def numbers(self, query: Query) -> Sequence[str]:
        return ()

    def as_json(self, result: Result) -> Mapping[str, Any]:
        return flat_rows_json(result)


class Derived(Named, Protocol):
    """An analysis that is made out of the answers to other questions."""

    def steps(
        self, query: Query, types: Mapping[str, pl.DataType]
    ) -> Generator[Sequence[Query], Sequence[Answer], Finished | Sequence[Finished]]:
        """Yields questions, is sent their answers (all about one instant), and returns its own, or
        also that about the span before, when they are compared. `query` is complete; `types` are
        the stored columns.
        """
        ...


AnyAnalysis = Analysis | Derived
