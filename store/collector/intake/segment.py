"""Segment's HTTP API: `/v1/batch`, and one path for each kind of call.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.records import (
    Load,
    Record,
    attributes_of,
    body_fault,
    check_body,
    decode_records,
    events_of,
    joined,
    list_of,
    object_of,
)
from store.collector.intake.skew import Skew
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals
from store.normalise.json_text import Fault, NotTakenError
from store.tally import Receipt

BODY_BYTES_MAX: Final = 500 * 1024
CALL_BYTES_MAX: Final = 32 * 1024
_BATCHES: Final = ("batch", "b", "import")
_CALLS: Final[Mapping[str, str]] = {
    **{name: name for name in ("track", "identify", "page", "screen", "group", "alias")},
    # as the library for browsers spells them
    "t": "track",
    "i": "identify",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
}
_KINDS: Final = frozenset(_CALLS.values())
# What becomes a field of ours, is a credential, or says nothing about the event.
_TAKEN: Final = frozenset(
    {
        *("messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "type", "event"),
        *("userId", "anonymousId", "properties", "traits", "context", "groupId", "writeKey"),
    }
)


class SegmentIntake:
    """Exactly once: `messageId` is the event's id."""

    name = "segment"
    routes: tuple[tuple[str, str], ...] = tuple(
        ("POST", f"/v1/{last}") for last in (*_BATCHES, *_CALLS)
    )

    def decode(self, delivery: Delivery) -> Decoded:
        """One event a call; `sentAt` tells how wrong the sender's clock is."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        kind = _CALLS.get(delivery.path.rpartition("/")[2])

        def find(load: Load, refusals: Refusals) -> Objects:
            check_body(delivery.body, BODY_BYTES_MAX)
            document = object_of(load(delivery.body), "the body")
            batch = [document] if kind else list_of(document.get("batch"), "the batch")
            shared = object_of(None if kind else document.get("context"), "the context")
            skew = Skew(document.get("sentAt"), delivery.received)

            return events_of(
                batch,
                lambda call: skew.corrected(_event(call, kind, shared)),
                refusals,
                where="batch[",
                body_bytes=len(delivery.body),
                record_bytes_max=CALL_BYTES_MAX,
            )

        return decode_records(find, arrival)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """200; 4xx when nothing could be read."""
        fault = body_fault(receipt)
        return _failure(*fault) if fault else Reply(200, b'{"success":true}')

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """As for a body that could not be read."""
        return _failure(refused.status, refused.fault, refused.headers)


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    document = {"success": False, "code": "invalid_request", "message": fault}
    return Reply(status, orjson.dumps(document), headers=headers or {})


def _event(call: Record, kind: str | None, shared: Record) -> Record:
    kind = kind or call.get("type")
    if type(kind) is not str or kind not in _KINDS:
        fault = f"its type is not one of {', '.join(sorted(_KINDS))}"
        raise NotTakenError(Fault("unknown_type", fault))
    context = call.get("context") or shared
    fields: Record = {
        "event_id": call.get("messageId"),
        "event_time": call.get("timestamp") or call.get("originalTimestamp"),
        "event_type": "behavioral",
        "event_name": call.get("event") if kind == "track" else kind,
        "user_id": call.get("userId"),
        "install_id": call.get("anonymousId"),
        "group_id": call.get("groupId"),
        "segment.type": kind,
    }
    if kind == "alias":
        fields["install_id"] = fields["install_id"] or call.get("previousId")
    if context:
        fields["context"] = context
        if type(context) is dict:
            _adopt(context, fields)
    if call.get("traits"):
        fields["traits"] = call["traits"]
    properties = attributes_of(call.get("properties"), "properties")
    event = joined(properties, fields)
    rest = {
        name: call[name]
        for name in call.keys() - _TAKEN
        if call[name] not in ({}, None) and not _is_same(properties.get(name), call[name])
    }
    return joined(rest, event) if rest else event


def _is_same(one: Any, other: Any) -> bool:
    """The library for browsers says the name of a page twice. Texts alone: to compare what nests
    deep takes a deep stack.
    """
    return type(one) is str and type(other) is str and one == other


def _adopt(context: Record, fields: Record) -> None:
    """What of the context is a field of ours."""
    app: Any = context.get("app")
    if type(app) is dict:
        fields["service_name"] = app.get("name")
        fields["service_version"] = app.get("version")
    if "sessionId" in context:
        fields["session_id"] = context["sessionId"]
