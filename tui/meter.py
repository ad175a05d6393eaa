"""How fast a running total grows."""

from collections import deque
from datetime import datetime, timedelta


class Meter:
    """Samples of a total over a sliding window; one that shrinks (a compaction) starts anew."""

    def __init__(self, window: timedelta) -> None:
        self._window = window
        self._samples: deque[tuple[datetime, int]] = deque()

    def take(self, now: datetime, total: int) -> None:
        if self._samples and (total < self._samples[-1][1] or now < self._samples[-1][0]):
            self._samples.clear()
        self._samples.append((now, total))
        # One sample older than the window stays: the rate is over the window, not less.
        while len(self._samples) > 1 and now - self._samples[1][0] >= self._window:
            self._samples.popleft()

    def rate(self) -> float | None:
        """Growth a second; None before there is anything to compare."""
        if len(self._samples) < 2:
            return None
        (start, first), (end, last) = self._samples[0], self._samples[-1]
        seconds = (end - start).total_seconds()
        return (last - first) / seconds if seconds > 0 else None
