"""Log records, and the events that they are when they have a name."""

from collections.abc import Sequence
from typing import Any, Final

from store.normalise.json_text import dumps
from store.otlp.fields import hex_of, instants_of, whole_of
from store.otlp.rows import Form, Found, Row, Values
from store.schema import ATTRIBUTE_PREFIX

LOG: Final = "log"
WHERE: Final = "log record "
NAME_ATTRIBUTE: Final = "event.name"
"""It named events before OTLP had a field for it."""
DEFAULT_NAME: Final = "log"
"""The `event_name` of a record without one."""


def logs(groups: Sequence[tuple[Row, Sequence[Any]]], form: Form) -> Found:
    """`groups` are the records of each resource and scope, and what these are.

    A text body is `message`; an object's fields are `body.FIELD`; any other is `message` as JSON.
    """
    records = [record for _, group in groups for record in group]
    rows = [form.row(record.attributes) for record in records]
    observed = [r.observed_time_unix_nano for r in records]
    first = [r.time_unix_nano or seen for r, seen in zip(records, observed, strict=True)]
    fields: dict[str, Values] = {
        "event_time": instants_of(first),
        "event_type": [LOG] * len(records),
        "event_name": [r.event_name or _named(row) for r, row in zip(records, rows, strict=True)],
        "message": [
            _message(form.value_of(r.body), row) for r, row in zip(records, rows, strict=True)
        ],
        "severity": [r.severity_number or None for r in records],
        "severity_text": [r.severity_text or None for r in records],
        "trace_id": hex_of(r.trace_id for r in records),
        "span_id": hex_of(r.span_id for r in records),
        "observed_time_unix_nano": whole_of(observed),
        "trace_flags": whole_of(r.flags for r in records),
        "otel.dropped_attributes_count": whole_of(r.dropped_attributes_count for r in records),
    }
    contexts = [(context, len(group)) for context, group in groups]
    return Found(WHERE, rows, fields, contexts)


def _named(row: Row) -> str:
    name = row.get(NAME_ATTRIBUTE)
    if type(name) is not str or not name:
        return DEFAULT_NAME
    del row[NAME_ATTRIBUTE]
    return name


def _message(body: Any, row: Row) -> str | None:
    if type(body) is str or body is None:
        return body
    if type(body) is not dict:
        return dumps(body)
    name = "body"
    while name in row:
        name = ATTRIBUTE_PREFIX + name
    row[name] = body
    return None
