"""Which time it surely is: a clock that jumped ahead must not make what came yesterday a month old.

A round believes a clock that went on about as far as the system ran since the round before (or, in
the first round, as the newest arrival). A later time is believed once it has been the time for a day
of running, in one piece or several; until then ages are counted to the time before it. So a clock
that is wrong, and set right within a day, costs nothing; and a store that slept for a week lets its
old events go a day later. Pure.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from store.timespan import iso

JUMP_MAX: Final = timedelta(days=2)
"""So far ahead a clock is believed at once: a weekend without a round is no jump."""
HELD_MIN: Final = timedelta(days=1)
"""Clocks that start wrong are set by the network within minutes, by people on the next day."""
_ZERO: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Belief:
    """What one round knew of the time."""

    time: datetime
    """To which ages are counted."""
    ticks: float
    """Of the clock that never steps, then; it begins anew with the system."""
    held: timedelta = _ZERO
    """How long the system ran while its clock showed a later time that is not believed yet."""

    @classmethod
    def parse(cls, note: Any) -> Self | None:
        """None for what is no note of it."""
        try:
            time = datetime.fromisoformat(note["time"])
            return cls(time, float(note["ticks"]), timedelta(seconds=note["held"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def note(self) -> dict[str, Any]:
        return {"time": iso(self.time), "ticks": self.ticks, "held": self.held.total_seconds()}


def believed(before: Belief | None, now: datetime, ticks: float, newest: datetime | None) -> Belief:
    """What to believe when the clock shows `now`, after `before`; `newest` is the newest arrival. A
    clock that was set back is believed: ages only become less.
    """
    before = before or Belief(min(now, newest or now), ticks)
    ran = timedelta(seconds=max(ticks - before.ticks, 0.0))
    time, held = before.time + ran, before.held + ran
    if now <= time + JUMP_MAX or held >= HELD_MIN:
        return Belief(now, ticks)
    return Belief(time, ticks, held)
