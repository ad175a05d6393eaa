"""Deliveries that come as datagrams: gathered in a bounded queue, decoded in batches, stored.

A sender of datagrams cannot be told to wait. So what there is no room for is dropped, and each
line of it is counted.
"""

import asyncio
import contextlib
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl

from store.collector.collector import Collector, Prepared
from store.collector.decoders import Decoders
from store.collector.intake.intake import Delivery, Intake
from store.collector.refused import Refused, internal, place_of
from store.event import EventIds
from store.normalise import Decoded
from store.settings import MIB, Limits
from store.tally import Receipt, Tally

LOG: Final = logging.getLogger("eventdeck.collector")
QUEUE_BYTES_MAX: Final = 4 * MIB
# What a datagram takes beside its bytes, so that a flood of small ones is bounded as well.
DATAGRAM_BYTES: Final = 64
BATCH_BYTES_MAX: Final = 128 * 1024
"""Some two thousand lines: decoded in 50 ms, and below what a queue of events takes at once."""
GATHER_SECONDS: Final = 0.1
"""So long the first datagram of a batch waits for others."""
RETRY_SECONDS: Final = 0.25
TALLY_SECONDS: Final = 1.0
"""Drops are counted so often at the least."""
DRAIN_SECONDS: Final = 3.0
# https://man7.org/linux/man-pages/man7/sock_diag.7.html: SK_MEMINFO_DROPS is the last of nine.
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("9I")
Settle = Callable[[pl.DataFrame], pl.DataFrame]


class Datagrams(asyncio.DatagramProtocol):
    """Lines out of datagrams, on their way into the store by one intake.

    At most once: what the system or the queue has no room for is lost, and counted as dropped by
    the reason `socket_full` (datagrams, where the system tells) or `queue_full` (lines); so is
    what is left at the end, as `stopping`.
    """

    def __init__(
        self,
        intake: Intake,
        collector: Collector,
        decoders: Decoders,
        *,
        settle: Settle,
        limits: Limits,
        ids: EventIds,
    ) -> None:
        """`settle` goes over the decoded events of every batch, in their order."""
        self._intake = intake
        self._collector = collector
        self._decoders = decoders
        self._settle = settle
        self._limits = limits
        self._ids = ids
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._lines_dropped = 0
        self._arrived = asyncio.Event()
        self._closing = False
        self._closed = 0.0
        self._socket_drops = 0

    def datagram_received(self, data: bytes, _address: Any) -> None:
        """Never waits."""
        size = len(data) + DATAGRAM_BYTES
        if self._bytes + size > QUEUE_BYTES_MAX:
            self._lines_dropped += _lines_in(data)
            return
        self._waiting.append(data)
        self._bytes += size
        self._arrived.set()

    def error_received(self, _error: Exception) -> None:
        """Nothing is answered to any sender, so none can have gone."""

    async def run(self, listener: socket.socket) -> None:
        """Receives until `close`, then stores what is there. `listener` is bound, and closed in
        the end.
        """
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=listener)
        try:
            while not self._closing:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TALLY_SECONDS):
                        await self._arrived.wait()
                        await asyncio.sleep(GATHER_SECONDS)
                self._count_drops(listener)
                await self._store_waiting()
            self._count_drops(listener)
        finally:
            transport.close()
        await self._store_waiting()
        self._drop_lines(sum(map(_lines_in, self._waiting)), "stopping")

    def close(self) -> None:
        """`run` comes to its end, within some DRAIN_SECONDS."""
        self._closing = True
        self._closed = time.monotonic()
        self._arrived.set()

    async def _store_waiting(self) -> None:
        self._arrived.clear()
        while self._waiting and not self._is_late():
            body = self._taken()
            try:
                prepared = await self._decoders.run(len(body), self._decoded, body)
            except Exception as error:  # noqa: BLE001  the next ones shall not suffer
                LOG.error("datagrams could not be decoded: %s", place_of(error))  # noqa: TRY400
                self._drop_lines(_lines_in(body), internal().reason)
            else:
                await self._accepted(prepared)

    def _is_late(self) -> bool:
        return self._closing and time.monotonic() - self._closed > DRAIN_SECONDS

    def _taken(self) -> bytes:
        """The oldest datagrams, as one body."""
        batch: list[bytes] = []
        size = 0
        while self._waiting and size < BATCH_BYTES_MAX:
            data = self._waiting.popleft()
            self._bytes -= len(data) + DATAGRAM_BYTES
            size += len(data)
            batch.append(data)
        return b"\n".join(batch)

    def _decoded(self, body: bytes) -> Prepared:
        delivery = Delivery(
            body=body,
            path="",
            parameters={},
            headers={},
            received=datetime.now(UTC),
            ids=self._ids,
            limits=self._limits,
        )
        decoded = self._decoders.decode(self._intake, delivery)
        settled = Decoded(self._settle(decoded.events), decoded.refusals)
        return self._collector.prepare(settled, self._intake.name, body)

    async def _accepted(self, prepared: Prepared) -> None:
        """Waits while the store has no room: meanwhile the queue takes what comes."""
        while True:
            try:
                await self._collector.accept(prepared)
            except Refused as refused:
                if refused.status == 503 and not self._closing:
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                count, reason = prepared.events.height, refused.reason
                dropped = self._tally(Receipt(dropped=count), {f"dropped.{reason}": count})
                rest = self._tally(prepared.receipt, prepared.reasons)
                self._collector.committer.ledger.add(dropped + rest)
            return

    def _count_drops(self, listener: socket.socket) -> None:
        lines, self._lines_dropped = self._lines_dropped, 0
        self._drop_lines(lines, "queue_full")
        before, self._socket_drops = self._socket_drops, socket_drops(listener)
        self._drop_lines(self._socket_drops - before, "socket_full")

    def _drop_lines(self, count: int, reason: str) -> None:
        if count > 0:
            delta = self._tally(Receipt(dropped=count), {f"dropped.{reason}": count})
            self._collector.committer.ledger.add(delta)

    def _tally(self, receipt: Receipt, reasons: Mapping[str, int]) -> Tally:
        return Tally.of(receipt, intake=self._intake.name, reasons=reasons)


def socket_drops(listener: socket.socket) -> int:
    """How many datagrams the system had no room for so far; 0 where it does not tell."""
    try:
        told = listener.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(told)[-1])
    except (OSError, struct.error):
        return 0


def _lines_in(data: bytes) -> int:
    """Those that are not blank, as a decoder counts them."""
    return sum(map(bool, map(bytes.strip, data.split(b"\n"))))
