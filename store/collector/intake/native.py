"""The native protocol: `POST /v1/events` with one JSON object, an array, or NDJSON."""

from typing import Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request, plain_refusal
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded, decode_json
from store.tally import Receipt

LINES: Final = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
"""The types by which every line is an event by itself."""
_FALSE: Final = frozenset({"", "0", "false", "no"})


class NativeIntake:
    """At-least-once for events without an id of their own: one sent twice is stored twice."""

    name = "native"
    routes: tuple[tuple[str, str], ...] = (("POST", "/v1/events"),)

    def decode(self, delivery: Delivery) -> Decoded:
        """Events and refusals; `?strict=1` wants all four required fields."""
        strict = delivery.parameters.get("strict", "").lower() not in _FALSE
        arrival = Arrival(
            delivery.received, self.name, delivery.ids, delivery.limits, strict=strict
        )
        content_type = Request(delivery.path, delivery.headers).content_type
        return decode_json(delivery.body, arrival, lines=content_type in LINES)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """200 with the receipt; 400 when nothing in the delivery could be read."""
        unread = receipt.received > 0 and receipt.rejected == receipt.received
        return Reply(400 if unread else 200, orjson.dumps(receipt.as_json()))

    def refusal(self, refused: Refused, receipt: Receipt | None, _request: Request) -> Reply:
        """The fault in JSON, with the receipt where there is one."""
        return plain_refusal(refused, receipt)
