"""One HTTP request and its answer, over ASGI."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl

from store.collector.bodies import Reservation, read_body
from store.collector.intake.intake import Reply, Request
from store.collector.protocol import CROWDED, TARGET
from store.collector.refused import Refused, bad_content
from store.settings import Limits

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PARAMETERS_MAX: Final = 100
# So long, and so many bytes, a sender that was refused may go on sending. Closing at once would
# reset the connection, and the refusal could be lost on its way.
LINGER_SECONDS: Final = 2.0


class Exchange:
    """Reads the request's parts as they are wanted; answers once."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        # As it was sent: unquoted, `a%2Fb` would be two segments.
        self.path: str = scope["raw_path"].decode("latin-1")
        self.target: bytes = scope.get(TARGET) or scope["raw_path"]
        self.is_crowded: bool = scope.get(CROWDED, False)
        self.raw_headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw_headers
        }
        self._query: bytes = scope["query_string"]
        self._receive = receive
        self._send = send
        self._is_read = "transfer-encoding" not in self.headers and self._length() in {None, 0}

    def parameters(self) -> dict[str, str]:
        """Of the query; the last of a repeated one counts."""
        try:
            pairs = parse_qsl(
                self._query.decode("latin-1"),
                keep_blank_values=True,
                max_num_fields=PARAMETERS_MAX,
            )
        except ValueError:
            raise bad_content(400, "bad_query", "the query has too many parameters") from None
        return dict(pairs)

    def request(self, note: Any = None) -> Request:
        """What an intake may know of it when it answers."""
        return Request(self.path, self.headers, note)

    async def body(self, limits: Limits, held: Reservation) -> bytes:
        """As it was sent; Refused as `read_body` does, and 408 when it takes too long."""
        try:
            async with asyncio.timeout(limits.body_timeout.total_seconds()):
                body = await read_body(
                    self._receive,
                    length=self._length(),
                    bytes_max=limits.body_bytes_max,
                    held=held,
                )
        except TimeoutError:
            raise Refused(408, "timeout", "the body took too long to arrive") from None
        self._is_read = True
        return body

    async def respond(self, reply: Reply, extra: Mapping[str, str]) -> None:
        """Sends it; where the request was not read to its end, the connection ends too."""
        headers = {"content-type": reply.content_type, **reply.headers, **extra}
        if reply.status != 204:
            headers["content-length"] = str(len(reply.body))
        if not self._is_read or self.is_crowded:
            headers["connection"] = "close"
        await self._send(
            {
                "type": "http.response.start",
                "status": reply.status,
                "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
            }
        )
        await self._send(_body(reply.body, more=not self._is_read))
        if not self._is_read:
            await self._linger()
            await self._send(_body(b"", more=False))

    async def _linger(self) -> None:
        """Lets the sender finish, within bounds. One that waits to be told `100 Continue` is not
        asked for more.
        """
        if "expect" in self.headers:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                more = True
                while more:
                    more = (await self._receive()).get("more_body", False)

    def _length(self) -> int | None:
        value = self.headers.get("content-length", "")
        return int(value) if value.isdecimal() else None


def _body(body: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
