"""Items of Sentry's envelopes in our terms: errors, spans, logs, metrics, and what tells of them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from store.collector.intake.records import (
    Load,
    Record,
    attributes_of,
    joined,
    list_of,
    object_of,
)
from store.collector.intake.sentry_envelope import Envelope, Item
from store.collector.intake.sentry_event import error_of, named, release_of, span_times, trace_of
from store.normalise.json_text import Fault, NotTakenError

UNSUPPORTED: Final = "unsupported"
"""The reason of an item that holds no telemetry of a kind that is stored: files, profiles."""
ITEM_BYTES_MAX: Final = 1024 * 1024
_SOUND: Final = frozenset({"ok", "cancelled", "unset"})
# attribute of a log, a span or a metric -> field of ours
_ADOPTED: Final[Mapping[str, str]] = {
    "sentry.release": "service_version",
    "sentry.environment": "environment",
    "user.id": "user_id",
    "sentry.trace.parent_span_id": "span_id",
}
_METRIC_KINDS: Final = {"counter": "counter", "gauge": "gauge", "distribution": "histogram"}
_SHARED: Final = ("service_name", "service_version", "user_id", "environment", "sample_rate")


def events_of_item(envelope: Envelope, item: Item, load: Load) -> list[Record]:
    """NotTakenError: it is broken, or of a kind that is not stored (UNSUPPORTED)."""
    reader = _READERS.get(item.kind) if type(item.kind) is str else None
    if reader is None:
        raise NotTakenError(Fault(UNSUPPORTED, "items of this type are not stored"))
    if len(item.payload) > ITEM_BYTES_MAX and item.kind in _SINGLE:
        fault = f"it has {len(item.payload):,} bytes, {ITEM_BYTES_MAX:,} are Sentry's limit"
        raise NotTakenError(Fault("too_large", fault))
    payload = object_of(load(item.payload), "the item")
    return list(reader(envelope, item, payload))


def _error(envelope: Envelope, item: Item, event: Record) -> Iterator[Record]:
    event_id = event.get("event_id") or envelope.event_id or item.digest
    yield joined({}, {"event_id": event_id, **error_of(event)})


def _transaction(envelope: Envelope, item: Item, event: Record) -> Iterator[Record]:
    """The whole is a span, and so is each within."""
    event_id = event.get("event_id") or envelope.event_id or item.digest
    spans = list_of(event.get("spans") or [], "its spans")
    name = event.get("transaction")
    row = error_of({key: value for key, value in event.items() if key not in {"spans", "level"}})
    trace = trace_of(event)
    row |= {
        "event_id": event_id,
        "event_type": "span",
        "severity": _severity(trace.get("status")),
        "sample_rate": envelope.sampled_to,
        "op": trace.get("op"),
        "status": trace.get("status"),
        **named(name, "transaction"),
        **span_times(event.get("start_timestamp"), event.get("timestamp")),
    }
    for said in ("start_timestamp", "transaction"):
        row.pop(said, None)
    yield joined(attributes_of(trace.get("data"), "data"), row)
    shared = {name: row[name] for name in _SHARED if row.get(name) is not None}
    for number, span in enumerate(spans):
        yield _span(object_of(span, "a span"), {**shared, "event_id": f"{event_id}-{number}"})


_SPAN_FIELDS: Final = frozenset(
    {
        *("span_id", "trace_id", "parent_span_id", "start_timestamp", "timestamp", "data"),
        *("description", "tags", "end_timestamp", "name", "attributes"),
    }
)


def _span(span: Record, shared: Record) -> Record:
    """Of either version: a description and data, or a name and attributes."""
    fields = {
        **shared,
        "event_type": "span",
        "trace_id": span.get("trace_id"),
        "span_id": span.get("span_id"),
        "parent_span_id": span.get("parent_span_id"),
        "severity": _severity(span.get("status")),
        **named(span.get("name") or span.get("description") or span.get("op"), "span"),
        **span_times(span.get("start_timestamp"), span.get("end_timestamp", span.get("timestamp"))),
    }
    fields |= {k: v for k, v in span.items() if k not in _SPAN_FIELDS and k not in fields}
    attributes = attributes_of(span.get("data"), "data") | attributes_of(span.get("tags"), "tags")
    return joined(attributes, fields)


def _severity(status: Any) -> str | None:
    return "error" if type(status) is str and status not in _SOUND else None


def _items(payload: Record) -> Iterator[tuple[int, Record]]:
    """Of an item that holds many."""
    for number, one in enumerate(list_of(payload.get("items"), "its items")):
        yield number, object_of(one, "one of its items")


def _typed(attributes: Any) -> Record:
    """`{"n": {"value": 1, "type": "integer"}}` as `{"n": 1}`."""
    return {
        name: said["value"] if type(said) is dict and "value" in said else said
        for name, said in attributes_of(attributes, "attributes").items()
    }


def _with_attributes(one: Record, fields: Record, taken: frozenset[str]) -> Record:
    attributes = _typed(one.get("attributes"))
    for theirs, ours in _ADOPTED.items():
        if theirs in attributes and fields.get(ours) is None:
            fields[ours] = attributes.pop(theirs)
    fields |= release_of(fields.get("service_version"))
    fields |= {k: v for k, v in one.items() if k not in taken and k not in fields}
    return joined(attributes, fields)


_LOG_FIELDS: Final = frozenset(
    {"timestamp", "level", "severity_number", "body", "attributes", "trace_id", "span_id"}
)


def _logs(_envelope: Envelope, item: Item, payload: Record) -> Iterator[Record]:
    digest = item.digest
    for number, log in _items(payload):
        level = log.get("level")
        fields = {
            "event_id": f"{digest}-{number}",
            "event_time": log.get("timestamp"),
            "event_type": "log",
            "event_name": "log",
            "severity": log.get("severity_number", level),
            "severity_text": level,
            "message": log.get("body"),
            "trace_id": log.get("trace_id"),
            "span_id": log.get("span_id"),
        }
        yield _with_attributes(log, fields, _LOG_FIELDS)


def _spans(envelope: Envelope, item: Item, payload: Record) -> Iterator[Record]:
    digest = item.digest
    for number, span in _items(payload):
        shared = {"event_id": f"{digest}-{number}", "sample_rate": envelope.sampled_to}
        plain = {key: value for key, value in span.items() if key != "attributes"}
        yield _with_attributes(span, _span(plain, shared), frozenset(span))


_METRIC_FIELDS: Final = frozenset(
    {"timestamp", "name", "type", "attributes", "value", "unit", "trace_id", "span_id"}
)


def _metrics(_envelope: Envelope, item: Item, payload: Record) -> Iterator[Record]:
    digest = item.digest
    for number, metric in _items(payload):
        kind = metric.get("type")
        fields = {
            "event_id": f"{digest}-{number}",
            "event_time": metric.get("timestamp"),
            "event_type": "metric",
            "event_name": metric.get("name"),
            "metric_kind": _METRIC_KINDS.get(kind, kind) if type(kind) is str else None,
            "value": metric.get("value"),
            "unit": metric.get("unit"),
            "trace_id": metric.get("trace_id"),
            "span_id": metric.get("span_id"),
        }
        yield _with_attributes(metric, fields, _METRIC_FIELDS)


def _other(_envelope: Envelope, item: Item, payload: Record) -> Iterator[Record]:
    """What tells of sessions, jobs, feedback, and of what a client dropped."""
    about = attributes_of(payload.get("attrs"), "attrs") or payload
    fields = {
        "event_id": item.digest,
        "event_time": payload.get("timestamp"),
        "event_type": "log",
        "event_name": item.kind,
        "session_id": payload.get("sid"),
        "user_id": payload.get("did"),
        **release_of(about.get("release")),
    }
    rest = {k: v for k, v in payload.items() if k not in {"timestamp", "sid", "did"}}
    return iter([joined(rest, fields)])


_SINGLE: Final = frozenset({"event", "transaction", "feedback"})
_READERS: Final[Mapping[str, Callable[[Envelope, Item, Record], Iterator[Record]]]] = {
    "event": _error,
    "feedback": _error,
    "transaction": _transaction,
    "span": _spans,
    "log": _logs,
    "trace_metric": _metrics,
    **dict.fromkeys(("session", "sessions", "check_in", "client_report", "user_report"), _other),
}
