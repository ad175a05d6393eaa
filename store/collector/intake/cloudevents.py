"""CloudEvents over HTTP: binary, structured, and batches of structured ones; on the native path.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

import orjson
import xxhash

from store.collector.intake.intake import Delivery, Reply, Request, plain_refusal
from store.collector.intake.records import (
    Load,
    Record,
    body_fault,
    decode_records,
    events_of,
    joined,
    list_of,
)
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.otlp.bounds import check_json
from store.tally import Receipt

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
HEADER: Final = "ce-"
_VERSION: Final = f"{HEADER}specversion"
_REQUIRED: Final = ("specversion", "id", "source", "type")
_VERSIONS: Final = frozenset({"1.0", "0.3"})
# What becomes a field of ours; any other attribute, extensions among them, is `ce.NAME`.
_TAKEN: Final = frozenset({"id", "type", "time", "data", "data_base64"})
_JSON: Final = re.compile(r"(application|text)/(.+\+)?json")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TRACE: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")


class CloudEventsIntake:
    """Exactly once: `source` and `id` together are the event's id (a UUID is one by itself)."""

    name = "cloudevents"
    routes: tuple[tuple[str, str], ...] = (("POST", "/v1/events"),)

    def takes(self, request: Request) -> bool:
        """By the type, or by the header that says which version of the specification."""
        return request.content_type in {STRUCTURED, BATCH} or _VERSION in request.headers

    def decode(self, delivery: Delivery) -> Decoded:
        """`type` is the event's name; data that is an object becomes the attributes."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        content_type = Request(delivery.path, delivery.headers).content_type

        def find(load: Load, refusals: Refusals) -> Objects:
            body = delivery.body
            if content_type not in {STRUCTURED, BATCH}:
                records = [_binary(delivery.headers, content_type, body, load)]
            else:
                check_json(body)
                read = load(body)
                records = list_of(read, "the batch") if content_type == BATCH else [read]
            return events_of(records, _event, refusals, where="event[", body_bytes=len(body))

        return decode_records(find, arrival)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """202 with the receipt; 400 when nothing could be read."""
        fault = body_fault(receipt)
        return Reply(fault[0] if fault else 202, orjson.dumps(receipt.as_json()))

    def refusal(self, refused: Refused, receipt: Receipt | None, _request: Request) -> Reply:
        """The fault in JSON."""
        return plain_refusal(refused, receipt)


def _binary(headers: Mapping[str, str], content_type: str, body: bytes, load: Load) -> Record:
    """As if it had come structured."""
    record: Record = {
        name.removeprefix(HEADER): unquote(value.encode("latin-1", "replace"), errors="replace")
        for name, value in headers.items()
        if name.startswith(HEADER)
    }
    if not body:
        return record
    if content_type:
        record["datacontenttype"] = headers["content-type"]
    if not content_type or _JSON.fullmatch(content_type):
        check_json(body)
        record["data"] = load(body)
    elif content_type.startswith("text/"):
        record["data"] = body.decode(errors="replace")
    else:
        record["data_base64"] = base64.b64encode(body).decode()
    return record


def _event(record: Record) -> Record:
    for name in _REQUIRED:
        if type(record.get(name)) is not str or not record[name]:
            raise NotTakenError(Fault(f"no_{name}", f"it has no {name}; send it as text"))
    if record["specversion"] not in _VERSIONS:
        fault = f"its specversion is not one of {', '.join(sorted(_VERSIONS))}"
        raise NotTakenError(Fault("bad_version", fault))
    fields: Record = {
        "event_id": _id(record["source"], record["id"]),
        "event_time": record.get("time"),
        "event_name": record["type"],
        "event_type": "event",
        "ce.id": record["id"],
        **{f"ce.{name}": value for name, value in record.items() if name not in _TAKEN},
        **_traced(record.get("traceparent")),
    }
    if "data_base64" in record:
        fields["data_base64"] = record["data_base64"]
    data = record.get("data")
    if type(data) is dict:
        return joined(data, fields)
    if data is not None:
        fields["message" if type(data) is str else "data"] = data
    return fields


def _id(source: str, number: str) -> str:
    if _UUID.fullmatch(number):
        return number
    both = f"{source}#{number}"
    return both if len(both) <= 200 else xxhash.xxh3_128_hexdigest(both.encode())


def _traced(parent: Any) -> Record:
    """Of the extension for distributed tracing, which names the span that sent it."""
    found = _TRACE.fullmatch(parent) if type(parent) is str else None
    return {"trace_id": found[1], "span_id": found[2]} if found else {}
