"""Deliveries that wait for a decoder, decoded together where their intake can: a few hundred
records take hardly longer than one.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from store.collector.intake.intake import Delivery, GatheringIntake, Intake
from store.normalise import Decoded
from store.settings import MIB

ROUND_BYTES_MAX: Final = MIB
ROUND_MAX: Final = 8
GATHER_SECONDS: Final = 0.003
DecodeAll = Callable[[Intake, Sequence[Delivery]], Sequence[Decoded]]


def decoded_all(intake: Intake, deliveries: Sequence[Delivery]) -> Sequence[Decoded]:
    """What the intake makes of each, together if it can."""
    if len(deliveries) > 1 and isinstance(intake, GatheringIntake):
        found = intake.decode_together(deliveries)
        if found is not None:
            return found
    return [intake.decode(delivery) for delivery in deliveries]


@dataclass(slots=True, eq=False)
class _Waiting:
    delivery: Delivery
    is_taken: bool = False
    """It is in a round."""
    outcome: Decoded | Exception | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    """Set when there is an outcome."""


class Together:
    """For threads that each have one delivery: one of them decodes what all have waiting."""

    def __init__(
        self, decode_all: DecodeAll, turns: int, can_wait: Callable[[], bool] = lambda: False
    ) -> None:
        """At most `turns` rounds are under way at once. `can_wait` says whether what is decoded
        at this moment would have to wait all the same.
        """
        self._decode_all = decode_all
        self._turns = threading.Semaphore(turns)
        self._can_wait = can_wait
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._waiting: dict[tuple[str, str], deque[_Waiting]] = {}
        self.undecoded = 0
        """Deliveries that wait, or are in the round that is under way."""

    def decode(self, intake: Intake, delivery: Delivery) -> Decoded:
        """What the intake makes of it; raises what that raises."""
        mine = _Waiting(delivery)
        # What came to different paths is not alike. Those of other intakes may be any text.
        key = (intake.name, delivery.path if isinstance(intake, GatheringIntake) else "")
        with self._lock:
            self._waiting.setdefault(key, deque()).append(mine)
            self.undecoded += 1
            self._came.notify_all()
        with self._turns:
            if not mine.is_taken and isinstance(intake, GatheringIntake):
                self._gather(self._waiting[key])
            while not mine.is_taken:
                self._decode_round(intake, self._waiting[key])
        mine.ready.wait()
        if isinstance(mine.outcome, Decoded):
            return mine.outcome
        raise mine.outcome or RuntimeError("nothing was decoded")

    def _gather(self, waiting: deque[_Waiting]) -> None:
        """Waits a moment for those that were answered together and come again together: a round
        of one takes hardly less than one of four.
        """
        until = time.monotonic() + GATHER_SECONDS
        with self._lock:
            while len(waiting) < ROUND_MAX and self._can_wait():
                if not self._came.wait(until - time.monotonic()):
                    return

    def _decode_round(self, intake: Intake, waiting: deque[_Waiting]) -> None:
        found = self._next_round(intake, waiting)
        try:
            outcomes: Sequence[Decoded | Exception]
            outcomes = self._decode_all(intake, [each.delivery for each in found])
        except Exception as error:  # noqa: BLE001  one delivery shall not cost the others theirs
            outcomes = [error] if len(found) == 1 else [self._alone(intake, w) for w in found]
        with self._lock:
            self.undecoded -= len(found)
        for each, outcome in zip(found, outcomes, strict=True):
            each.outcome = outcome
            each.ready.set()

    def _alone(self, intake: Intake, waiting: _Waiting) -> Decoded | Exception:
        try:
            return self._decode_all(intake, [waiting.delivery])[0]
        except Exception as error:  # noqa: BLE001
            return error

    def _next_round(self, intake: Intake, waiting: deque[_Waiting]) -> list[_Waiting]:
        """The oldest ones, within the bounds."""
        found: list[_Waiting] = []
        size_bytes = 0
        most = ROUND_MAX if isinstance(intake, GatheringIntake) else 1
        with self._lock:
            while waiting and len(found) < most:
                size_bytes += len(waiting[0].delivery.body)
                if found and size_bytes > ROUND_BYTES_MAX:
                    break
                waiting[0].is_taken = True
                found.append(waiting.popleft())
        return found
