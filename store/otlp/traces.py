"""Spans, and what happened within them: an event of its own for each of a span's events."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from store.normalise.json_text import Fault, dumps
from store.otlp.attributes import listed
from store.otlp.fields import hex_of, instants_of, whole_of
from store.otlp.rows import Form, Found, Row, Values
from store.schema import SEVERITIES
from store.settings import Limits

WHERE: Final = "span "
SPAN: Final = "span"
SPAN_EVENT: Final = "span_event"
"""The `event_type` of what happened within a span; it has the ids of the span."""
EXCEPTION: Final = "exception"
SAID: Final = "exception.message"
LONG_NAME: Final = "otel.span.name"
"""The whole of a name that was cut, as those with SQL or a URL in them are."""
NAME_CHARS_MAX: Final = Limits().name_chars_max
KINDS: Final = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUS_CODES: Final = {1: "OK", 2: "ERROR"}
ERROR: Final = SEVERITIES["error"]
_BAD_ID: Final = Fault("bad_id", "its trace_id or span_id is not of 16 and 8 bytes, or all zeros")


def traces(groups: Sequence[tuple[Row, Sequence[Any]]], form: Form) -> Found:
    """`groups` are the spans of each resource and scope, and what these are.

    A span begins at its `event_time`. One whose status is an error, and an exception within one,
    has the severity `error`, and what it says is the `message`.
    """
    spans = [span for _, group in groups for span in group]
    bad = {number: _BAD_ID for number, span in enumerate(spans, 1) if not _has_ids(span)}
    within = [(span, event) for span in spans for event in span.events if _has_ids(span)]
    rows = [form.row(span.attributes) for span in spans]
    event_rows = [form.row(event.attributes) for _, event in within]
    fields = _shared_fields(spans, within)
    fields |= _span_fields(spans, form, [None] * len(within))
    fields["event_name"] = [_name(span, row) for span, row in zip(spans, rows, strict=True)]
    fields["event_name"] += [event.name or SPAN_EVENT for _, event in within]
    fields["message"] = [span.status.message or None for span in spans]
    fields["message"] += [_said(row) for row in event_rows]
    contexts = [(context, len(group)) for context, group in groups]
    contexts += [(context, _count_within(group)) for context, group in groups]
    return Found(WHERE, rows + event_rows, fields, contexts, bad)


def _shared_fields(spans: Sequence[Any], within: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    owners = [*spans, *(span for span, _ in within)]
    times = [span.start_time_unix_nano or span.end_time_unix_nano for span in owners]
    for place, (_, event) in enumerate(within, len(spans)):
        times[place] = event.time_unix_nano or times[place]
    every = [*spans, *(event for _, event in within)]
    severities = [ERROR if span.status.code == 2 else None for span in spans]
    severities += [ERROR if event.name == EXCEPTION else None for _, event in within]
    return {
        "event_time": instants_of(times),
        "event_type": [SPAN] * len(spans) + [SPAN_EVENT] * len(within),
        "severity": severities,
        "trace_id": hex_of(span.trace_id for span in owners),
        "span_id": hex_of(span.span_id for span in owners),
        "otel.dropped_attributes_count": whole_of(e.dropped_attributes_count for e in every),
    }


def _span_fields(spans: Sequence[Any], form: Form, rest: list[None]) -> Mapping[str, Values]:
    none = [0] * len(rest)
    return {
        "parent_span_id": hex_of([*(span.parent_span_id for span in spans), *([b""] * len(rest))]),
        "duration_ms": [_duration(span) for span in spans] + rest,
        "span.kind": [KINDS.get(span.kind) for span in spans] + rest,
        "otel.status_code": [STATUS_CODES.get(span.status.code) for span in spans] + rest,
        "links": [links_text(span.links, form) for span in spans] + rest,
        "trace_state": [span.trace_state or None for span in spans] + rest,
        "trace_flags": whole_of([*(span.flags for span in spans), *none]),
        "otel.dropped_events_count": whole_of([*(s.dropped_events_count for s in spans), *none]),
        "otel.dropped_links_count": whole_of([*(s.dropped_links_count for s in spans), *none]),
    }


def _has_ids(span: Any) -> bool:
    return (
        len(span.trace_id) == 16
        and len(span.span_id) == 8
        and any(span.trace_id)
        and any(span.span_id)
    )


def _count_within(spans: Sequence[Any]) -> int:
    return sum(len(span.events) for span in spans if _has_ids(span))


def _duration(span: Any) -> float | None:
    if not span.start_time_unix_nano or not span.end_time_unix_nano:
        return None
    milliseconds: float = (span.end_time_unix_nano - span.start_time_unix_nano) / 1_000_000
    return milliseconds


def _name(span: Any, row: Row) -> str:
    name: str = span.name or SPAN
    if len(name) <= NAME_CHARS_MAX:
        return name
    row.setdefault(LONG_NAME, name)
    return f"{name[: NAME_CHARS_MAX - 1]}…"


def _said(row: Row) -> str | None:
    message = row.get(SAID)
    return message if type(message) is str else None


def links_text(links: Sequence[Any], form: Form) -> str | None:
    """As JSON text."""
    return dumps([_link(link, form) for link in links]) if len(links) else None


def _link(link: Any, form: Form) -> Row:
    attributes = {name: listed(value) for name, value in form.row(link.attributes).items()}
    found = {
        "trace_id": link.trace_id.hex(),
        "span_id": link.span_id.hex(),
        "trace_state": link.trace_state,
        "flags": link.flags,
        "attributes": attributes,
        "dropped_attributes_count": link.dropped_attributes_count,
    }
    return {name: value for name, value in found.items() if value}
