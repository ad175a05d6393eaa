"""The columns of a table of events: when, how bad, what, where, who, how long, and what it said."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Final

from rich.cells import cell_len

from store.timespan import TimeSpan
from tui.formatting import clean, clock, duration, fit, number
from tui.theme import Look
from tui.widgets.columns import Column, Row
from tui.widgets.lines import Part

# Classes of severity by their lowest OpenTelemetry number, and the role that each is drawn in.
SEVERITIES: Final = (
    (21, "fatal", "error"),
    (17, "error", "error"),
    (13, "warning", "warning"),
    (9, "info", "info"),
    (5, "debug", "other"),
    (1, "trace", "other"),
)
# Read for every line: everything that a column shows, and what an event says without a message.
ALWAYS_READ: Final = (
    *("event_time", "severity", "event_name", "service_name", "user_id", "install_id"),
    *("duration_ms", "message", "value", "unit", "component"),
)
# Of the attributes beyond the fixed columns so many are read for the lines; a page stays fast.
ATTRIBUTES_READ_MAX: Final = 24
_TEXT_READ_MAX: Final = 200
_IN_COLUMNS: Final = frozenset(ALWAYS_READ) - {"component"} | {"_part", "_row"}

Cell = Callable[[Row, int, Look], Sequence[Part]]


def telling_first(page: Mapping[int, Row]) -> dict[int, Row]:
    """The rows with their attributes in order of how much they tell: those that few rows have
    come first, since what nearly all have (a browser, a country) tells them apart least.
    """
    held = Counter(name for row in page.values() for name in row if row[name] is not None)
    return {
        place: {name: row[name] for name in sorted(row, key=lambda name: (held[name], name))}
        for place, row in page.items()
    }


def severity_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The class of severity (empty: none) and its role."""
    number = row.get("severity")
    if number is None:
        return "", "faint"
    return next(((name, role) for least, name, role in SEVERITIES if number >= least), ("", "dim"))


def event_columns(span: TimeSpan, zone: tzinfo) -> tuple[Column, ...]:
    """For a table over `span`: with the date where it covers more than one."""
    last = span.end - timedelta(microseconds=1)
    return _columns(zone, span.start.astimezone(zone).date() != last.astimezone(zone).date())


@lru_cache(maxsize=8)
def _columns(zone: tzinfo, days: bool) -> tuple[Column, ...]:
    return (
        Column("event_time", "time", 19 if days else 12, _time_cell(zone, days=days)),
        Column("severity", "", 1, severity_cell, gap=1),
        Column("event_name", "name", 19, name_cell, rank=-1, least=8),
        Column("service_name", "service", 8, _service_cell, rank=4),
        Column("user_id", "user", 8, _user_cell, rank=3),
        Column("duration_ms", "took", 6, duration_cell, right=True, rank=2),
        Column("message", "", 16, summary_cell, rank=1, grows=True, sortable=False),
    )


def _time_cell(zone: tzinfo, *, days: bool) -> Cell:
    def cell(row: Row, _width: int, look: Look) -> list[Part]:
        time: datetime = row["event_time"]
        text = clock(time, zone, digits=3)
        day = f"{time.astimezone(zone):%d %b} " if days else ""
        return [
            (day, look.style("dim")),
            (text[:8], look.style("text")),
            (text[8:], look.style("dim")),
        ]

    return cell


def severity_cell(row: Row, _width: int, look: Look) -> list[Part]:
    name, role = severity_of(row)
    return [(look.glyphs.severity[name], look.style(role))]


def name_cell(row: Row, width: int, look: Look) -> list[Part]:
    role = severity_of(row)[1]
    bad = role in ("error", "warning")
    text = fit(str(row.get("event_name", "")), width, ellipsis=look.glyphs.ellipsis)
    return [(text, look.style(role if bad else "text", bold=role == "error"))]


def _service_cell(row: Row, width: int, look: Look) -> list[Part]:
    return [text_part(row.get("service_name"), width, look)]


def _user_cell(row: Row, width: int, look: Look) -> list[Part]:
    """The user, else the device, dimmed."""
    if row.get("user_id") or not row.get("install_id"):
        return [text_part(row.get("user_id"), width, look)]
    return [(text_part(row["install_id"], width, look)[0], look.style("dim"))]


def text_part(value: Any, width: int, look: Look) -> Part:
    if value is None or value == "":
        return look.glyphs.nothing.ljust(width), look.style("faint")
    return fit(str(value), width, ellipsis=look.glyphs.ellipsis), look.style("text")


def duration_cell(row: Row, width: int, look: Look) -> list[Part]:
    value = row.get("duration_ms")
    if value is None or not math.isfinite(value):
        return [(look.glyphs.nothing.rjust(width - 2) + "  ", look.style("faint"))]
    text, unit = duration(value)
    # Past ten thousand years the digits no longer matter.
    text = text if len(text) <= width - 2 else "huge"
    unit = unit.replace("µ", look.glyphs.micro).ljust(2)
    return [(text.rjust(width - 2), look.style("text")), (unit, look.style("dim"))]


def summary_cell(row: Row, width: int, look: Look) -> list[Part]:
    """The message; without one the attributes, as `name value`, as many as there is room for."""
    if row.get("message"):
        return [text_part(row["message"], width, look)]
    parts: list[Part] = []
    room = width
    for name, value in _told(row):
        pair = _pair(name, value, room, look)
        if not pair:
            continue
        parts += [*pair, ("  ", look.style("dim"))]
        room -= sum(cell_len(text) for text, _ in pair) + 2
    return [*parts[:-1], (" " * (room + 2 if parts else room), look.style("dim"))]


def _pair(name: str, value: Any, room: int, look: Look) -> list[Part]:
    """Name and value within `room`; a text may be cut, a number is there whole or not at all."""
    label = f"{clean(name)} "
    left = room - cell_len(label)
    shown = number(value) if _is_number(value) else clean(_said(value)[:_TEXT_READ_MAX])
    if cell_len(shown) > left:
        if _is_number(value) or left < 4:
            return []
        shown = fit(shown, left, ellipsis=look.glyphs.ellipsis)
    return [(label, look.style("dim")), (shown, look.style("text"))]


def _told(row: Row) -> list[tuple[str, Any]]:
    value, unit = row.get("value"), row.get("unit")
    first: list[tuple[str, Any]] = []
    if value is not None:
        first.append(("value", f"{number(value)} {clean(str(unit))}" if unit else value))
    others = [name for name in row if name not in _IN_COLUMNS and name != "component"]
    # The component last: it says the least, and most often.
    return first + [(name, row[name]) for name in (*others, "component") if _held(row, name)]


def _held(row: Row, name: str) -> bool:
    return row.get(name) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
