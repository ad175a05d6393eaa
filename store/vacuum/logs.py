"""Ordinary logs: what each logger calls its time, level, message, name and error, made ours.

Everything else stays an attribute under its own name. Known: structlog, Python's loggers in JSON,
loguru (serialised), pino, bunyan, winston, zap, slog, zerolog, logrus, logfmt, Rust's tracing, and
what else uses the same words.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from store.normalise.json_text import dumps
from store.schema import SEVERITIES, severity_number

TIMES: Final = ("event_time", "timestamp", "time", "ts", "@timestamp", "Timestamp", "asctime")
LEVELS: Final = ("level", "severity", "levelname", "lvl", "log.level")
MESSAGES: Final = ("message", "msg", "short_message", "@message")
NAMES: Final = ("logger", "logger_name", "log.logger", "name", "target", "channel")
ERRORS: Final = ("err", "error", "exception", "exc_info")
STACKS: Final = ("stack", "stacktrace", "stack_trace", "error.stack_trace", "traceback")
IDS: Final = {
    "traceId": "trace_id",
    "trace.id": "trace_id",
    "spanId": "span_id",
    "span.id": "span_id",
}
DEFAULT_NAME: Final = "log"
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*|\d{9,19}(\.\d+)?", re.ASCII | re.DOTALL)
# A name such as `cart_paid`, which people group by; not a sentence.
_EVENT_NAME: Final = re.compile(r"[A-Za-z][\w.:/-]{0,63}")
# https://getpino.io/#/docs/api?id=loggerlevels-object, and bunyan's: the same numbers.
_NODE_LEVELS: Final = ((60, 21), (50, 17), (40, 13), (30, 9), (20, 5), (0, 1))
_SLOG_LEVEL: Final = re.compile(r"(DEBUG|INFO|WARN|ERROR)([+-]\d{1,2})", re.ASCII)
_OTHER_LEVELS: Final = {"success": 10, "dpanic": 20, "silly": 1, "http": 9}
# What an error calls its kind, its words and its stack.
_KINDS: Final = ("type", "name", "kind", "exc_type", "class")
_WORDS: Final = ("message", "msg", "value", "exc_value")
_TRACES: Final = ("stack", "stacktrace", "traceback", "stack_trace")
_LAST_LINE: Final = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")


def event_of_log(line: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event that a line of a log is; None when it tells neither a level nor a message."""
    rest = _unwrapped(line)
    level = _take(rest, LEVELS, _is_level)
    message = _take(rest, MESSAGES, _is_text)
    said = _take(rest, ("event",), _is_text) if message is None else None
    if level is None and message is None and said is None:
        return None
    event: dict[str, Any] = {"event_type": "log", "event_name": _name(said)}
    event |= {
        "event_time": _take(rest, TIMES, _is_time),
        "message": said if message is None else message,
        "component": _take(rest, NAMES, _is_text) if "component" not in rest else None,
        **_severity(level),
        **_error(rest),
    }
    for theirs, ours in IDS.items():
        if _is_text(rest.get(theirs)) and ours not in rest:
            event[ours] = rest.pop(theirs)
    found = {name: value for name, value in event.items() if value is not None}
    return found | rest


def _unwrapped(line: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the log line alone, where a logger wraps them."""
    record, fields = line.get("record"), line.get("fields")
    if isinstance(record, dict) and isinstance(record.get("level"), dict):
        return _loguru(line, record)
    if isinstance(fields, dict) and "message" in fields and "message" not in line:
        # Rust's tracing.
        return fields | {name: value for name, value in line.items() if name != "fields"}
    return dict(line)


def _loguru(line: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """https://loguru.readthedocs.io/en/stable/api/logger.html#record"""
    extra = record.get("extra")
    time = record.get("time")
    found = {name: value for name, value in line.items() if name != "record"}
    found |= {name: value for name, value in record.items() if name not in ("extra", "time")}
    found["level"] = record["level"].get("name")
    found["time"] = time.get("repr") if isinstance(time, dict) else time
    for name, value in extra.items() if isinstance(extra, dict) else ():
        found[name if name not in found else f"extra.{name}"] = value
    return found


def _take(rest: dict[str, Any], names: tuple[str, ...], fits: Callable[[Any], bool]) -> Any:
    """The first of these that is there and fits, which is gone from `rest`."""
    for name in names:
        if name in rest and fits(rest[name]):
            return rest.pop(name)
    return None


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_level(value: Any) -> bool:
    return _is_text(value) or _is_number(value)


def _is_time(value: Any) -> bool:
    return _is_number(value) or (_is_text(value) and _TIME.fullmatch(value) is not None)


def _name(said: str | None) -> str:
    """The `event` of structlog is often one; any other line is a log."""
    return said if said is not None and _EVENT_NAME.fullmatch(said) else DEFAULT_NAME


def _severity(level: Any) -> dict[str, Any]:
    """OpenTelemetry's number, and the level as it was written."""
    if level is None:
        return {}
    if _is_number(level):
        number = next((number for least, number in _NODE_LEVELS if level >= least), 1)
        known = level in {least for least, _ in _NODE_LEVELS}
        return {"severity": number} | ({} if known else {"level": level})
    return {"severity": _number_of(level), "severity_text": level}


def _number_of(level: str) -> int | None:
    step = _SLOG_LEVEL.fullmatch(level.upper())
    if step:
        base = severity_number(step[1])
        return None if base is None else min(max(base + int(step[2]), SEVERITIES["trace"]), 24)
    return severity_number(level) or _OTHER_LEVELS.get(level.lower())


def _error(rest: dict[str, Any]) -> dict[str, Any]:
    """OpenTelemetry's `exception.*` out of whatever tells of an error."""
    error = _take(rest, ERRORS, lambda value: bool(value) and type(value) in (str, dict, list))
    found = _error_fields(error)
    stack = _take(rest, STACKS, _is_text)
    if stack is not None:
        found.setdefault("exception.stacktrace", stack)
    return found


def _error_fields(error: Any) -> dict[str, Any]:
    if isinstance(error, str):
        return _error_of_text(error)
    if isinstance(error, list):
        first = error[0] if isinstance(error[0], dict) else {}
        return _error_of_object(dict(first)) | {"exception.stacktrace": dumps(error)}
    return _error_of_object(dict(error)) if error else {}


def _error_of_text(text: str) -> dict[str, Any]:
    """Of many lines it is a stack, whose last line tells kind and words in Python."""
    if "\n" not in text.strip():
        return {"exception.message": text}
    found = {"exception.stacktrace": text}
    last = _LAST_LINE.match(text.strip().rpartition("\n")[2])
    if last and text.lstrip().startswith("Traceback"):
        found["exception.type"] = last[1]
        if last[2]:
            found["exception.message"] = last[2]
    return found


def _error_of_object(error: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "exception.type": _take(error, _KINDS, _is_text),
        "exception.message": _take(error, _WORDS, _is_text),
        "exception.stacktrace": _take(error, _TRACES, _is_text),
    }
    fields |= {f"exception.{name}": value for name, value in error.items()}
    return {name: value for name, value in fields.items() if value is not None}
