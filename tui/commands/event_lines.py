"""Events as lines: NDJSON, and one line of text each for people."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
import polars as pl

from store.schema import iso_text, severity_class
from store.terminals import harmless_json
from tui.commands.table import harmless

# Said first, or of no use to someone who reads along.
_APART: Final = frozenset(
    (
        *("event_id", "event_time", "event_type", "event_name", "received_time", "severity"),
        *("severity_text", "service_name", "message", "source", "subject_hash", "user_bucket"),
        "_class",
    )
)
_COLOURS: Final = {"warning": "\x1b[33m", "error": "\x1b[31m", "fatal": "\x1b[1;31m"}
_RESET: Final = "\x1b[0m"


def as_json_lines(events: pl.DataFrame) -> list[str]:
    """Each event as one JSON object with what it has; times in UTC with a Z."""
    rows = events.with_columns(_iso_times(events)).to_dicts()
    present = ({name: value for name, value in row.items() if value is not None} for row in rows)
    return [harmless_json(orjson.dumps(row).decode()) for row in present]


def as_text_lines(events: pl.DataFrame, *, colour: bool) -> list[str]:
    """`2026-11-22T14:03:27.123Z error api tool_error EACCES: … user_id=ada`, harmless to show."""
    known = set(events.columns)
    klass = severity_class() if "severity" in known else pl.lit(None, dtype=pl.String)
    rows = events.with_columns(*_iso_times(events), klass.alias("_class")).iter_rows(named=True)
    painted = colour and "NO_COLOR" not in os.environ
    return [_text_line(row, painted=painted) for row in rows]


def _text_line(row: Mapping[str, Any], *, painted: bool) -> str:
    severity = row["_class"] or "·"
    shown = f"{severity:7}"
    if painted and severity in _COLOURS:
        shown = f"{_COLOURS[severity]}{shown}{_RESET}"
    said = [row.get("service_name") or "·", row["event_name"], row.get("message")]
    texts = [harmless(text) for text in said if text]
    return " ".join([row["event_time"], shown, *texts, *_attributes(row)])


def _attributes(row: Mapping[str, Any]) -> Iterable[str]:
    for name, value in row.items():
        if value is None or name in _APART:
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        plain = text and not any(char.isspace() or char == '"' for char in text)
        yield harmless(f"{name}={text if plain else orjson.dumps(text).decode()}")


def _iso_times(events: pl.DataFrame) -> list[pl.Expr]:
    return [iso_text(n) for n, kind in events.schema.items() if isinstance(kind, pl.Datetime)]
