"""A request of OTLP, in protobuf or JSON, to events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import polars as pl
from google.protobuf.message import DecodeError

from store.normalise import Arrival, Decoded, Raw
from store.normalise.json_text import Fault, NotTakenError, loads
from store.otlp.bounds import check_json, check_protobuf
from store.otlp.columnar import Table
from store.otlp.forms import JSON, PROTOBUF
from store.otlp.json_messages import JsonMessage, json_class
from store.otlp.log_columns import log_columns
from store.otlp.logs import logs
from store.otlp.messages import lean, outer
from store.otlp.metrics import metrics
from store.otlp.point_columns import point_columns
from store.otlp.rows import Form, Found, Row
from store.otlp.span_columns import span_columns
from store.otlp.traces import traces
from store.otlp.wire import UnusualError
from store.settings import Limits
from store.tally import Refusal

BODY: Final = "body"
"""The place of a refusal that is about a request as a whole."""
COLUMNS_BYTES_MIN: Final = 4_096
"""In a smaller body there are few records."""
COLLECTOR: Final = "opentelemetry.proto.collector"
Groups = Sequence[tuple[Row, Sequence[Any]]]
"""Records, and what they share of resource and scope."""
Find = Callable[[Groups, Form], Found]
Columns = Callable[[Groups, Limits], Table]


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of telemetry: what its requests are, and what finds the events in them."""

    path: Sequence[str]
    """The fields from a request to its records."""
    levels: int
    """So deep below a request stand the attributes of what becomes an event."""
    protobuf: Any
    """The class of its requests."""
    outer: Any
    """The same, its records as bytes."""
    json: type[JsonMessage]
    find: Find
    columns: Columns
    """The same in one go; UnusualError where they have to be looked at one by one."""

    @classmethod
    def of(
        cls, package: str, path: Sequence[str], find: Find, columns: Columns, levels: int = 3
    ) -> Self:
        """`package` is the one of its messages: `logs`."""
        name = f"{COLLECTOR}.{package}.v1.Export{package.capitalize()}ServiceRequest"
        return cls(path, levels, lean(name), outer(name), json_class(name), find, columns)


SIGNALS: Final[Mapping[str, Signal]] = {
    "logs": Signal.of("logs", ("resource_logs", "scope_logs", "log_records"), logs, log_columns),
    "traces": Signal.of("trace", ("resource_spans", "scope_spans", "spans"), traces, span_columns),
    "metrics": Signal.of(
        "metrics",
        ("resource_metrics", "scope_metrics", "metrics"),
        metrics,
        point_columns,
        levels=5,
    ),
}
"""By the last part of the path that they are sent to."""


def decode_otlp(signal: Signal, body: bytes, arrival: Arrival, *, json: bool) -> Decoded:
    """The events of a request, and a refusal for each record that passes a bound; one alone, of
    BODY, when the request cannot be decoded.
    """
    try:
        raw = _raw(signal, body, arrival.limits, json=json)
    except NotTakenError as refused:
        fault = refused.fault
    except (DecodeError, UnicodeDecodeError):
        fault = Fault("bad_protobuf", "it is no request for this path in protobuf")
    else:
        return raw.decoded(arrival)
    return Decoded(pl.DataFrame(), [Refusal(BODY, fault.text, fault.reason)])


def _raw(signal: Signal, body: bytes, limits: Limits, *, json: bool) -> Raw:
    if json:
        check_json(body)
        return json_raw(signal, loads(body), limits)
    try:
        return _in_columns(signal, body, limits)
    except UnusualError:
        check_protobuf(body, levels=signal.levels)
        return _found(signal, signal.protobuf.FromString(body), PROTOBUF).raw(limits)


def _in_columns(signal: Signal, body: bytes, limits: Limits) -> Raw:
    if len(body) < COLUMNS_BYTES_MIN:
        raise UnusualError
    return signal.columns(groups_of(signal, body), limits).raw


def groups_of(signal: Signal, body: bytes) -> Groups:
    """The records of a request in protobuf, as bytes. NotTakenError, DecodeError."""
    check_protobuf(body, levels=signal.levels - 1)
    return _groups(signal, signal.outer.FromString(body), PROTOBUF)


def json_raw(signal: Signal, document: Any, limits: Limits) -> Raw:
    """The rows of a request in JSON that was read; NotTakenError when it is none."""
    return _found(signal, signal.json.read(document), JSON).raw(limits)


def _found(signal: Signal, request: Any, form: Form) -> Found:
    return signal.find(_groups(signal, request, form), form)


def _groups(signal: Signal, request: Any, form: Form) -> Groups:
    resources, scopes, records = signal.path
    groups: list[tuple[Row, Sequence[Any]]] = []
    for resource in getattr(request, resources):
        shared = _resource(resource, form)
        for scope in getattr(resource, scopes):
            found = getattr(scope, records)
            if len(found):
                groups.append((shared | _scope(scope, form), found))
    return groups


def _resource(holder: Any, form: Form) -> Row:
    resource = holder.resource
    row = form.row(resource.attributes)
    _add(row, "otel.resource.schema_url", holder.schema_url)
    _add(row, "otel.resource.dropped_attributes_count", resource.dropped_attributes_count)
    return row


def _scope(holder: Any, form: Form) -> Row:
    """By the names that OpenTelemetry gives them where there are no scopes.

    https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/
    """
    scope = holder.scope
    row = {f"otel.scope.{name}": value for name, value in form.row(scope.attributes).items()}
    _add(row, "otel.scope.name", scope.name)
    _add(row, "otel.scope.version", scope.version)
    _add(row, "otel.scope.schema_url", holder.schema_url)
    _add(row, "otel.scope.dropped_attributes_count", scope.dropped_attributes_count)
    return row


def _add(row: Row, name: str, value: Any) -> None:
    if value:
        row[name] = value
