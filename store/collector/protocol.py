"""uvicorn's HTTP protocol with what it lacks: deadlines, and bounds on headers and connections."""

import asyncio
import re
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CROWDED: Final = "eventdeck.crowded"
"""Key of whether there are more connections than are served, in the ASGI scope."""
READ_AHEAD_BYTES: Final = 256 * 1024
HEADER_BYTES_MAX: Final = 64 * 1024
_UPGRADE: Final = re.compile(rb"(?i)\r\n(?=upgrade[ \t]*:)")
TARGET: Final = "eventdeck.target"
"""Key of the request line's target in the ASGI scope: uvicorn passes on the path alone, and so
would let an absolute URI name any host."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. It is closed when a request's head takes longer than `header_timeout`
    seconds or HEADER_BYTES_MAX. Past `connections_max` requests are marked CROWDED; past twice as
    many, connections end at once.

    The deadline runs whenever no request is being answered and bytes come in; else uvicorn's
    keep-alive deadline does. Bodies have their own deadline, in the app.
    """

    def __init__(
        self, *arguments: Any, header_timeout: float, connections_max: int, **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self._header_timeout = header_timeout
        self._connections_max = connections_max
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * self._connections_max:
            transport.abort()
            return
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self._start_deadline()
        if self._deadline is not None:
            data = _without_upgrade(data)
        super().data_received(data)
        if self._deadline is None:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEADER_BYTES_MAX and not self.transport.is_closing():
            self.send_400_response("The request's head is too large.")

    def on_headers_complete(self) -> None:
        self._stop_deadline()
        self.scope[TARGET] = self.url  # type: ignore[typeddict-unknown-key]
        crowded = len(self.connections) > self._connections_max
        self.scope[CROWDED] = crowded  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """As uvicorn's, but the app is woken when the body is whole or READ_AHEAD_BYTES are here:
        so a batch costs one wake-up, and reading does not stop and start every 64 KiB.
        """
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > READ_AHEAD_BYTES:
            self.flow.pause_reading()
            cycle.message_event.set()

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._header_timeout, self.transport.abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _without_upgrade(data: bytes) -> bytes:
    """A head whose offer to speak another protocol goes by another name, so that it is not taken:
    Java's client makes one with each first request, and the parser would give the body away.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nOffered-", head) + end + rest if b"pgrade" in head else data
