"""A funnel for people: equal steps told apart; of few people who went which way, and numbers in the
place of shares.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from store.analytics.shapes import Answer, Steps, StepShare
from tui.commands.table import Table
from tui.formatting import fit
from tui.views.sequences import is_few, of_text, sequences

if TYPE_CHECKING:
    from store.event_store import EventStore

TEXT_MAX: Final = 40
_COLUMNS: Final = ("level", "way", "outcome", "then")


def ways_of_few(answer: Answer, store: "EventStore") -> Table | None:
    """Who came how far, by which way, and did what instead; None where they are not so few."""
    from store.analytics.funnel.analysis import Funnel

    query, result = answer.query, answer.result
    if not (isinstance(query, Funnel) and isinstance(result, Steps)):
        return None
    rows = sequences(store, query, result)
    if not rows:
        return None
    by = [name for name in query.by if name in rows[0]["key"]]
    told = [
        [_short(value) for value in (row["user"], *map(row["key"].get, by))]
        + [row[name] if name == "way" else _short(row[name]) for name in _COLUMNS]
        for row in rows
    ]
    return Table((query.per, *by, *_COLUMNS), told)


def _short(value: Any) -> Any:
    return fit(value, TEXT_MAX).rstrip() if isinstance(value, str) else value


def counted(answer: Answer, table: Table) -> Table:
    """The table for people of steps: `buy (2 times)`, and `3 of 7` for each share of few."""
    from store.analytics.funnel.definition import Stepped, definition_of

    if not isinstance(answer.result, Steps):
        return table
    is_ours = isinstance(answer.query, Stepped)
    labels = definition_of(answer.query).labels if is_ours else []
    columns = list(table.columns)
    rows = [list(row) for row in table.rows]
    for row, (at, step, steps) in zip(rows, _shares(answer.result), strict=True):
        told: dict[str, Any] = {"step": labels[at]} if labels else {}
        if is_few(steps):
            told["conversion"] = of_text(step.count, steps[0].count)
            told["conversion_from_previous"] = of_text(step.count, step.of)
        for name in told.keys() & set(columns):
            row[columns.index(name)] = told[name]
    return Table(columns, rows, table.legend)


def _shares(found: Steps) -> Iterator[tuple[int, StepShare, Sequence[StepShare]]]:
    """The step of each row and its place, with those that it belongs to."""
    for steps in [group.steps for group in found.groups] or [found.steps]:
        yield from ((at, step, steps) for at, step in enumerate(steps))
