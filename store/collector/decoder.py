"""What runs in the process that decodes deliveries for a collector that has many.

A process of its own, because decoding holds the interpreter's lock for most of its time: beside
a collector's other threads it gained nothing, in a process it does (tests/benches/bench_intake).
It lives as long as the collector keeps its end of the socket open.
"""

import contextlib
import io
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

import polars as pl

from store.collector.intake import INTAKES
from store.collector.intake.intake import Delivery
from store.collector.memory import rest_garbage_collection
from store.event import EventIds
from store.normalise import Decoded
from store.settings import Limits
from store.tally import Refusal


class Job(NamedTuple):
    """A delivery on its way to the process."""

    intake: str
    body: bytes
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    received: datetime
    limits: Limits

    @classmethod
    def of(cls, intake: str, delivery: Delivery) -> Self:
        """Without the maker of ids: the process has its own."""
        return cls(
            intake,
            delivery.body,
            delivery.path,
            delivery.parameters,
            delivery.headers,
            delivery.received,
            delivery.limits,
        )

    def delivery(self, ids: EventIds) -> Delivery:
        return Delivery(
            self.body, self.path, self.parameters, self.headers, self.received, ids, self.limits
        )


class Done(NamedTuple):
    """And what came of it; the events as an Arrow stream."""

    events: bytes
    refusals: list[Refusal]
    note: Any

    def decoded(self) -> Decoded:
        events = pl.read_ipc_stream(io.BytesIO(self.events))
        return Decoded(events, self.refusals, note=self.note)


def done(decoded: Decoded) -> Done:
    """Ready to be sent."""
    stream = io.BytesIO()
    decoded.events.write_ipc_stream(stream, compat_level=pl.CompatLevel.newest())
    return Done(stream.getvalue(), list(decoded.refusals), decoded.note)


def main() -> None:
    """Decodes what comes until the other end is closed."""
    connection = Connection(int(sys.argv[1]))
    intakes = {intake.name: intake for intake in INTAKES}
    ids = EventIds(time.time)
    rest_garbage_collection()
    connection.send(None)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            job: Job = connection.recv()
            connection.send(done(intakes[job.intake].decode(job.delivery(ids))))
