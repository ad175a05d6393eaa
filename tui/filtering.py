"""What the filter bar asks the store while one types: completions, and how many events match."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from store.timespan import TimeSpan
from tui.store_door import Cancelled, Store

if TYPE_CHECKING:
    from store.analytics.filters import Completion

VALUES_MAX: Final = 50

Work = Callable[[Store, Cancelled], object]


class Suggestions:
    """Completes what is typed; remembers the values of a field while the bar is open."""

    def __init__(self, span: TimeSpan) -> None:
        self._span = span
        self._values: dict[str, Sequence[str]] = {}

    def work(self, text: str, cursor: int) -> Work:
        """For the query runner: gives a Completion."""
        return partial(self._complete, text, cursor)

    def _complete(self, text: str, cursor: int, store: Store, cancelled: Cancelled) -> "Completion":
        from store.analytics.filters import completion

        values = partial(self._common_values, store, cancelled)
        return completion(text, cursor, store.column_types(), values)

    def _common_values(self, store: Store, cancelled: Cancelled, field: str) -> Sequence[str]:
        from store.analytics.shapes import Table
        from store.analytics.top import Top

        if field not in self._values:
            query = Top(by=(field,), span=self._span, limit=VALUES_MAX)
            table = store.run(query, cancelled=cancelled).result
            assert isinstance(table, Table)
            named = [row.key.get(field, "") for row in table.rows if not row.folded]
            self._values[field] = [value for value in named if value]
        return self._values[field]


def matches(where: str, span: TimeSpan) -> Work:
    """For the query runner: how many events of the span match, and how many there are."""

    def work(store: Store, cancelled: Cancelled) -> tuple[int, int]:
        from store.analytics.filters import parse_filter
        from store.analytics.trends import Trends

        parse_filter(where or None)  # its fault points at the character
        every = Trends(span=span, interval=span.length)
        asked = (replace(every, where=where or None), every)
        matched, total = store.run_all(asked, cancelled=cancelled)
        return _total(matched.result), _total(total.result)

    return work


def _total(result: object) -> int:
    from store.analytics.shapes import Timeline

    assert isinstance(result, Timeline)
    return int(sum(series.total or 0 for series in result.series))
