"""An answer as a table: the rows of `--csv`, of `--fail-if`, and of the table for people."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from store.analytics import shapes
from store.analytics.shapes import Answer, Key, Series, Timeline
from tui.commands.marks import Marks, legend, marked, marked_values, of_point, with_marks
from tui.commands.step_rows import as_rows
from tui.commands.table import Table
from tui.formatting import OTHERS, value_name

COLUMNS_SHOWN_MAX: Final = 8


def table_of(answer: Answer) -> Table:
    """A row per time and key, or per key; with `previous_…` beside each number when it was asked.

    A column `folded` is there when a row stands for all other keys; the last ones, `few` and
    `at_least`, when something rests on too few values, or lies in a bucket without an end: they
    name its columns.
    """
    if isinstance(answer.result, Timeline):
        return _timeline_table(answer.result, _previous_timeline(answer), answer.query.by)
    result = as_rows(answer.result, answer.previous)
    return _rows_table(result, as_rows(answer.previous), answer.query.by)


def pivoted(answer: Answer) -> Table:
    """The same for people: times down and few series across, and no folded row without a name."""
    timeline = answer.result
    if not isinstance(timeline, Timeline) or answer.previous or not _fits(timeline):
        table = _without_blanks(_with_names(marked(table_of(answer)), answer.query.by))
        return replace(table, legend=legend(answer, table))
    names = [_label(series, timeline.series) for series in timeline.series]
    values = zip(*(marked_values(series) for series in timeline.series), strict=True)
    rows = [(start, *row) for start, row in zip(timeline.starts, values, strict=True)]
    return Table(("time", *names), rows, legend(answer))


def summary_of(answer: Answer) -> Sequence[Table]:
    """What an answer says of all of its rows, for people: numbers and words a line each, with those
    of the span before beside them, and a table of each list.
    """
    result, previous = as_rows(answer.result), as_rows(answer.previous)
    told = result.summary if isinstance(result, shapes.Table) else {}
    before = previous.summary if isinstance(previous, shapes.Table) else {}
    words = [name for name, value in told.items() if not _is_rows(value)]
    names = ["of all", "", *(["previous"] if before else [])]
    said = [(name.replace("_", " "), told[name], before.get(name)) for name in words]
    rows = [tuple(map(_said, row))[: len(names)] for row in said]
    lists = [_list_table(value) for value in told.values() if _is_rows(value) and value]
    return [*([Table(names, rows)] if rows else []), *lists]


def _said(value: Any) -> Any:
    """Names by what they are, such as what was left out and why, in words."""
    if not isinstance(value, Mapping):
        return value
    lists = [(name.replace("_", " "), each) for name, each in value.items() if each]
    return "; ".join(f"{name}: {', '.join(map(str, each))}" for name, each in lists) or None


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def _list_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = [column for column in rows[0] if column != "folded"]
    return Table(columns, [[_joined(row.get(column)) for column in columns] for row in rows])


def _joined(value: Any) -> Any:
    """A list of names as one reads it."""
    is_names = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return " ▸ ".join(value) if is_names else value


def _fits(timeline: Timeline) -> bool:
    return 0 < len(timeline.series) <= COLUMNS_SHOWN_MAX


def _label(series: Series, all_series: Sequence[Series]) -> str:
    key = OTHERS if series.folded else " ".join(map(value_name, series.key.values()))
    several = len({other.measure for other in all_series}) > 1
    return f"{key} {series.measure}".strip() if several or not key else key


def _previous_timeline(answer: Answer) -> Timeline | None:
    return answer.previous if isinstance(answer.previous, Timeline) else None


def _timeline_table(timeline: Timeline, previous: Timeline | None, by: Sequence[str]) -> Table:
    groups = _grouped(timeline.series)
    before = _grouped(previous.series) if previous else {}
    measures = list(dict.fromkeys(series.measure for series in timeline.series))
    keys = _key_names([series.key for series in timeline.series], by)
    folds = any(series.folded for series in timeline.series)
    columns = ["time", *keys, *(["folded"] if folds else []), *measures]
    columns += [f"previous_{measure}" for measure in measures] if previous else []
    rows: list[tuple[Sequence[Any], Marks]] = []
    for identity, group in groups.items():
        first = next(iter(group.values()))
        head = [*_key_cells(first.key, keys), *([first.folded] if folds else [])]
        series = [group.get(measure) for measure in measures]
        if previous:
            old = before.get(identity, {})
            series += [old.get(measure) for measure in measures]
        rows += _points(timeline.starts, head, series, columns[-len(series) :])
    return with_marks(columns, rows)


def _points(
    starts: Sequence[datetime],
    head: Sequence[Any],
    series: Sequence[Series | None],
    names: Sequence[str],
) -> list[tuple[Sequence[Any], Marks]]:
    """The cells of each, and what to know of them."""
    values = [each.values if each else [None] * len(starts) for each in series]
    return [
        (
            (start, *head, *(one[at] if at < len(one) else None for one in values)),
            of_point(names, series, at),
        )
        for at, start in enumerate(starts)
    ]


def _grouped(series: Sequence[Series]) -> dict[tuple[Any, ...], dict[str, Series]]:
    """Series by key, then by measure."""
    groups: dict[tuple[Any, ...], dict[str, Series]] = defaultdict(dict)
    for each in series:
        groups[_identity(each.key, folded=each.folded)][each.measure] = each
    return groups


def _identity(key: Key, *, folded: bool) -> tuple[Any, ...]:
    return (folded, *sorted(key.items()))


def _rows_table(table: object, previous: object, by: Sequence[str]) -> Table:
    assert isinstance(table, shapes.Table)
    keys = _key_names([row.key for row in table.rows], by)
    folds = any(row.folded for row in table.rows)
    told_before = previous.columns if isinstance(previous, shapes.Table) else ()
    numeric = [name for name in told_before if _is_numeric(name, table)]
    # Rows without a key, or with one that is not theirs alone, are those of no row before.
    previous = previous if keys and _are_apart(table.rows) else None
    columns = [*keys, *(["folded"] if folds else []), *table.columns]
    before: Mapping[tuple[Any, ...], shapes.Row] = {}
    if isinstance(previous, shapes.Table):
        before = {_identity(row.key, folded=row.folded): row for row in previous.rows}
        columns += [f"previous_{name}" for name in numeric]
    rows: list[tuple[Sequence[Any], Marks]] = []
    for row in table.rows:
        cells = [*_key_cells(row.key, keys), *([row.folded] if folds else [])]
        cells += [row.values.get(name) for name in table.columns]
        few = list(row.few)
        if isinstance(previous, shapes.Table):
            old = before.get(_identity(row.key, folded=row.folded), shapes.Row({}, {}))
            cells += [old.values.get(name) for name in numeric]
            few += [f"previous_{name}" for name in old.few]
        rows.append((cells, {"few": few}))
    return with_marks(columns, rows)


def _are_apart(rows: Sequence[shapes.Row]) -> bool:
    return len({_identity(row.key, folded=row.folded) for row in rows}) == len(rows)


def _is_numeric(name: str, table: shapes.Table) -> bool:
    values = [row.values.get(name) for row in table.rows]
    return all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        for value in values
    )


def _key_names(keys: Sequence[Key], by: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name for key in keys for name in key)) or list(by)


def _key_cells(key: Key, names: Sequence[str]) -> list[str]:
    return [key.get(name, "") for name in names]


def _with_names(table: Table, by: Sequence[str]) -> Table:
    """Words in the place of an empty key, and of the `folded` column."""
    columns = list(table.columns)
    at = columns.index("folded") if "folded" in columns else len(columns)
    named = {place for place, name in enumerate(columns) if name in by}
    rows = [_worded(row, named, at) for row in table.rows]
    return Table([*columns[:at], *columns[at + 1 :]], rows, table.legend)


def _worded(row: Sequence[Any], named: Collection[int], at: int) -> list[Any]:
    """Without its `folded`, which stands at `at`. Of a folded row what is not folded, such as a
    step's number, stays; one that has its name among its values has the word there.
    """
    if row[at : at + 1] and row[at]:
        first, rest = row[at + 1 : at + 2], row[at + 2 :]
        keys = (key or OTHERS for key in row[:at])
        return [*keys, *(OTHERS if value == "" else value for value in first), *rest]
    told = [
        value_name(cell) if place in named and isinstance(cell, str) else cell
        for place, cell in enumerate(row)
    ]
    return [*told[:at], *told[at + 1 :]]


def _without_blanks(table: Table) -> Table:
    """Without the columns that say nothing in any row."""
    kept = [
        at
        for at in range(len(table.columns))
        if not table.rows or any(row[at] not in (None, "", []) for row in table.rows)
    ]
    rows = [[_joined(row[at]) for at in kept] for row in table.rows]
    return Table([table.columns[at] for at in kept], rows, table.legend)
