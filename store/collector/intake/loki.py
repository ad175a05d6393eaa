"""Loki's push API: streams of lines, in JSON or in protobuf packed with snappy.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.loki_streams import (
    Entry,
    Stream,
    entry_of_json,
    entry_of_protobuf,
    labels_of,
    streams_of_json,
    streams_of_protobuf,
)
from store.collector.intake.records import Load, Record, body_fault, decode_records, joined
from store.collector.intake.unpacking import unpacked
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.otlp.bounds import check_json
from store.schema import FIXED
from store.tally import Receipt

WHERE: Final = "entry "
DEFAULT_NAME: Final = "log"
"""The `event_name` of a line whose labels say none."""
_JSON: Final = "application/json"
_SNAPPY: Final = "snappy"
# Labels and structured metadata -> our columns; of several for one, the first.
_ADOPTED: Final[Mapping[str, str]] = {
    "event_name": "event_name",
    "level": "severity_text",
    "severity": "severity_text",
    "detected_level": "severity_text",
    "service_name": "service_name",
    "service_version": "service_version",
    "trace_id": "trace_id",
    "span_id": "span_id",
    "user_id": "user_id",
    "session_id": "session_id",
}


class LokiIntake:
    """At-least-once: lines have no ids, so what a sender repeats is stored again."""

    name = "loki"
    routes: tuple[tuple[str, str], ...] = (("POST", "/loki/api/v1/push"),)

    def decode(self, delivery: Delivery) -> Decoded:
        """An event a line, which stays as it is; labels and structured metadata are attributes."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        is_json = Request(delivery.path, delivery.headers).content_type == _JSON
        entry_of = entry_of_json if is_json else entry_of_protobuf

        def find(load: Load, refusals: Refusals) -> Objects:
            streams = _of_json(delivery, load) if is_json else _of_protobuf(delivery)
            return _objects(streams, entry_of, delivery.limits.line_bytes_max, refusals)

        return decode_records(find, arrival)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """204; 400 when nothing could be read."""
        fault = body_fault(receipt)
        return _failure(*fault) if fault else Reply(204, b"")

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """The fault as text."""
        return _failure(refused.status, refused.fault, refused.headers)


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, f"{fault}\n".encode(), "text/plain; charset=utf-8", headers or {})


def _of_json(delivery: Delivery, load: Load) -> Iterator[Stream]:
    check_json(delivery.body)
    return streams_of_json(load(delivery.body))


def _of_protobuf(delivery: Delivery) -> Iterator[Stream]:
    body = delivery.body
    # It is packed whatever the headers say; where they say it, the door has unpacked it.
    if _SNAPPY not in delivery.headers.get("content-encoding", "").lower():
        body = unpacked(body, _SNAPPY, bytes_max=delivery.limits.body_bytes_max)
    return streams_of_protobuf(body)


def _objects(
    streams: Iterator[Stream],
    entry_of: Callable[[Any], Entry],
    line_bytes_max: int,
    refusals: Refusals,
) -> Objects:
    rows: list[Record] = []
    numbers: list[int] = []
    number = 0
    for stream in streams:
        labelled = _Labelled(stream)
        for each in stream.entries:
            number += 1
            try:
                rows.append(labelled.event(entry_of(each), line_bytes_max))
            except NotTakenError as refused:
                refusals.add(f"{WHERE}{number}", refused.fault)
                continue
            numbers.append(number)
    return Objects(rows, numbers, WHERE)


class _Labelled:
    """What all entries of a stream have, made once."""

    def __init__(self, stream: Stream) -> None:
        self._fault: Fault | None = None
        self._labels: Record = {}
        try:
            self._labels = labels_of(stream.labels)
        except NotTakenError as refused:
            self._fault = refused.fault
        self._event = _event(self._labels, {})
        self._named = {*self._labels, *_ADOPTED, *FIXED}

    def event(self, entry: Entry, line_bytes_max: int) -> Record:
        """NotTakenError: its labels cannot be read, or it is too long."""
        if self._fault is not None:
            raise NotTakenError(self._fault)
        if len(entry.line) > line_bytes_max:
            fault = f"it is longer than {line_bytes_max:,} bytes"
            raise NotTakenError(Fault("too_large", fault))
        if self._named.isdisjoint(entry.metadata):
            event = {**self._event, **entry.metadata}
        else:
            event = _event(self._labels, entry.metadata)
        event["event_time"] = entry.at
        event["message"] = entry.line
        return event


def _event(labels: Record, metadata: Record) -> Record:
    """But for its time and its line."""
    attributes = dict(labels)
    for name, value in metadata.items():
        called = f"metadata.{name}" if labels.get(name, value) != value else name
        attributes[called] = value
    fields: Record = {"event_time": None, "event_type": "log", "message": None}
    for label, name in _ADOPTED.items():
        if name not in fields and type(attributes.get(label)) is str and attributes[label]:
            fields[name] = attributes.pop(label)
    fields.setdefault("event_name", DEFAULT_NAME)
    return joined(attributes, fields)
