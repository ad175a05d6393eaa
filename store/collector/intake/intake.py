"""What an intake is: one protocol, from the bytes of a request to events, without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from store.event import EventIds
from store.normalise import Decoded
from store.settings import Limits
from store.tally import Receipt


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as an intake sees it: decompressed, within the bounds, names in lower case."""

    body: bytes
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    received: datetime
    ids: EventIds
    limits: Limits


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender is told."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Intake(Protocol):
    """One protocol; INTAKES lists them, and the server routes by method and path."""

    name: str
    """Events carry it as their `source`."""
    routes: tuple[tuple[str, str], ...]
    """(method, path) pairs; a path segment in braces matches anything."""

    def decode(self, delivery: Delivery) -> Decoded:
        """Events and refusals; never raises for what a sender sent."""
        ...

    def reply(self, receipt: Receipt) -> Reply:
        """The answer once everything stored in `receipt` is durable."""
        ...
