"""Honeycomb's events API: `/1/batch/DATASET` and `/1/events/DATASET`.

https://docs.honeycomb.io/api/tag/Events/
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import orjson

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.records import (
    BAD_TYPE,
    BODY,
    TOO_LARGE,
    Adopted,
    Load,
    Record,
    body_fault,
    check_body,
    decode_records,
    events_of,
    joined,
    list_of,
    object_of,
    refused_body,
)
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals, placed
from store.normalise.json_text import Fault, NotTakenError
from store.settings import MIB
from store.tally import Receipt

EVENT_BYTES_MAX: Final = MIB
# Each gets a status of its own; libhoney sends a hundred.
EVENTS_MAX: Final = 100_000
_WHERE: Final = "batch["
_BATCH: Final = "/1/batch/"
_MSGPACK: Final = frozenset({"application/msgpack", "application/x-msgpack"})
# field of ours -> how Honeycomb's own libraries and OpenTelemetry call it; the first there counts.
_ADOPTED: Final = Adopted(
    {
        "event_name": ("name",),
        "service_name": ("service.name", "service_name"),
        "service_version": ("service.version", "service_version"),
        "trace_id": ("trace.trace_id", "trace_id"),
        "span_id": ("trace.span_id", "span_id"),
        "parent_span_id": ("trace.parent_id", "parent_span_id"),
        "user_id": ("user.id", "user_id"),
        "session_id": ("session.id", "session_id"),
        "install_id": ("app.installation.id", "install_id"),
        "message": ("body", "message"),
    }
)
_KINDS: Final[Mapping[str, str]] = {"span_event": "span_event", "link": "span_link"}
_RATE: Final = re.compile(r"[0-9]{1,15}")
NAME_CHARS_MAX: Final = 256


class HoneycombIntake:
    """At-least-once: Honeycomb's events have no ids."""

    name = "honeycomb"
    routes: tuple[tuple[str, str], ...] = (
        ("POST", "/1/batch/{dataset}"),
        ("POST", "/1/events/{dataset}"),
    )

    def decode(self, delivery: Delivery) -> Decoded:
        """A span for what has the ids of one, else a log. The note of a batch is what became of
        each event: how many there were, and the faults of those that were refused.
        """
        if Request(delivery.path, delivery.headers).content_type in _MSGPACK:
            return refused_body(Fault(BAD_TYPE, "MessagePack is not taken; send JSON"))
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        dataset = unquote(delivery.path.rpartition("/")[2])
        batch: list[Any] = []

        def find(load: Load, refusals: Refusals) -> Objects:
            check_body(delivery.body, delivery.limits.body_bytes_max)
            batch[:] = _batch(load(delivery.body), delivery)
            return events_of(
                batch,
                lambda record: _event(record, dataset),
                refusals,
                where=_WHERE,
                body_bytes=len(delivery.body),
                record_bytes_max=EVENT_BYTES_MAX,
            )

        decoded = decode_records(find, arrival)
        return Decoded(
            decoded.events, decoded.refusals, decoded.numbers, _outcomes(len(batch), decoded)
        )

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """200 with a status for each event of a batch, in order; 4xx for a broken body."""
        fault = body_fault(receipt)
        is_batch = request.path.startswith(_BATCH)
        if fault and not (is_batch and receipt.errors[0].place != BODY):
            return _failure(*fault)
        if not is_batch:
            return Reply(200, b"")
        count, faults = request.note
        return Reply(200, _statuses(count, faults, taken=503 if receipt.dropped else 202))

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """The fault, as Honeycomb words it."""
        return _failure(refused.status, refused.fault, refused.headers)


def _batch(document: Any, delivery: Delivery) -> list[Any]:
    if not delivery.path.startswith(_BATCH):
        data = object_of(document, "the event")
        headers = delivery.headers
        rate = headers.get("x-honeycomb-samplerate", "")
        time = headers.get("x-honeycomb-event-time")
        return [
            {"data": data, "time": time, "samplerate": int(rate) if _RATE.fullmatch(rate) else None}
        ]
    batch = list_of(document, "the batch")
    if len(batch) > EVENTS_MAX:
        raise NotTakenError(Fault(TOO_LARGE, f"a batch has at most {EVENTS_MAX:,} events"))
    return batch


def _event(record: Record, dataset: str) -> Record:
    data = record.get("data")
    if type(data) is not dict:
        raise NotTakenError(Fault("no_data", "it has no object called data"))
    fields: Record = {
        "event_time": record.get("time"),
        "sample_rate": record.get("samplerate") or None,
        "honeycomb.dataset": dataset,
    }
    taken = set()
    for ours, theirs in _ADOPTED.found(data):
        if ours not in fields and data[theirs] is not None:
            fields[ours] = data[theirs]
            taken.add(theirs)
    fields["event_type"] = _kind(data, fields)
    called = fields.get("event_name")
    if type(called) is not str or not called:
        fields["event_name"] = dataset
        taken.discard("name")
    elif len(called) > NAME_CHARS_MAX:
        fields["event_name"] = called[:NAME_CHARS_MAX]
        taken.discard("name")
    fields.setdefault("service_name", dataset)
    if data.get("error") not in (None, False, "") and "severity" not in data:
        fields["severity"] = "error"
    return joined({k: v for k, v in data.items() if k not in taken}, fields)


def _kind(data: Record, fields: Record) -> str:
    """A span has ids and took some time."""
    if "trace_id" not in fields:
        return "log"
    annotation = data.get("meta.annotation_type")
    if type(annotation) is str and annotation in _KINDS:
        return _KINDS[annotation]
    return "span" if "span_id" in fields and "duration_ms" in data else "log"


def _outcomes(count: int, decoded: Decoded) -> tuple[int, dict[int, str]]:
    kept = set(decoded.numbers)
    faults = {refusal.place: refusal.fault for refusal in decoded.refusals}
    refused = (number for number in range(count) if number not in kept)
    return count, {n: faults.get(placed(_WHERE, n), "it could not be read") for n in refused}


def _statuses(count: int, faults: Mapping[int, str], taken: int) -> bytes:
    if not faults:
        return b"[" + b",".join([b'{"status":%d}' % taken] * count) + b"]"
    statuses = (
        {"status": 400, "error": faults[number]} if number in faults else {"status": taken}
        for number in range(count)
    )
    return orjson.dumps(list(statuses))


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, orjson.dumps({"error": fault}), headers=headers or {})
