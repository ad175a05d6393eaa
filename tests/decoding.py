"""Helpers of the tests that decode bodies."""

import json
from datetime import UTC, datetime

from store.event import EventIds
from store.normalise import Arrival, Decoded, decode_json
from store.settings import Limits

RECEIVED = datetime(2026, 11, 22, 14, 3, 27, 123456, tzinfo=UTC)


def decode(body: object, **how) -> Decoded:
    lines = how.pop("lines", False)
    limits = how.pop("limits", Limits())
    arrival = Arrival(RECEIVED, "native", EventIds(RECEIVED.timestamp), limits, **how)
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return decode_json(body, arrival, lines=lines)


def one(**fields) -> dict:
    """The single event that `fields` make, without what is null."""
    decoded = decode({"event_name": "x"} | fields)
    assert not decoded.refusals
    return decoded.events.row(0, named=True)


def refused(body: object, **how) -> list[tuple[str, str]]:
    return [(refusal.place, refusal.reason) for refusal in decode(body, **how).refusals]


def ndjson(*events: dict) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
