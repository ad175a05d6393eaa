"""The native protocol: `POST /v1/events` with one JSON object, an array, or NDJSON."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import orjson

from store.collector.intake.intake import Delivery, Reply, Request, plain_refusal
from store.collector.refused import Refused
from store.normalise import Arrival, Decoded, decode_json, decode_json_together
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
        return decode_json(delivery.body, self._arrival(delivery), lines=_are_lines(delivery))

    def decode_together(self, deliveries: Sequence[Delivery]) -> Sequence[Decoded] | None:
        """Those that are equally strict."""
        last = deliveries[-1]
        if len({(_is_strict(delivery), delivery.limits) for delivery in deliveries}) > 1:
            return None
        received = max(delivery.received for delivery in deliveries)
        return decode_json_together(
            [delivery.body for delivery in deliveries],
            replace(self._arrival(last), received=received),
            lines=[_are_lines(delivery) for delivery in deliveries],
        )

    def _arrival(self, delivery: Delivery) -> Arrival:
        strict = _is_strict(delivery)
        return Arrival(delivery.received, self.name, delivery.ids, delivery.limits, strict=strict)

    def reply(self, receipt: Receipt, _request: Request) -> Reply:
        """200 with the receipt; 400 when nothing in the delivery could be read."""
        unread = receipt.received > 0 and receipt.rejected == receipt.received
        return Reply(400 if unread else 200, orjson.dumps(receipt.as_json()))

    def refusal(self, refused: Refused, receipt: Receipt | None, _request: Request) -> Reply:
        """The fault in JSON, with the receipt where there is one."""
        return plain_refusal(refused, receipt)


def _is_strict(delivery: Delivery) -> bool:
    return delivery.parameters.get("strict", "").lower() not in _FALSE


def _are_lines(delivery: Delivery) -> bool:
    return Request(delivery.path, delivery.headers).content_type in LINES
