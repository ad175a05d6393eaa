"""A question of SQL over the span that is seen, and its answer as columns and rows of a table."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from tui.filtering import Work
from tui.formatting import clean, count, fit
from tui.store_door import Cancelled, Store
from tui.theme import Look
from tui.view_state import Seen
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

if TYPE_CHECKING:
    from store.analytics.filters import Completion

SHOWN_MAX: Final = 1_000
"""So many rows are shown; the command gives all."""
WIDTHS: Final = range(6, 41)
# So many of them tell how wide a column is.
ROWS_MEASURED: Final = 200
OPTIONS_MAX: Final = 20
WORDS: Final = (
    *("SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "count(*)", "DISTINCT"),
    *("AS", "AND", "OR", "DESC", "HAVING", "avg", "max", "min", "sum", "QUANTILE_CONT"),
)
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*\Z")
_TYPED: Final = re.compile(r'"[^"]*\Z|[\w.]+\Z')


@dataclass(frozen=True, slots=True)
class SqlRows:
    """The first rows of an answer."""

    text: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    has_more: bool

    def title(self) -> str:
        """`12 rows: SELECT …`."""
        number = f"the first {count(len(self.rows))}" if self.has_more else count(len(self.rows))
        return f"{number} row{'s' * (len(self.rows) != 1)}: {clean(' '.join(self.text.split()))}"

    def note(self) -> str:
        return "eventdeck sql gives all rows" if self.has_more else ""


def sql_work(text: str, seen: Seen) -> Work:
    """For the query runner: gives SqlRows over the span and the filter of the view."""

    def work(store: Store, cancelled: Cancelled) -> SqlRows:
        from store.analytics.filters import parse_filter
        from store.sql import run_sql

        where = parse_filter(seen.view.where) if seen.view.where else None
        answer = run_sql(store, text, span=seen.span, where=where)  # type: ignore[arg-type]
        rows: list[Row] = []
        for frame in answer.frames:
            rows += frame.head(SHOWN_MAX + 1 - len(rows)).rows(named=True)
            if len(rows) > SHOWN_MAX or cancelled():
                break
        columns = [_column(name, rows, seen.zone) for name in answer.columns]
        return SqlRows(text, columns, rows[:SHOWN_MAX], len(rows) > SHOWN_MAX)

    return work


def names_work(store: Store, _cancelled: Cancelled) -> Sequence[str]:
    """What a question may be made of: tables, columns as SQL takes them, and its words."""
    from store.sql import TABLES

    return (*TABLES, *map(quoted, sorted(store.column_types())), *WORDS)


def quoted(name: str) -> str:
    """A column as it is written: in quotes where it is no plain word."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def completion_of(text: str, cursor: int, names: Sequence[str]) -> "Completion":
    """The names that begin as the word at the cursor does, then those that hold it."""
    from store.analytics.filters import Completion

    found = _TYPED.search(text[:cursor])
    start = found.start() if found else cursor
    typed = text[start:cursor].strip('"').lower()
    fitting = [name for name in names if typed and typed in name.lower() and name.lower() != typed]
    fitting.sort(key=lambda name: not name.lower().strip('"').startswith(typed))
    return Completion(start, cursor, "sql", tuple(fitting[:OPTIONS_MAX]))


def shown(value: Any, zone: tzinfo) -> str:
    """A value as one reads it: six digits of a fraction's number, times in the zone."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:,.6g}" if math.isfinite(value) and abs(value) < 1e6 else f"{value:g}"
        case int():
            return f"{value:,}"
        case datetime():
            local = value.astimezone(zone) if value.tzinfo else value
            return local.isoformat(" ", "milliseconds")[:23]
    return clean(str(value))


def _column(name: str, rows: Sequence[Row], zone: tzinfo) -> Column:
    values = [row[name] for row in rows[:ROWS_MEASURED]]
    longest = max((cell_len(shown(value, zone)) for value in values), default=0)
    width = max(WIDTHS[0], min(max(longest, cell_len(clean(name))), WIDTHS[-1]))
    right = _are_numbers(values)
    return Column(name, clean(name), width, _cell(name, zone, right=right), right, sortable=False)


def _are_numbers(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    numbers = (isinstance(value, int | float) and not isinstance(value, bool) for value in known)
    return bool(known) and all(numbers)


def _cell(name: str, zone: tzinfo, *, right: bool) -> Any:
    def cell(row: Mapping[str, Any], width: int, look: Look) -> list[Part]:
        value = row[name]
        if value is None:
            return [(fit(look.glyphs.nothing, width, right=right), look.style("faint"))]
        text = fit(shown(value, zone), width, right=right, ellipsis=look.glyphs.ellipsis)
        return [(text, look.style("bright" if right else "text"))]

    return cell
