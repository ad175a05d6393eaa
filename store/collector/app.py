"""The collector's door over HTTP: a bare ASGI callable (a framework halves the throughput here).

The order of the checks: Host and Origin, route, token, size, encoding, content.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import orjson

from store.collector.bodies import DisconnectedError
from store.collector.door import Door, Envelope
from store.collector.exchange import Exchange, Receive, Scope, Send
from store.collector.intake.intake import Intake, Reply, plain_refusal
from store.collector.refused import Refused, internal, place_of, try_later
from store.collector.routes import Content, Page, Routes
from store.collector.security import Guard

# What pages may set: those that the browsers' versions of known clients do.
ALLOWED_HEADERS: Final = (
    *("authorization", "content-encoding", "content-type"),
    *("dd-api-key", "x-honeycomb-team", "x-honeycomb-event-time", "x-honeycomb-samplerate"),
    *("x-sentry-auth", "posthog-sdk-info", "posthog-request-id", "posthog-attempt"),
    "posthog-request-timestamp",
)
LOG: Final = logging.getLogger("eventdeck.collector")


class App:
    """Routes requests to intakes and pages, and answers when the collector has."""

    def __init__(
        self, door: Door, intakes: Sequence[Intake], pages: Mapping[str, Content], guard: Guard
    ) -> None:
        self._door = door
        self._routes = Routes(intakes, pages)
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry; every request gets an answer, unless its sender has gone."""
        exchange = Exchange(scope, receive, send)
        try:
            reply = await self._answer(exchange)
        except Refused as refused:
            self._door.turn_away(refused)
            reply = plain_refusal(refused)
        except DisconnectedError:
            self._door.turn_away(Refused(400, "disconnected", "its sender went away"))
            return
        except Exception as error:  # noqa: BLE001  whatever it is, the sender gets an answer
            LOG.error("a request failed: %s", place_of(error))  # noqa: TRY400
            self._door.turn_away(internal())
            reply = plain_refusal(internal())
        await exchange.respond(reply, self._cors(exchange))

    async def _answer(self, exchange: Exchange) -> Reply:
        if exchange.is_crowded:
            raise try_later("crowded", "there are too many connections; send again in a second")
        self._guard.check(exchange.target, exchange.raw_headers)
        if exchange.method == "OPTIONS" and "origin" in exchange.headers:
            return Reply(204, b"", headers=self._preflight(exchange))
        target = self._routes.find(exchange.method, exchange.request())
        if exchange.path != "/healthz":
            self._guard.check_token(exchange.headers, exchange.parameters)
        if isinstance(target, Page):
            return Reply(200, orjson.dumps(await target.content()))
        return await self._deliver(exchange, target)

    async def _deliver(self, exchange: Exchange, intake: Intake) -> Reply:
        encoding = exchange.headers.get("content-encoding", "")
        envelope = Envelope(exchange.path, exchange.headers, exchange.parameters, encoding)
        try:
            receipt, note = await self._door.deliver(
                intake, envelope, lambda held: exchange.body(self._door.limits, held)
            )
        except Refused as refused:
            counted = self._door.turn_away(refused, intake)
            return intake.refusal(refused, counted, exchange.request())
        return intake.reply(receipt, exchange.request(note))

    def _preflight(self, exchange: Exchange) -> Mapping[str, str]:
        return {
            "access-control-allow-methods": ", ".join(self._routes.methods(exchange.path)),
            "access-control-allow-headers": ", ".join(ALLOWED_HEADERS),
            "access-control-max-age": "600",
        }

    def _cors(self, exchange: Exchange) -> Mapping[str, str]:
        """The exact origin, and only when it is one of the settings'."""
        origin = exchange.headers.get("origin")
        if origin is None or not self._guard.knows_origin(origin.encode("latin-1")):
            return {}
        return {"access-control-allow-origin": origin, "vary": "origin"}
