"""What a request of any protocol goes through once it may send: room, decoder, processors, queue."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from store.collector.bodies import Budget, Reservation, inflated
from store.collector.collector import Collector, Prepared
from store.collector.decoders import Decoders
from store.collector.intake.intake import Delivery, Intake
from store.collector.refused import Refused
from store.event import EventIds
from store.settings import Limits
from store.tally import Receipt

Read = Callable[[Reservation], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A request but for its body; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    parameters: Callable[[], Mapping[str, str]] = dict
    """Refused where they cannot be read."""
    encoding: str = ""


class Door:
    """One for all protocols, so that they share bounds, tally, duplicates, masking and queue."""

    def __init__(
        self,
        collector: Collector,
        decoders: Decoders,
        *,
        limits: Limits,
        budget: Budget,
        ids: EventIds,
        refused: Counter[str],
    ) -> None:
        """`refused` counts the requests that were turned away, by reason."""
        self.limits = limits
        self._collector = collector
        self._decoders = decoders
        self._budget = budget
        self._ids = ids
        self._refused = refused

    async def deliver(self, intake: Intake, envelope: Envelope, read: Read) -> tuple[Receipt, Any]:
        """What became of the events in the body that `read` gives, once that is durable, and the
        decoder's note. Refused: it was not taken; to be counted by `turn_away`.
        """
        with self._budget.reservation() as held:
            body = await read(held)
            prepared, note = await self._decoders.run(
                len(body), self._decoded, envelope, intake, body, held
            )
            return await self._collector.accept(prepared), note

    def turn_away(self, refused: Refused, intake: Intake | None = None) -> Receipt | None:
        """Counts it; the receipt of a delivery to `intake` whose content was at fault."""
        self._refused[refused.reason] += 1
        if intake is None or not refused.rejected:
            return None
        return self._collector.reject(refused, intake.name)

    def _decoded(
        self, envelope: Envelope, intake: Intake, body: bytes, held: Reservation
    ) -> tuple[Prepared, Any]:
        bytes_max = self.limits.body_bytes_max
        whole = inflated(body, envelope.encoding, bytes_max=bytes_max, held=held)
        delivery = Delivery(
            body=whole,
            path=envelope.path,
            parameters=envelope.parameters(),
            headers=envelope.headers,
            received=datetime.now(UTC),
            ids=self._ids,
            limits=self.limits,
        )
        decoded = self._decoders.decode(intake, delivery)
        return self._collector.prepare(decoded, intake.name, whole), decoded.note
