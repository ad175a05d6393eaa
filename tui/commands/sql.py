"""`eventdeck sql 'SELECT …'`: a question in SQL, read only."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.commands.caveats import warn_of_lost_parts, warn_of_unknown_fields
from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console
from tui.commands.table import Table, harmless, write_csv
from tui.commands.times import add_span, add_zone, span_of, zone_asked

if TYPE_CHECKING:
    from store.sql import SqlAnswer
    from store.timespan import TimeSpan

EXAMPLE: Final = """\
eventdeck sql 'SELECT event_name, count(*) AS n FROM events GROUP BY event_name ORDER BY n DESC'
eventdeck sql 'SELECT user_id, max(duration_ms) AS slowest FROM spans GROUP BY user_id' --last 1h
eventdeck sql 'SELECT "http.route", value FROM metrics' --where service_name=api --csv"""
SHOWN_MAX: Final = 1_000
"""Rows that people get; scripts get all."""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument(
        "sql",
        metavar="SQL",
        help='over events, metrics, spans, logs; a name with a dot stands in "double quotes"; '
        "- is standard input",
    )
    parser.add_argument("--where", metavar="FILTER", help="only these events")
    add_span(parser)
    add_zone(parser)
    add_formats(parser)


def run(options: Options, console: Console) -> int:
    """The rows to standard output."""
    from store.analytics.filters import parse_filter
    from store.event_store import EventStore
    from store.sql import run_sql

    now = console.now()
    text = sys.stdin.read() if options.sql == "-" else options.sql
    keep = parse_filter(options.where, now=now, zone=zone_asked(options))
    store = EventStore(settings_of(options).store, now=console.now)
    warn_of_unknown_fields(keep, store.column_types(), console)
    span = span_of(options, now=now, stored=store.span())
    answer = run_sql(store, text, span=span, where=keep)
    if options.json:
        console.json(_document(answer, text, span))
    elif options.csv:
        write_csv(console, tuple(answer.columns), _rows(answer))
    else:
        _show(answer, console)
    warn_of_lost_parts(store.unreadable(span), console)
    return 0


def _rows(answer: "SqlAnswer") -> Iterator[Sequence[Any]]:
    for frame in answer.frames:
        yield from frame.rows()


def _document(answer: "SqlAnswer", text: str, span: "TimeSpan | None") -> dict[str, Any]:
    names = list(answer.columns)
    return {
        "sql": text,
        "span": {"start": span.start, "end": span.end} if span else None,
        "columns": [{"name": name, "type": str(kind)} for name, kind in answer.columns.items()],
        "rows": [dict(zip(names, row, strict=True)) for row in _rows(answer)],
    }


def _show(answer: "SqlAnswer", console: Console) -> None:
    """The first rows, as a table; one below the other when a terminal is too narrow for it."""
    rows: list[Sequence[Any]] = []
    for frame in answer.frames:
        rows += frame.head(SHOWN_MAX + 1 - len(rows)).rows()
        if len(rows) > SHOWN_MAX:
            break
    table = Table(tuple(answer.columns), rows[:SHOWN_MAX])
    lines = table.lines(bold=console.out.isatty())
    if console.out.isatty() and table.width() > shutil.get_terminal_size().columns:
        lines = _records(table)
    console.lines(lines)
    if len(rows) > SHOWN_MAX:
        console.note(f"these are the first {SHOWN_MAX:,} rows; --csv and --json give all")


def _records(table: Table) -> list[str]:
    """Each row as a few lines of its own, without what is missing in it."""
    width = max(len(harmless(name)) for name in table.columns)
    lines: list[str] = []
    for number, row in enumerate(table.rows, 1):
        lines.append(f"── {number} ".ljust(width + 8, "─"))
        named = zip(table.columns, table.cells(row), row, strict=True)
        lines += [f"{harmless(n):{width}}  {cell}" for n, cell, value in named if value is not None]
    return lines


COMMAND = Command("sql", "a question in SQL over the events, read only", EXAMPLE, configure, run)
