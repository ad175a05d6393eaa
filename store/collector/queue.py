"""What waits for a commit, bounded. Used by the event loop's thread alone."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from store.collector.refused import try_later
from store.errors import UsageError
from store.settings import CollectorSettings
from store.tally import Receipt, Tally

DROP_OLDEST: Final = "drop_oldest"
WHEN_FULL: Final = ("refuse", DROP_OLDEST)


@dataclass(slots=True, eq=False)
class Waiting:
    """One delivery with events to store, and whom to tell."""

    events: pl.DataFrame
    receipt: Receipt
    """What became of the others so far; `stored` and `duplicate` come with the commit."""
    tally: Tally
    """The same as counts by fate, intake and reason."""
    intake: str
    answer: asyncio.Future[Receipt]
    arrived: float


class EventQueue:
    """Deliveries in the order of their arrival, at most `queue_events_max` events.

    One larger delivery fits when nothing else waits. When full, `refuse` raises Refused (503) at
    the newcomer, `drop_oldest` gives back the oldest deliveries to make room.
    """

    def __init__(self, settings: CollectorSettings, now: Callable[[], float]) -> None:
        """`now` gives seconds on the clock that `Waiting.arrived` was taken from. A UsageError for
        a setting that is neither of the two.
        """
        if settings.when_full not in WHEN_FULL:
            fault = (
                f"collector.when_full is {settings.when_full!r}, wanted {' or '.join(WHEN_FULL)}"
            )
            raise UsageError("settings", fault)
        self.events_max = settings.queue_events_max
        self._drops_oldest = settings.when_full == DROP_OLDEST
        self._now = now
        self._waiting: deque[Waiting] = deque()
        self.events = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest_age(self) -> float:
        """Seconds that the first in line has waited; 0 when nobody waits."""
        return self._now() - self._waiting[0].arrived if self._waiting else 0.0

    def put(self, waiting: Waiting) -> list[Waiting]:
        """Take it in; what is given back was dropped for it and is to be answered so."""
        dropped: list[Waiting] = []
        while self._waiting and self.events + waiting.events.height > self.events_max:
            if not self._drops_oldest:
                raise try_later("queue_full", "the queue is full; send again in a second")
            dropped.append(self._pop())
        self._waiting.append(waiting)
        self.events += waiting.events.height
        return dropped

    def take_all(self) -> list[Waiting]:
        """Everything that waits, for one commit."""
        taken = list(self._waiting)
        self._waiting.clear()
        self.events = 0
        return taken

    def _pop(self) -> Waiting:
        oldest = self._waiting.popleft()
        self.events -= oldest.events.height
        return oldest
