"""What runs in the process that decodes deliveries for a collector that has many.

A process of its own, because decoding holds the interpreter's lock for most of its time: beside
a collector's other threads it gained nothing, in a process it does (tests/benches/bench_intake).
It lives as long as the collector keeps its end of the socket open.
"""

import contextlib
import io
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

import polars as pl

from store.collector.intake import INTAKES
from store.collector.intake.intake import Delivery
from store.collector.memory import rest_garbage_collection
from store.collector.together import decoded_all
from store.event import EventIds
from store.normalise import Decoded, Shared
from store.settings import Limits
from store.tally import Refusal


class Sent(NamedTuple):
    """A delivery, without the maker of ids: the process has its own."""

    body: bytes
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    received: datetime
    limits: Limits


class Job(NamedTuple):
    """Deliveries on their way to the process."""

    intake: str
    sent: Sequence[Sent]

    @classmethod
    def of(cls, intake: str, deliveries: Sequence[Delivery]) -> Self:
        return cls(
            intake,
            [
                Sent(d.body, d.path, d.parameters, d.headers, d.received, d.limits)
                for d in deliveries
            ],
        )

    def deliveries(self, ids: EventIds) -> list[Delivery]:
        return [
            Delivery(s.body, s.path, s.parameters, s.headers, s.received, ids, s.limits)
            for s in self.sent
        ]


class Done(NamedTuple):
    """And what came of one; the events as an Arrow stream."""

    events: bytes
    refusals: list[Refusal]
    note: Any

    @classmethod
    def of(cls, decoded: Decoded) -> Self:
        return cls(_stream(decoded.events), list(decoded.refusals), decoded.note)

    def decoded(self) -> Decoded:
        return Decoded(pl.read_ipc_stream(io.BytesIO(self.events)), self.refusals, note=self.note)


class DoneTogether(NamedTuple):
    """And what came of several in one frame."""

    events: bytes
    heights: Sequence[int]

    def apart(self) -> list[Decoded]:
        return Shared(pl.read_ipc_stream(io.BytesIO(self.events)), self.heights).apart()


Answer = list[Done] | DoneTogether


def answer_of(decoded: Sequence[Decoded]) -> Answer:
    """Ready to be sent."""
    shared = decoded[0].shared
    if shared is not None and all(each.shared is shared for each in decoded):
        return DoneTogether(_stream(shared.events), shared.heights)
    return [Done.of(each) for each in decoded]


def decoded_of(answer: Answer) -> list[Decoded]:
    """What `answer_of` was given."""
    if isinstance(answer, DoneTogether):
        return answer.apart()
    return [each.decoded() for each in answer]


def _stream(events: pl.DataFrame) -> bytes:
    stream = io.BytesIO()
    events.write_ipc_stream(stream, compat_level=pl.CompatLevel.newest())
    return stream.getvalue()


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
            connection.send(answer_of(decoded_all(intakes[job.intake], job.deliveries(ids))))
