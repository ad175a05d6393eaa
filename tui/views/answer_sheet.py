"""Any answer as one table: columns that fit their values, rows in the order that the view wants."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from store.analytics.shapes import Answer, Table, Timeline
from store.timespan import TimeSpan
from tui.commands.answer_table import pivoted, summary_of, table_of
from tui.commands.marks import notes
from tui.commands.step_rows import as_rows
from tui.formatting import count, moment
from tui.view_state import Seen
from tui.views.answer_columns import SOURCE, Source, columns_of
from tui.views.answer_units import NOTHING, Cell, Units, title_of
from tui.widgets.columns import Column, Row


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that an answer has beside its rows, ready to be shown."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]


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
    listing: Listing | None = None


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
    if isinstance(answer.result, Timeline) and _is_blank(answer.result):
        made = []
    sort = seen.view.sort if seen.view.sort in names else ""
    rows, descending = _sorted(made, sort, reverse=seen.view.reverse)
    if not sort and names[:1] == ["time"]:
        # Stable: what is of one instant stays in its order.
        rows = sorted(rows, key=lambda row: row["time"].value, reverse=True)
        sort, descending = "time", True
    return Sheet(
        columns=columns_of(names, rows, units, width),
        rows=rows,
        facts=_facts(answer, units),
        sort=sort,
        descending=descending,
        note=_note(answer, len(rows), seen, notes(table)),
        identity=(answer.analysis, tuple(names), sort, descending, query.by, seen.view.where),
        listing=_listing(answer, units, width),
    )


def _is_blank(timeline: Timeline) -> bool:
    return not any(value for series in timeline.series for value in series.values)


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
    begins = result.windows or result.starts
    told_of = zip(result.starts, begins, strict=True)
    spans = {start: TimeSpan(begin, start + width) for start, begin in told_of}
    if len(table.rows) == len(spans):
        return table, [Source(span=span) for span in spans.values()]
    long = table_of(answer)
    keys = [n for n in long.columns if n in result.series[0].key]
    at = long.columns.index("folded") if "folded" in long.columns else None
    places = [long.columns.index(name) for name in keys]
    sources = [
        Source(
            {name: row[place] for name, place in zip(keys, places, strict=True)},
            span=spans[row[0]],
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
    told = _flat(told)
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


def _flat(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an object holds as facts of their own."""
    found: dict[str, Any] = {}
    for name, value in told.items():
        inner = value.items() if isinstance(value, Mapping) else ()
        found |= {f"{name}_{each}": of for each, of in inner} or {name: value}
    return found


def _is_list_of_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _listing(answer: Answer, units: Units, width: int) -> Listing | None:
    """The first of its lists; there is hardly ever another."""
    result = as_rows(answer.result)
    told = result.summary if isinstance(result, Table) else {}
    title = next((name for name, value in told.items() if _is_list_of_rows(value)), None)
    if title is None:
        return None
    table = next(table for table in summary_of(answer) if table.columns[:1] != ["of all"])
    rows: list[Row] = [
        {
            SOURCE: Source(),
            **{n: units.cell(n, v, {}) for n, v in zip(table.columns, row, strict=True)},
        }
        for row in table.rows
    ]
    return Listing(title_of(title), columns_of(list(table.columns), rows, units, width), rows)


def _note(answer: Answer, rows: int, seen: Seen, signs: Sequence[str]) -> str:
    said = [f"{count(rows)} row{'s' if rows != 1 else ''}"] if rows else []
    said += ["there are more, these come first"] * answer.truncated
    said += ["from a sample"] * answer.sampled
    said += ["estimates"] * (not answer.exact)
    said += signs
    result = answer.result
    said += ["first windows are not full"] * (isinstance(result, Timeline) and result.short > 0)
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
