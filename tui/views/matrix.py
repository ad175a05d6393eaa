"""Rows of cells with a name each: what a table of cohorts comes to, whatever it counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from store.analytics.shapes import Row, Table
from store.timespan import MONTH, UNITS, TimeSpan, duration_text
from tui.formatting import NONE, OTHERS, clean, count, percent, value_name
from tui.plots.heat import Cell

MEAN: Final = "mean"
"""Stands for the start in a row that is over all cohorts."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """`spans` are the periods that the cells are of, where the row is of one cohort."""

    name: str
    size: int
    cells: Sequence[Cell | None]
    spans: Sequence[TimeSpan] = ()
    is_over: bool = True
    """False while the row's own period lasts: its size still grows."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """`total` stands above the others and lies outside the scale."""

    titles: Sequence[str] = ()
    rows: Sequence[MatrixRow] = ()
    total: MatrixRow | None = None
    names: str = "began"
    sizes: str = field(default="users")

    @property
    def everybody(self) -> int:
        return self.total.size if self.total else sum(row.size for row in self.rows)


def matrix_of(table: Table, interval: timedelta, zone: tzinfo, by: str = "") -> Matrix:
    """A row for each cohort and their mean above; broken down, a row for each value's mean. There
    are columns as far as anybody's periods have begun.
    """
    means = [row for row in table.rows if row.values["start"] == MEAN]
    cohorts = [row for row in table.rows if row.values["start"] != MEAN]
    begun = [len(row.values["shares"]) for row in cohorts if row.values["size"]]
    titles = [after(interval, k) for k in range(1, max(begun, default=1))]
    if by:
        return Matrix(titles, [_mean_row(_value(row), row) for row in means], names=by)
    total = _mean_row("all", means[0]) if means else None
    rows = [_cohort_row(row, interval, zone) for row in cohorts]
    return Matrix(titles, rows, total)


def after(interval: timedelta, periods: int) -> str:
    """`+3d`, in the unit of the interval, so that columns read as a row of numbers."""
    if interval == MONTH:
        return f"+{periods}mo"
    text = duration_text(interval)
    unit = text.lstrip("0123456789")
    return f"+{int(text.removesuffix(unit)) * periods}{unit}"


def cohort_name(start: datetime, interval: timedelta, zone: tzinfo) -> str:
    """`21 Nov 2026`, of less than days `21 Nov 16:00`."""
    local = start.astimezone(zone)
    return f"{local:%d %b %Y}" if interval >= UNITS["d"] else f"{local:%d %b %H:%M}"


def _cohort_row(row: Row, interval: timedelta, zone: tzinfo) -> MatrixRow:
    values = row.values
    start: datetime = values["start"]
    size, retained, complete = values["size"], values["retained"], values["complete"]
    cells = [
        Cell(share.share, n, size, (share.low, share.high), is_over=k < complete) if size else None
        for k, (n, share) in enumerate(zip(retained, values["shares"], strict=True))
    ]
    periods = [
        TimeSpan(start + interval * k, start + interval * (k + 1)) for k in range(len(cells))
    ]
    name = cohort_name(start, interval, zone)
    return MatrixRow(name, size, cells[1:], periods, is_over=complete > 0)


def _mean_row(name: str, row: Row) -> MatrixRow:
    """Only over cells that are over: where none is, there is none."""
    values = row.values
    pairs = zip(values["shares"], values["of"], strict=True)
    cells = [
        Cell(share.share, round(share.share * of), of, (share.low, share.high)) if of else None
        for share, of in pairs
    ]
    return MatrixRow(name, values["size"], cells[1:])


def _value(row: Row) -> str:
    return OTHERS if row.folded else ", ".join(map(value_name, row.key.values())) or NONE


def said_of(row: MatrixRow, title: str, cell: Cell) -> str:
    """`21 Nov 16:00 +2h: 9 of 81 came back, 11 % (6.0-20)`."""
    low, high = (percent(share, digits=1) for share in cell.likely)
    so_far = "" if cell.is_over else " so far"
    share = percent(cell.share, digits=1)
    told = f"{count(cell.count)} of {count(cell.of)} came back{so_far}, {share} % ({low}-{high})"
    return f"{clean(row.name)} {title}: {told}"


def lines_of(matrix: Matrix) -> Iterator[MatrixRow]:
    """From the top down."""
    if matrix.total:
        yield matrix.total
    yield from matrix.rows


def nobody(matrix: Matrix) -> bool:
    return not any(row.size for row in lines_of(matrix))


def share_of(cell: Cell) -> Any:
    """As it stands in a cell: `11.1`, `100`, `·` is for whoever draws it."""
    share = cell.share * 100
    return f"{share:.1f}" if share < 99.95 else "100"
