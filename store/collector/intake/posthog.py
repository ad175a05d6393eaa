"""PostHog's capture API: that of most clients (v0), and the one that answers for each event (v1).

https://posthog.com/docs/api/capture
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.posthog_body import BODY_BYTES_MAX, text_of
from store.collector.intake.posthog_event import event_of
from store.collector.intake.records import (
    BODY,
    Load,
    Record,
    body_fault,
    check_body,
    decode_records,
    events_of,
    list_of,
)
from store.collector.intake.skew import Skew
from store.collector.refused import Refused
from store.event import uuid7_time
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals, placed
from store.normalise.json_text import Fault, NotTakenError
from store.tally import Receipt
from store.timespan import iso

EVENT_BYTES_MAX: Final = 1024 * 1024
_WHERE: Final = "batch["
_V0: Final = ("/batch", "/capture", "/e", "/i/v0/e", "/i/v0/ai/batch", "/track")
_V1: Final = "/i/v1/analytics/events"
_SAME: Final = timedelta(minutes=1)
# No event waits longer at a sender.
_OFFSET_MS_MAX: Final = 7 * 24 * 3600 * 1000


class PosthogIntake:
    """Exactly once: `uuid` is the event's id."""

    name = "posthog"
    routes: tuple[tuple[str, str], ...] = tuple(
        ("POST", path + end) for path in (*_V0, _V1) for end in ("", "/")
    )

    def decode(self, delivery: Delivery) -> Decoded:
        """One event each. The note of a v1 body is what became of each, by its uuid."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        batch: list[Any] = []

        def find(load: Load, refusals: Refusals) -> Objects:
            text = delivery.body if _is_v1(delivery.path) else text_of(delivery)
            check_body(text, BODY_BYTES_MAX)
            document = load(text)
            batch[:] = _batch(document)
            envelope = document if type(document) is dict else {}
            return events_of(
                batch,
                _Reading(envelope, delivery).event,
                refusals,
                where=_WHERE,
                body_bytes=len(text),
                record_bytes_max=EVENT_BYTES_MAX,
            )

        decoded = decode_records(find, arrival)
        note = _results(batch, decoded) if _is_v1(delivery.path) else None
        return Decoded(decoded.events, decoded.refusals, decoded.numbers, note)

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """200, in v1 with what became of each; 4xx when nothing could be read."""
        fault = body_fault(receipt)
        is_v1 = _is_v1(request.path)
        if fault and (not is_v1 or receipt.errors[0].place == BODY):
            return _failure(*fault)
        return Reply(200, orjson.dumps({"results": request.note} if is_v1 else {"status": "Ok"}))

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """As for a body that could not be read."""
        return _failure(refused.status, refused.fault, refused.headers)


class _Reading:
    """What all events of a body share: the sender's clock, and what sent them."""

    def __init__(self, envelope: Record, delivery: Delivery) -> None:
        headers = delivery.headers
        sent_at = envelope.get("sent_at", envelope.get("sentAt", delivery.parameters.get("_")))
        sent_at = headers.get("posthog-request-timestamp", sent_at)
        historical = envelope.get("historical_migration") is True
        self._skew = Skew(None if historical else sent_at, delivery.received)
        self._received = delivery.received
        sdk, _, version = headers.get("posthog-sdk-info", "").partition("/")
        self._shared = {"$lib": sdk, "$lib_version": version} if sdk and version else {}

    def event(self, record: Record) -> Record:
        event = event_of(record)
        if event.get("event_time") is None:
            event["event_time"] = self._before(record.get("offset"), event["event_id"])
        elif not event.get("$ignore_sent_at") and not event.get("$disable_skew_correction"):
            event = self._skew.corrected(event)
        return {**self._shared, **event} if self._shared else event

    def _before(self, offset_ms: Any, uuid: Any) -> str | None:
        """The time of an event that was made so long before it was sent; None where its UUIDv7
        says the same, and says it again when the event is sent again.
        """
        if type(offset_ms) not in {int, float} or not 0 <= offset_ms <= _OFFSET_MS_MAX:
            return None
        made = self._received - timedelta(milliseconds=offset_ms)
        said = uuid7_time(uuid) if type(uuid) is str else None
        return None if said and abs(said - made) < _SAME else iso(made)


def _is_v1(path: str) -> bool:
    return path.startswith(_V1)


def _batch(document: Any) -> Sequence[Any]:
    if type(document) is list:
        return document
    if type(document) is dict and "batch" in document:
        return list_of(document["batch"], "the batch")
    if type(document) is dict and "event" in document:
        return [document]
    raise NotTakenError(Fault("no_batch", "it has neither a batch nor an event"))


def _results(batch: Sequence[Any], decoded: Decoded) -> dict[str, Any]:
    """What v1 tells of each event; one without an id cannot be told of."""
    kept = set(decoded.numbers)
    faults = {refusal.place: refusal.fault for refusal in decoded.refusals}
    results: dict[str, Any] = {}
    for number, record in enumerate(batch):
        uuid = record.get("uuid") if type(record) is dict else None
        if type(uuid) is str:
            fault = faults.get(placed(_WHERE, number), "it could not be read")
            results[uuid] = {"result": "ok"} if number in kept else _drop(fault)
    return results


def _drop(fault: str) -> Mapping[str, str]:
    return {"result": "drop", "details": fault}


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    document = {"type": "validation_error", "code": "invalid_payload", "detail": fault}
    return Reply(status, orjson.dumps(document), headers=headers or {})
