"""What the dashboard needs of a store: the doors of EventStore that its screens go through."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from store.analytics.query import Query
from store.analytics.shapes import Answer
from store.tally import Tally
from store.timespan import TimeSpan

if TYPE_CHECKING:  # Polars is imported in the query thread, after the first paint.
    import polars as pl

    from store.analytics.registry import Known

Cancelled = Callable[[], bool]
"""True once nobody waits for the work any more; polled between its steps."""


class Store(Protocol):
    """`store.event_store.EventStore`, or a stand-in for tests. All doors are thread-safe."""

    @property
    def analyses(self) -> "Sequence[Known]": ...
    def generation(self) -> str: ...
    def snapshot(self) -> Any: ...
    def run(self, query: Query, *, cancelled: Cancelled = ...) -> Answer: ...
    def run_all(
        self, queries: Sequence[Query], *, cancelled: Cancelled = ...
    ) -> Sequence[Answer]: ...
    def events(
        self, span: TimeSpan | None = ..., where: str | None = ..., columns: Any = ...
    ) -> "pl.LazyFrame": ...
    def column_types(self) -> "Mapping[str, pl.DataType]": ...
    def span(self) -> TimeSpan | None: ...
    def out_of_time(self) -> int: ...
    def tally(self) -> Tally: ...


OpenStore = Callable[[], Store]
"""Opens the store; called in the query thread, so that its imports never hold up a frame."""
