"""What an intake is: one protocol, from the bytes of a request to events, without I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import orjson

from store.collector.refused import Refused
from store.event import EventIds
from store.normalise import Decoded
from store.settings import Limits
from store.tally import Receipt


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as an intake sees it: decompressed, within the bounds, names in lower case."""

    body: bytes
    path: str
    """Quoted, as it was sent."""
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    received: datetime
    ids: EventIds
    limits: Limits


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request before its body is read; names of headers in lower case."""

    path: str
    headers: Mapping[str, str]
    note: Any = None
    """What `decode` left for the reply (Decoded.note)."""

    @property
    def content_type(self) -> str:
        """Without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


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

    def reply(self, receipt: Receipt, request: Request) -> Reply:
        """The answer once everything stored in `receipt` is durable."""
        ...

    def refusal(self, refused: Refused, receipt: Receipt | None, request: Request) -> Reply:
        """The answer to a delivery that did not get through the door; the status is `refused`'s,
        and its headers are added. `receipt` counts it, when its content was at fault.
        """
        ...


@runtime_checkable
class SharingIntake(Intake, Protocol):
    """One that shares a path with others, which are asked in the order of INTAKES."""

    def takes(self, request: Request) -> bool:
        """Whether the request is of this protocol, by its headers."""
        ...


@runtime_checkable
class GatheringIntake(Intake, Protocol):
    """One that decodes several deliveries in less time than one after the other."""

    def decode_together(self, deliveries: Sequence[Delivery]) -> Sequence[Decoded] | None:
        """What `decode` makes of each, but that all may be given the latest time received; None
        where they must be looked at one by one.
        """
        ...


def plain_refusal(refused: Refused, receipt: Receipt | None = None) -> Reply:
    """For protocols that say nothing of it: the fault, and the receipt, in JSON."""
    document = {**(receipt.as_json() if receipt else {}), "error": refused.fault}
    return Reply(refused.status, orjson.dumps(document), headers=refused.headers)
