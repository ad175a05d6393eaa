"""`--fail-if CONDITION`: a filter over the rows of an answer."""

from datetime import datetime
from typing import Any

import polars as pl

from store.analytics.filters import Filter, parse_filter
from store.analytics.filters.nodes import ORDERINGS, Term, leaves
from store.analytics.filters.values import number
from store.analytics.shapes import Answer
from store.errors import UsageError
from tui.commands.answer_table import table_of
from tui.commands.table import Table


def rows_matching(answer: Answer, condition: str) -> int:
    """How many rows of the answer's table the condition finds; rows of an interval that is still
    running do not count. A UsageError names a column that the answer lacks.
    """
    wanted = parse_filter(condition)
    if not wanted:
        raise UsageError("--fail-if", "it says nothing", next_step="write 'p95>500 count>=10'")
    table = table_of(answer)
    frame = _frame(table, answer.incomplete_from)
    _check(wanted, frame)
    return frame.filter(wanted.expr(frame.schema)).height


def _frame(table: Table, incomplete_from: datetime | None) -> pl.DataFrame:
    rows = table.rows
    if incomplete_from and table.columns[:1] == ["time"]:
        rows = [row for row in rows if row[0] < incomplete_from]
    return pl.DataFrame(
        {name: _series(name, [row[at] for row in rows]) for at, name in enumerate(table.columns)}
    )


def _series(name: str, values: list[Any]) -> pl.Series:
    """Numbers as floats, whatever mixture they come in; all else as text."""
    if values and all(isinstance(value, bool) for value in values):
        return pl.Series(name, values, dtype=pl.Boolean)
    if all(value is None or isinstance(value, int | float) for value in values):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    texts = [None if value is None else str(value) for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def _check(wanted: Filter, frame: pl.DataFrame) -> None:
    for name, near in wanted.unknown(frame.schema).items():
        hint = f"did you mean {near}?" if near else f"there are {', '.join(frame.columns)}"
        raise UsageError("--fail-if", f"the answer has no {name}", next_step=hint)
    for leaf in leaves(wanted.root):
        if isinstance(leaf, Term) and leaf.operator in ORDERINGS:
            numeric = frame.schema[leaf.field].is_numeric()
            if numeric and number(leaf.values[0]) is None:
                fault = f"{leaf.field} is a number, {leaf.values[0]!r} is none"
                raise UsageError("--fail-if", fault, next_step="write the number alone")
