"""Lines that are metrics: `name:1|c|@0.1|#tag:x`, and `name:1:2:3|ms` with many values in one.

https://github.com/statsd/statsd/blob/master/docs/metric_types.md
"""

import math
import re
from typing import Any, Final, NamedTuple

import xxhash

from store.normalise.json_text import Fault, NotTakenError
from store.statsd.sections import Row, common_of, unix_time

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# Longer ones are no exact integers any more.
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_RATED: Final = frozenset({"c", "ms", "h", "d"})
_KINDS: Final[dict[str, Row]] = {
    "c": {"metric_kind": "counter", "metric_temporality": "delta"},
    "g": {"metric_kind": "gauge"},
    "ms": {"metric_kind": "timing", "unit": "ms"},
    "h": {"metric_kind": "histogram"},
    "d": {"metric_kind": "histogram"},
    "s": {"metric_kind": "set"},
}
_SHAPE: Final = Fault("bad_line", "it is not written as name:value|type")


class Meta(NamedTuple):
    """What all values of a line share."""

    kind: str
    row: Row


class _Metas(dict[str, Meta]):
    """All that stands after a line's values -> what it says; remembers up to a bound, as the same
    comes again and again. NotTakenError.
    """

    REMEMBERED_MAX: Final = 5_000
    REMEMBERED_CHARS_MAX: Final = 1_000

    def __missing__(self, text: str) -> Meta:
        meta = _meta(text)
        if len(text) <= self.REMEMBERED_CHARS_MAX:
            if len(self) >= self.REMEMBERED_MAX:
                self.clear()
            self[text] = meta
        return meta


_METAS: Final = _Metas()


def metrics_of(line: str) -> list[Row]:
    """One row a value; NotTakenError. A set has one value, its `metric_member`; a signed gauge
    has `metric_delta` instead of a value.
    """
    name, colon, rest = line.partition(":")
    values, bar, meta = rest.partition("|")
    if not (name and colon and bar):
        raise NotTakenError(_SHAPE)
    kind, shared = _METAS[meta]
    row = {"event_type": "metric", "event_name": name, **shared}
    if kind == "s":
        return [row | {"metric_member": values}]
    if kind == "g":
        stream = _stream(name, shared)
        return [row | _gauge(value, stream) for value in values.split(":")]
    return [row | {"value": _number(value)} for value in values.split(":")]


def _gauge(text: str, stream: str) -> Row:
    number = _number(text)
    is_signed = text[:1] in {"+", "-"}
    field = {"metric_delta": float(number)} if is_signed else {"value": number}
    return {**field, "metric_stream": stream}


def _stream(name: str, shared: Row) -> str:
    """The same for gauges of one name and the same tags, in any order, and no others."""
    tags = sorted((key, str(value)) for key, value in shared.items() if key != "event_time")
    return xxhash.xxh3_64_hexdigest(repr((name, tags)).encode())


def _number(text: str) -> float:
    if _INTEGER.fullmatch(text):
        return int(text)
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise NotTakenError(Fault("bad_value", "a value of it is no finite number"))
    return value


def _meta(text: str) -> Meta:
    kind, *sections = text.split("|")
    if kind not in _KINDS:
        raise NotTakenError(Fault("bad_kind", f"its type is not one of {', '.join(_KINDS)}"))
    row: dict[str, Any] = {}
    others: list[str] = []
    for section in sections:
        if section.startswith("@"):
            rate = _rate(section[1:])
            if kind in _RATED and rate < 1:
                row["sample_rate"] = 1 / rate
        elif section.startswith("T"):
            row["event_time"] = unix_time(section[1:])
        else:
            others.append(section)
    return Meta(kind, common_of(others) | row | _KINDS[kind])


def _rate(text: str) -> float:
    rate = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not 0 < rate <= 1 or not math.isfinite(1 / rate):
        raise NotTakenError(Fault("bad_rate", "its sample rate is not above 0 and up to 1"))
    return rate
