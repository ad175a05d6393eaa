"""The way of rows to events, the same for every storage: normalised, masked, accounted for."""

import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import polars as pl

from store.collector.processors import PROCESSORS
from store.event import Event
from store.normalise import Arrival, Lines, Raw, raw_lines
from store.storage.storage import Events
from store.tally import ERRORS_SHOWN_MAX, Receipt, Refusal, Tally

SOURCE: Final = "storage"
"""The `source` of events that came by a storage's doors, and their line in the tally."""
METRIC: Final = "metric"


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows on their way to be stored."""

    events: pl.DataFrame
    receipt: Receipt
    """What became of the others."""
    reasons: Mapping[str, int]

    def settled(self, stored: pl.DataFrame) -> tuple[Receipt, Tally]:
        """The receipt and the tally when these of the events were new."""
        duplicate = self.events.height - stored.height
        receipt = self.receipt + Receipt(stored=stored.height, duplicate=duplicate)
        return receipt, Tally.of(receipt, intake=SOURCE, reasons=self.reasons)


def taken(rows: Events, arrival: Arrival, *, metrics: bool) -> Taken:
    """The events among `rows`; with `metrics`, those that are metrics."""
    text = _frame_lines(rows) if isinstance(rows, pl.DataFrame) else _lines(rows)
    raw = raw_lines(Lines(text, where="event "), arrival.limits)
    decoded = (_as_metrics(raw) if metrics else raw).decoded(arrival)
    reasons = Counter(f"rejected.{refusal.reason}" for refusal in decoded.refusals)
    errors = tuple(decoded.refusals[:ERRORS_SHOWN_MAX])
    receipt = Receipt(rejected=len(decoded.refusals), errors=errors)
    events = decoded.events
    for processor in PROCESSORS if events.height else ():
        done = processor(events)
        events = done.events
        receipt += Receipt(0, done.filtered, done.sampled_out, done.duplicate)
        reasons.update(done.reasons)
    return Taken(events, receipt, reasons)


def _frame_lines(frame: pl.DataFrame) -> bytes:
    lines = io.BytesIO()
    frame.write_ndjson(lines)
    return lines.getvalue()


def _lines(rows: Iterable[Event | Mapping[str, Any]]) -> bytes:
    return b"".join(f"{_text(row)}\n".encode(errors="replace") for row in rows)


def _text(row: Event | Mapping[str, Any]) -> str:
    """The row as JSON; what JSON has no form for as its text."""
    document = row.as_wire() if isinstance(row, Event) else row
    try:
        return orjson.dumps(document).decode()
    except (orjson.JSONEncodeError, RecursionError):
        pass  # integers past 64 bits, halves of characters, objects of Python
    try:
        return json.dumps(_finite(document), default=str)
    except (TypeError, ValueError, RecursionError):
        return "null"  # refused by its place: it holds itself, or has keys that are no texts


def _finite(value: Any) -> Any:
    """Without the floats that JSON has no word for, as the quick way has it."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
    return value


def _as_metrics(raw: Raw) -> Raw:
    """Rows with a number as their value, made metrics; the others refused."""
    frame = raw.frame
    values = frame.get_column("value", default=pl.Series([None] * frame.height, dtype=pl.Float64))
    is_number = values.dtype.is_numeric()
    sound = values.is_not_null() if is_number else pl.Series([False] * frame.height)
    fault = "a metric needs a number as its value"
    refused = [Refusal(raw.place(row), fault, "no_value") for row in (~sound).arg_true()]
    kept = frame.filter(sound).with_columns(pl.lit(METRIC).alias("event_type"))
    numbers = [number for number, is_sound in zip(raw.numbers, sound, strict=True) if is_sound]
    return replace(raw, frame=kept, numbers=numbers, refusals=[*raw.refusals, *refused])
