"""Any answer as one table: columns that fit their values, rows in the order that the view wants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from rich.cells import cell_len

from store.analytics.shapes import Answer, Key, Table, Timeline
from store.timespan import TimeSpan
from tui.commands.answer_table import pivoted, summary_of, table_of
from tui.commands.step_rows import as_rows
from tui.formatting import count, fit, moment
from tui.plots.bar import Segment, bar
from tui.plots.trend import trend
from tui.theme import Look
from tui.view_state import Seen
from tui.views.answer_units import NOTHING, Cell, Units, title_of
from tui.widgets.columns import Column, Row
from tui.widgets.lines import PLAIN, Part

TEXT_WIDTH_MAX: Final = 44
TEXT_WIDTH_MIN: Final = 8
BAR_WIDTHS: Final = range(6, 25)
TREND_WIDTHS: Final = range(8, 21)
GAP: Final = 2
SOURCE: Final = "\0source"
"""Under this name a row holds the Source that it was made of."""
# Of several columns that there is no room for, these go first.
_LAST: Final = ("low", "high", "p_value")
_NAMING: Final = frozenset({"attribute", "value", "event_name", "feature", "from", "to", "reason"})


@dataclass(frozen=True, slots=True)
class Source:
    """What a row stands for: breakdown values, values by name, and a time."""

    key: Key = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    span: TimeSpan | None = None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """An answer, ready to be shown."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    facts: Sequence[tuple[str, Cell]]
    sort: str
    descending: bool
    note: str
    """How many rows there are, and what to know before one believes them."""
    identity: object
    """Of another one, the table begins anew."""


def sheet_of(answer: Answer, seen: Seen, width: int) -> Sheet:
    """For `width` cells; all text of it is clean."""
    table, sources = _table(answer)
    zone, query = seen.zone, answer.query
    days = _many_days(answer, zone)
    of = str(getattr(query, "of", ""))
    units = Units(zone, frozenset(table.columns), of, days)
    made: list[Row] = [
        {
            SOURCE: source,
            **{n: units.cell(n, v, source.values) for n, v in zip(table.columns, row, strict=True)},
        }
        for row, source in zip(table.rows, sources, strict=True)
    ]
    names = list(table.columns)
    if len(made) == 1 and not sources[0].key and sources[0].span is None:
        made, names = _turned(names, made[0]), ["what", "value"]
    sort = seen.view.sort if seen.view.sort in names else ""
    rows, descending = _sorted(made, sort, reverse=seen.view.reverse)
    if not sort and names[:1] == ["time"]:
        rows, sort, descending = rows[::-1], "time", True
    return Sheet(
        columns=_columns(names, rows, units, width),
        rows=rows,
        facts=_facts(answer, units),
        sort=sort,
        descending=descending,
        note=_note(answer, len(rows), seen),
        identity=(answer.analysis, tuple(names), sort, descending, query.by, seen.view.where),
    )


def _turned(names: Sequence[str], row: Row) -> list[Row]:
    """The one row of an answer without keys, as a row for each of its values."""
    told = [(title_of(name), row[name]) for name in names if row[name] is not NOTHING]
    return [{SOURCE: Source(), "what": Cell(t, value=t), "value": cell} for t, cell in told]


def _table(answer: Answer) -> tuple[Any, Sequence[Source]]:
    """The table for people, and what each of its rows stands for."""
    table = pivoted(answer)
    result = as_rows(answer.result)
    if isinstance(result, Table):
        sources = [
            Source(row.key, row.values, _span_of(row.values), row.folded) for row in result.rows
        ]
        return table, sources
    assert isinstance(result, Timeline)
    width = timedelta(seconds=result.interval_seconds)
    spans = [TimeSpan(start, start + width) for start in result.starts]
    if len(table.rows) == len(spans):
        return table, [Source(span=span) for span in spans]
    long = table_of(answer)
    keys = [n for n in long.columns if n in result.series[0].key]
    at = long.columns.index("folded") if "folded" in long.columns else None
    places = [long.columns.index(name) for name in keys]
    sources = [
        Source(
            {name: row[place] for name, place in zip(keys, places, strict=True)},
            span=TimeSpan(row[0], row[0] + width),
            folded=at is not None and bool(row[at]),
        )
        for row in long.rows
    ]
    return table, sources


def _span_of(values: Mapping[str, Any]) -> TimeSpan | None:
    start, end = values.get("start"), values.get("end")
    is_span = isinstance(start, datetime) and isinstance(end, datetime) and start < end
    return TimeSpan(start, end) if is_span else None  # type: ignore[arg-type]


def _many_days(answer: Answer, zone: tzinfo) -> bool:
    first = answer.span.start.astimezone(zone).date()
    return first != (answer.span.end - timedelta(microseconds=1)).astimezone(zone).date()


# What is said of all of it


def _facts(answer: Answer, units: Units) -> list[tuple[str, Cell]]:
    """A word and a value each; the bounds of a share stand with it."""
    result = as_rows(answer.result)
    told = result.summary if isinstance(result, Table) else {}
    names = [name for name, value in told.items() if not _is_list_of_rows(value)]
    found: list[tuple[str, Cell]] = []
    for name in names:
        cell = units.cell(name, told[name], told)
        of = name.removesuffix("_low").removesuffix("_high")
        if cell.text and (of == name or of not in told):
            low, high = (units.cell(n, told.get(n), told) for n in (f"{name}_low", f"{name}_high"))
            between = f" ({low.text} to {high.text})" if low.text and high.text else ""
            found.append((title_of(name), Cell(cell.text, cell.unit + between, value=cell.value)))
    return found


def _is_list_of_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def lists_of(answer: Answer) -> Sequence[Any]:
    """The tables that an answer has beside its rows."""
    return [table for table in summary_of(answer) if table.columns[:1] != ["of all"]]


def _note(answer: Answer, rows: int, seen: Seen) -> str:
    said = [f"{count(rows)} row{'s' if rows != 1 else ''}"] if rows else []
    said += ["there are more, these come first"] * answer.truncated
    said += ["sampled: what was left out is estimated"] * answer.sampled
    said += ["estimates"] * (not answer.exact)
    said += ["some of the time is not stored"] * any(
        each.tier == "missing" for each in answer.coverage
    )
    if answer.incomplete_from and answer.incomplete_from < seen.span.end:
        said.append(f"still running from {moment(answer.incomplete_from, seen.zone, seen.now)}")
    return ", ".join(said)


# Order


def _sorted(rows: list[Row], name: str, *, reverse: bool) -> tuple[list[Row], bool]:
    """By a column: numbers and times from the largest, text from A; what is missing or folded is
    last. Without one, as the analysis gave them.
    """
    if not name:
        return (rows[::-1] if reverse else rows), not reverse
    known = [row for row in rows if row[name].value is not None and not row[SOURCE].folded]
    others = [row for row in rows if row[name].value is None or row[SOURCE].folded]
    is_text = any(isinstance(row[name].value, str) for row in known)
    key: Callable[[Row], Any] = lambda row: row[name].value  # noqa: E731
    if is_text:
        key = lambda row: str(row[name].value)  # noqa: E731
    descending = is_text == reverse
    return [*sorted(known, key=key, reverse=descending), *others], descending


# Columns


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a column needs: the width of its texts and of its units."""

    name: str
    title: str
    texts: int
    units: int
    right: bool
    is_trend: bool
    top: float | None
    """The largest share, where it is a column of shares."""

    @property
    def width(self) -> int:
        if self.is_trend:
            return max(TREND_WIDTHS[0], cell_len(self.title))
        own = self.texts + (self.units + 1 if self.units else 0)
        # The sign of the order stands before the title.
        return max(own, cell_len(self.title) + 1)


def _columns(
    names: Sequence[str], rows: Sequence[Row], units: Units, width: int
) -> tuple[Column, ...]:
    """The texts that name a row come first and stay longest; of the numbers the first ones do. A
    bar stands with the first share, where there is room.
    """
    shapes = [_shape(name, rows, units) for name in names]
    spare = width - sum(shape.width + GAP for shape in shapes)
    barred = next((s.name for s in shapes if s.top and s.name not in BOUNDS_AND_BACK), "")
    bars = min(spare, BAR_WIDTHS[-1]) if spare >= BAR_WIDTHS[0] else 0
    named = next((s.name for s in shapes if not s.right and not s.is_trend), "")
    return tuple(
        _column(shape, at, bars if shape.name == barred else 0, grows=shape.name == named)
        for at, shape in enumerate(shapes)
    )


BOUNDS_AND_BACK: Final = frozenset({"low", "high", "share_against"})


def _shape(name: str, rows: Sequence[Row], units: Units) -> _Shape:
    cells: list[Cell] = [row[name] for row in rows]
    shares = [cell.share for cell in cells if cell.share is not None]
    is_text = any(isinstance(cell.value, str) for cell in cells)
    longest = max((cell_len(cell.text) for cell in cells), default=0)
    return _Shape(
        name,
        title_of(name),
        min(longest, TEXT_WIDTH_MAX) if is_text else longest,
        max((cell_len(cell.unit) for cell in cells), default=0),
        right=not is_text and not any(isinstance(c.value, datetime) for c in cells),
        is_trend=any(cell.trend for cell in cells),
        top=max(shares) if shares and units.is_share(name) else None,
    )


def _column(shape: _Shape, at: int, bars: int, *, grows: bool) -> Column:
    is_name = shape.name in _NAMING or at == 0
    rank = 0 if is_name else 100 + at if shape.name in _LAST else at
    if shape.is_trend:
        return Column(shape.name, shape.title, shape.width, _trend_cell(shape), rank=rank)
    if not shape.right:
        least = min(TEXT_WIDTH_MIN, shape.width) if grows else 0
        cell = _text_cell(shape, bright=at == 0)
        return Column(
            shape.name, shape.title, shape.width, cell, rank=rank, grows=grows, least=least
        )
    cell = _bar_cell(shape, bars) if bars else _number_cell(shape)
    return Column(shape.name, shape.title, shape.width + bars, cell, right=True, rank=rank)


def _text_cell(shape: _Shape, *, bright: bool) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        found: Cell = row[shape.name]
        if not found.text:
            return [(look.glyphs.nothing.ljust(width), look.style("faint"))]
        role = "dim" if row[SOURCE].folded else "bright" if bright else found.role
        return [(fit(found.text, width, ellipsis=look.glyphs.ellipsis), look.style(role))]

    return cell


def _number_cell(shape: _Shape) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        found: Cell = row[shape.name]
        unit = shape.units + 1 if shape.units else 0
        if not found.text or found.value == 0:
            shown = look.glyphs.nothing.rjust(width - unit) + " " * unit
            return [(shown, look.style("faint"))]
        text = found.text.rjust(width - unit)
        shown_unit = f" {found.unit.replace('µ', look.glyphs.micro)}".ljust(unit) if unit else ""
        return [(text, look.style("text")), (shown_unit, look.style("dim"))]

    return cell


def _bar_cell(shape: _Shape, bars: int) -> Callable[[Row, int, Look], Sequence[Part]]:
    drawn_number = _number_cell(shape)

    def cell(row: Row, width: int, look: Look) -> list[Part]:
        share = (row[shape.name].share or 0.0) / (shape.top or 1.0)
        drawn = bar([Segment("info", share)], bars - 1, look)
        parts: list[Part] = [(part.text, part.style or PLAIN) for part in drawn]
        return [*parts, (" ", PLAIN), *drawn_number(row, width - bars, look)]

    return cell


def _trend_cell(shape: _Shape) -> Callable[[Row, int, Look], Sequence[Part]]:
    def cell(row: Row, width: int, look: Look) -> list[Part]:
        values = row[shape.name].trend
        if not values:
            return [(look.glyphs.nothing.ljust(width), look.style("faint"))]
        return [(part.text, part.style or PLAIN) for part in trend(values, width, look)]

    return cell
