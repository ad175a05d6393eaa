"""Everything known of one event, as lines: named, typed, aligned, in groups."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import orjson
from rich.cells import cell_len, chop_cells
from textual.strip import Strip

from store.timespan import iso
from tui.formatting import clean, duration, fit
from tui.theme import Look
from tui.views.event_columns import severity_of
from tui.widgets.lines import Part, blank, line

GROUPS: Final = (
    ("what", ("event_type", "component", "duration_ms", "value", "unit", "metric_kind")),
    ("where", ("service_name", "service_version", "service_commit", "is_dev", "source")),
    ("who", ("user_id", "install_id", "session_id")),
    ("trace", ("trace_id", "span_id", "parent_span_id")),
)
_ABOVE: Final = frozenset({"event_time", "event_name", "severity", "message"})
_LAST: Final = (
    *("event_id", "received_time", "severity_text", "sample_rate", "user_bucket", "subject_hash"),
)
_LABEL_WIDTH_MAX: Final = 20
# As store.schema has it; that one brings Polars.
EXACT_FLOAT_MAX: Final = 2**53
# A value longer than this is cut in the pane; `y` still copies all of it.
_LINES_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class DetailLine:
    """One line; those of an attribute can be chosen."""

    strip: Strip
    attribute: str = ""
    """Empty for headings and blanks."""
    value: str = ""
    """As a filter would have it."""


def detail_lines(
    event: Mapping[str, Any], width: int, look: Look, zone: tzinfo = UTC
) -> list[DetailLine]:
    """The message on top, then the groups that hold something, then every other attribute."""
    labels = min(_LABEL_WIDTH_MAX, max((cell_len(clean(name)) for name in event), default=0))
    labels = min(labels, max(6, width * 2 // 5))
    lines = list(_top(event, width, look, zone))
    for title, names in _groups(event):
        lines += [DetailLine(blank(width)), DetailLine(_heading(title, width, look))]
        for name in names:
            lines += _attribute(name, event[name], labels, width, look, zone)
    return lines


def _groups(event: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    grouped = {name for _, names in GROUPS for name in names} | _ABOVE | set(_LAST)
    attributes = sorted(name for name in event if name not in grouped)
    for title, names in (*GROUPS, ("attributes", attributes), ("record", _LAST)):
        held = [name for name in names if event.get(name) is not None]
        if held:
            yield title, held


def _top(event: Mapping[str, Any], width: int, look: Look, zone: tzinfo) -> Iterator[DetailLine]:
    name, role = severity_of(event)
    word = str(event.get("severity_text") or name or event.get("event_type", ""))
    time = event["event_time"]
    sign = f"{look.glyphs.severity[name]} " if name else ""
    parts = [
        (sign, look.style(role)),
        (fit(word, min(12, cell_len(clean(word)))), look.style(role if name else "dim", bold=True)),
    ]
    yield DetailLine(
        line(parts, width, [(_instant(time, zone), look.style("text"))]),
        "severity" if name else "",
        name,
    )
    message = event.get("message")
    if message:
        rows = _wrapped(str(message), width)
        for text in rows:
            strip = line([(text, look.style("bright", bold=True))], width)
            yield DetailLine(strip, "message", str(message))


def _heading(title: str, width: int, look: Look) -> Strip:
    rule = look.glyphs.rule * max(0, width - len(title) - 1)
    return line([(f"{title} ", look.style("dim")), (rule, look.style("faint"))], width)


def _attribute(
    name: str, value: Any, labels: int, width: int, look: Look, zone: tzinfo
) -> list[DetailLine]:
    shown, role, kind = _typed(name, value, zone)
    label = fit(name, labels, ellipsis=look.glyphs.ellipsis)
    room = max(4, width - labels - 2)
    hint = [(f" {kind}", look.style("dim"))] if kind else []
    rows = _wrapped(shown, room)
    if hint and cell_len(rows[0]) + len(kind) + 1 > room:
        hint = []
    plain = as_filter_value(value)
    lines = []
    for number, text in enumerate(rows):
        head = label if not number else " " * labels
        parts: list[Part] = [(f"{head}  ", look.style("dim")), (text, look.style(role))]
        strip = line(parts, width, hint if not number else ())
        lines.append(DetailLine(strip, name, plain))
    return lines


def _typed(name: str, value: Any, zone: tzinfo) -> tuple[str, str, str]:
    """The value as text, its role, and a word on it."""
    if isinstance(value, bool):
        return str(value).lower(), "p50", ""
    if isinstance(value, datetime):
        return _instant(value, zone), "text", ""
    if name == "duration_ms" and isinstance(value, int | float) and math.isfinite(value):
        number, unit = duration(value)
        exact = f"{value:,.3f}".rstrip("0").rstrip(".") + " ms"
        shown = f"{number} {unit}"
        return shown, "p95", "" if exact == shown else exact
    if isinstance(value, int | float):
        return _number(value), "p95", ""
    text = str(value)
    packed = _unpacked(text)
    return (packed, "text", "list") if packed else (text, "text", "")


def _number(value: float) -> str:
    """All digits, whole numbers in groups of three."""
    if isinstance(value, int) or _is_whole(value):
        return f"{int(value):,}"
    return repr(value)


def _is_whole(value: float) -> bool:
    """A float that stands for an integer exactly."""
    return abs(value) < EXACT_FLOAT_MAX and value == int(value)


def _unpacked(text: str) -> str:
    """JSON lists one item a line; empty for anything else."""
    if not text.startswith("[") or not text.endswith("]"):
        return ""
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ""
    if not items or not isinstance(items, list):
        return ""
    shown = (item if isinstance(item, str) else orjson.dumps(item).decode() for item in items)
    return "\n".join(f"- {item}" for item in shown)


def _instant(time: datetime, zone: tzinfo) -> str:
    local = time.astimezone(zone)
    fraction = f"{local:%f}".rstrip("0") or "0"
    return f"{local.day} {local:%b %Y %H:%M:%S}.{fraction}"


def _wrapped(text: str, width: int) -> Sequence[str]:
    """Clean lines of at most `width` cells; line breaks of the text itself are kept."""
    rows: list[str] = []
    for paragraph in text.split("\n"):
        if len(rows) >= _LINES_MAX:
            break
        rows += _folded(clean(paragraph[: width * _LINES_MAX * 4]), width)
    return rows[:_LINES_MAX] or [""]


def _folded(text: str, width: int) -> list[str]:
    """Broken at spaces where there are some, else anywhere."""
    rows: list[str] = []
    row = ""
    for word in text.split(" "):
        longer = f"{row} {word}" if row else word
        if cell_len(longer) <= width:
            row = longer
            continue
        if row:
            rows.append(row)
        *full, row = chop_cells(word, width) or [""]
        rows += full
    return [*rows, row]


def as_filter_value(value: Any) -> str:
    """The value as `field=value` of a filter takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float) and _is_whole(value):
        return str(int(value))
    return str(value)
