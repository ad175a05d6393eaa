"""The framing of Sentry's envelopes: a line of JSON, then items of a header line and a payload."""

import re
from dataclasses import dataclass
from typing import Any, Final, Self

import xxhash

from store.collector.intake.records import Load, Record, object_of
from store.normalise.json_text import Fault, NotTakenError

ITEMS_MAX: Final = 1000
_TOO_MANY: Final = Fault("too_many", f"an envelope has at most {ITEMS_MAX:,} items")
_BLANK: Final = re.compile(rb"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of telemetry, or a file."""

    header: Record
    payload: bytes

    @property
    def kind(self) -> Any:
        return self.header.get("type")

    @property
    def digest(self) -> str:
        """Of the payload: the same when the item is sent again. Reads all of it each time."""
        return xxhash.xxh3_128_hexdigest(self.payload)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was sent at once."""

    header: Record
    items: list[Item]
    broken: Fault | None = None
    """Why there are no more items than these, when the bytes went on."""

    @property
    def event_id(self) -> str:
        """Empty when it has none."""
        given = self.header.get("event_id")
        return given if type(given) is str else ""

    @property
    def sampled_to(self) -> float | None:
        """How many traces stand for one that was kept, by the head of the trace; None: not said."""
        trace = self.header.get("trace")
        try:
            rate = float(trace["sample_rate"]) if type(trace) is dict else 0.0
        except (KeyError, TypeError, ValueError, OverflowError):
            return None
        return 1 / rate if 0 < rate < 1 else None

    @classmethod
    def read(cls, body: bytes, load: Load) -> Self:
        """NotTakenError: it does not begin as an envelope does."""
        line, at = _line(body, 0)
        header = object_of(load(line), "the envelope's header")
        items: list[Item] = []
        while (at := _next(body, at)) < len(body):
            line, at = _line(body, at)
            if len(items) == ITEMS_MAX:
                return cls(header, items, _TOO_MANY)
            try:
                item_header = object_of(load(line), "an item's header")
                payload, at = _payload(body, at, item_header.get("length"))
            except NotTakenError as refused:
                return cls(header, items, refused.fault)
            items.append(Item(item_header, payload))
        return cls(header, items)


def _next(body: bytes, at: int) -> int:
    """Where the next line that is not blank begins: one step for any number of them."""
    found = _BLANK.match(body, at)
    return found.end() if found else at


def _line(body: bytes, at: int) -> tuple[bytes, int]:
    """The line that begins there, and where the next one does."""
    end = body.find(b"\n", at)
    end = len(body) if end < 0 else end
    return body[at:end], end + 1


def _payload(body: bytes, at: int, length: Any) -> tuple[bytes, int]:
    """Of so many bytes; up to the end of the line when that is not said."""
    if length is None:
        return _line(body, at)
    end = at + length if type(length) is int and length >= 0 else -1
    if not at <= end <= len(body) or body[end : end + 1] not in {b"", b"\n"}:
        raise NotTakenError(Fault("bad_length", "its length is not that of its payload"))
    return body[at:end], end + 1
