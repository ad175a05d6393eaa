"""Sentry's envelopes: `/api/PROJECT/envelope/`.

https://develop.sentry.dev/sdk/data-model/envelopes/
"""

from collections.abc import Mapping
from typing import Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request
from store.collector.intake.records import (
    Load,
    Record,
    body_fault,
    check_body,
    decode_records,
)
from store.collector.intake.sentry_envelope import Envelope
from store.collector.intake.sentry_items import UNSUPPORTED, events_of_item
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded
from store.normalise.json_lines import Objects, Refusals, placed
from store.normalise.json_text import NotTakenError
from store.tally import Receipt

_WHERE: Final = "item["
ID_CHARS_MAX: Final = 64


class SentryIntake:
    """Exactly once: `event_id` is an event's id; spans and logs get one that is made of it, or of
    the bytes of their item, so that they are the same when the envelope is sent again.
    """

    name = "sentry"
    routes: tuple[tuple[str, str], ...] = (
        ("POST", "/api/{project}/envelope/"),
        ("POST", "/api/{project}/envelope"),
    )

    def decode(self, delivery: Delivery) -> Decoded:
        """Events out of every item that has some. The note is the envelope's id."""
        arrival = Arrival(delivery.received, self.name, delivery.ids, delivery.limits)
        note: list[str] = []

        def find(load: Load, refusals: Refusals) -> Objects:
            check_body(delivery.body, delivery.limits.body_bytes_max)
            envelope = Envelope.read(delivery.body, load)
            rows: list[Record] = []
            numbers: list[int] = []
            for number, item in enumerate(envelope.items):
                try:
                    found = events_of_item(envelope, item, load)
                except NotTakenError as refused:
                    refusals.add(placed(_WHERE, number), refused.fault)
                    continue
                rows += found
                numbers += [number] * len(found)
            if envelope.broken is not None:
                refusals.add(placed(_WHERE, len(envelope.items)), envelope.broken)
            note[:] = [envelope.event_id or next((r["event_id"] for r in rows), "")]
            return Objects(rows, numbers, _WHERE, bytes_max=len(delivery.body))

        decoded = decode_records(find, arrival)
        return Decoded(decoded.events, decoded.refusals, note="".join(note)[:ID_CHARS_MAX])

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """200 with the id; 4xx when nothing could be read. What is of a kind that is not stored
        is counted, and no fault of the sender's.
        """
        fault = body_fault(receipt)
        if fault and receipt.errors[0].reason != UNSUPPORTED:
            return _failure(*fault)
        return Reply(200, orjson.dumps({"id": request.note} if request.note else {}))

    def refusal(self, refused: Refused, _receipt: Receipt | None, _request: Request) -> Reply:
        """As for a body that could not be read."""
        return _failure(refused.status, refused.fault, refused.headers)


def _failure(status: int, fault: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, orjson.dumps({"detail": fault}), headers=headers or {})
