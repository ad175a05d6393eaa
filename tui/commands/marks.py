"""What to know of single numbers: signs before them for people, columns of names in CSV."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from store.analytics.shapes import Answer, Result, Series, Timeline
from store.timespan import duration_text, iso
from tui.commands.table import Gap, Marked, Table

GAP: Final = ("difference", "difference_low", "difference_high")
SIGNS: Final = {"few": "*", "at_least": "≥"}
"""Before what rests on too few values, and before what is only known to be no less."""
_LEGENDS: Final = {
    "few": "* rests on too few values: a p95 needs 20, a p99 100, a p99.9 1,000",
    "at_least": "≥ lies in the last bucket, which has no end",
}
_NOTES: Final = {"few": "* on too few values", "at_least": "some lie in a bucket without an end"}
Marks = Mapping[str, Sequence[str]]
"""By the mark, the columns of a row that have it."""


def of_point(names: Sequence[str], series: Sequence[Series | None], at: int) -> Marks:
    """Of the values of some series at one point; `names` are their columns."""
    pairs = [(name, one) for name, one in zip(names, series, strict=True) if one]
    return {
        mark: [name for name, one in pairs if any(getattr(one, mark)[at : at + 1])]
        for mark in SIGNS
    }


def with_marks(columns: Sequence[str], rows: Iterable[tuple[Sequence[Any], Marks]]) -> Table:
    """The rows with a column for each mark that something has: the names of what has it."""
    told = list(rows)
    found = [mark for mark in SIGNS if any(marks.get(mark) for _, marks in told)]
    cells = [(*row, *(" ".join(marks.get(mark, ())) for mark in found)) for row, marks in told]
    return Table([*columns, *found], cells)


def marked(table: Table) -> Table:
    """The same for people: signs in the place of these columns, differences with their intervals."""
    found = [mark for mark in SIGNS if mark in table.columns[-len(SIGNS) :]]
    if not found:
        return _with_gaps(table)
    columns = table.columns[: -len(found)]
    rows = []
    for row in table.rows:
        cells, named = row[: len(columns)], dict(zip(found, row[len(columns) :], strict=True))
        # Names of attributes may have blanks in them.
        signs = (
            _signs(mark for mark in found if f" {name} " in f" {named[mark]} ") for name in columns
        )
        rows.append([_marked(cell, sign) for cell, sign in zip(cells, signs, strict=True)])
    return _with_gaps(Table(columns, rows, "; ".join(_LEGENDS[mark] for mark in found)))


def marked_values(series: Series) -> Sequence[Any]:
    """The points of a series with their signs."""
    found = [mark for mark in SIGNS if getattr(series, mark)]
    if not found:
        return series.values
    return [
        _marked(value, _signs(mark for mark in found if getattr(series, mark)[at]))
        for at, value in enumerate(series.values)
    ]


def legend(answer: Answer, table: Table | None = None) -> str:
    """What to know of the numbers of an answer, or of a `table` of them."""
    rolling = getattr(answer.query, "rolling", None)
    told = [f"each point is of the {duration_text(rolling)} that end with it"] if rolling else []
    told += _short(answer.result)
    if table is not None:
        told += [table.legend] if table.legend else []
    elif isinstance(answer.result, Timeline):
        series = answer.result.series
        told += [_LEGENDS[mark] for mark in SIGNS if any(getattr(one, mark) for one in series)]
    return "; ".join(told)


def _short(result: Result) -> list[str]:
    """That windows rise while what is stored fills them."""
    if not isinstance(result, Timeline) or not result.short:
        return []
    full = result.starts[result.short :]
    since = f"full from {iso(full[0])} on" if full else "not full yet"
    return [f"they are {since}: nothing is stored of before"]


def notes(table: Table) -> list[str]:
    """The legend of a table's signs in few words."""
    return [_NOTES[mark] for mark in SIGNS if _LEGENDS[mark] in table.legend]


def _signs(marks: Iterable[str]) -> str:
    return "".join(SIGNS[mark] for mark in marks)


def _marked(cell: Any, sign: str) -> Any:
    return Marked(cell, sign) if sign and cell is not None else cell


def _with_gaps(table: Table) -> Table:
    """A difference and its interval in one cell."""
    if not set(GAP) <= set(table.columns):
        return table
    at, low, high = (list(table.columns).index(name) for name in GAP)
    rows = [
        [
            Gap(row[at], row[low], row[high]) if place == at and cell is not None else cell
            for place, cell in enumerate(row)
            if place not in (low, high)
        ]
        for row in table.rows
    ]
    columns = [name for name in table.columns if name not in GAP[1:]]
    return Table(columns, rows, table.legend)
