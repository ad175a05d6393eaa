"""Clocks of senders that are wrong: when a body says when it was sent, it says by how much."""

from datetime import datetime, timedelta
from typing import Any, Final

from store.collector.intake.records import Record
from store.normalise.times import instant_of
from store.timespan import iso

SKEW: Final = "clock_skew_seconds"
"""The attribute that says how far an event's time was moved."""
_STEP: Final = timedelta(minutes=1)
_NONE: Final = timedelta()
# So old may an event be when it is sent; an older one was given its time by somebody who knew.
_WAITED_MAX: Final = timedelta(days=7)


class Skew:
    """How far a sender's clock is behind ours, in whole minutes.

    A body takes seconds to arrive, and an event that is sent again must get the same time again,
    or it would be another event; so less than half a minute is no skew.
    """

    def __init__(self, sent_at: Any, received: datetime) -> None:
        """`sent_at` is the time that the body says it was sent at; none that can be read: no skew."""
        sent = instant_of(sent_at)
        self._sent = sent
        self._behind = _STEP * round((received - sent) / _STEP) if sent else _NONE

    def corrected(self, event: Record) -> Record:
        """The event, its time by our clock, when it was made within the week before it was sent."""
        if not self._behind or self._sent is None:
            return event
        made = instant_of(event.get("event_time"))
        if made is None or not -_STEP <= self._sent - made <= _WAITED_MAX:
            return event
        try:
            right = iso(made + self._behind)
        except OverflowError:
            return event
        return {**event, "event_time": right, SKEW: self._behind.total_seconds()}
