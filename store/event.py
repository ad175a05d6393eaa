"""One event, as the client, the tests and the detail pane hold it; and the ids that order events.

Between the door and the disk events travel as columns (store.schema), never as these objects.
"""

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from store.timespan import iso

# What an attribute may hold; nested objects are flattened with dots, lists kept as JSON text.
Scalar = str | int | float | bool | None

NO_ATTRIBUTES: Final[Mapping[str, Scalar]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: what, when, and everything known about it.

    `attributes` holds all but the four required fields, fixed columns (`user_id`, `severity`, …)
    among them, by their flat names.
    """

    event_id: str
    event_time: datetime
    event_type: str
    event_name: str
    attributes: Mapping[str, Scalar] = field(default_factory=lambda: NO_ATTRIBUTES)

    def as_wire(self) -> dict[str, Scalar]:
        """The flat JSON object that `POST /v1/events` takes."""
        return {
            **self.attributes,
            "event_id": self.event_id,
            "event_time": iso(self.event_time),
            "event_type": self.event_type,
            "event_name": self.event_name,
        }


class EventIds:
    """UUIDv7 texts (RFC 9562, method 1) that grow strictly, also within a millisecond and when
    the clock steps back, so that sorting by id keeps the order of making. Safe across threads.
    """

    def __init__(
        self, now: Callable[[], float], random: Callable[[int], bytes] = os.urandom
    ) -> None:
        """`now` gives Unix seconds; `random` gives that many random bytes."""
        self._now = now
        self._random = random
        self._lock = threading.Lock()
        self._millisecond = -1
        self._counter = 0

    def __call__(self) -> str:
        return self.take(1)[0]

    def take(self, count: int) -> list[str]:
        """`count` new ids, ascending."""
        with self._lock:
            millisecond = int(self._now() * 1000)
            if millisecond > self._millisecond:
                self._millisecond = millisecond
                # The top bit stays clear: room to count up within this millisecond.
                self._counter = int.from_bytes(self._random(9), "big") >> 1 & (1 << 73) - 1
            first = (self._millisecond << 74) + self._counter + 1
            self._counter += count
            if self._counter >> 74:
                self._millisecond += self._counter >> 74
                self._counter &= (1 << 74) - 1
        return _uuid_texts(first, count)


def _uuid_texts(first: int, count: int) -> list[str]:
    """48 bits of milliseconds and 74 bits of counter, laid out as version 7, variant 10.

    All but the last group stays the same until its 48 bits carry: 0.2 us an id.
    """
    texts: list[str] = []
    while len(texts) < count:
        above, low = divmod(first + len(texts), 1 << 48)
        high, middle = divmod(above, 1 << 14)
        head = f"{high >> 12 << 16 | 7 << 12 | high & 0xFFF:016x}"
        text = f"{head[:8]}-{head[8:12]}-{head[12:]}-{2 << 14 | middle:04x}-%012x"
        texts += map(text.__mod__, range(low, min(low + count - len(texts), 1 << 48)))
    return texts


def uuid7_time(text: str) -> datetime | None:
    """The instant (milliseconds) inside a UUIDv7; None for any other id."""
    digits = text.replace("-", "")
    try:
        number = int(digits, 16)
    except ValueError:
        return None
    if len(digits) != 32 or number >> 76 & 0xF != 7 or number >> 62 & 3 != 2:
        return None
    try:
        return datetime.fromtimestamp((number >> 80) / 1000, UTC)
    except (ValueError, OverflowError):  # past the year 9999
        return None
