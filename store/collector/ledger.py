"""The store's tally, exact: what the footers of its parts say, and what no footer says yet."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from store.tally import Tally

T = TypeVar("T")


class Ledger:
    """Deltas wait here for the next commit, whose first part takes them along. Safe across threads.

    A delta is lost only when the process dies within the second before its commit; it never
    speaks of events that were stored.
    """

    def __init__(
        self, stored: Callable[[], Tally], now: Callable[[], float] = time.monotonic
    ) -> None:
        """`stored` sums the footers of all visible parts; `now` gives seconds."""
        self._stored = stored
        self._now = now
        self._since = 0.0
        self._commit = threading.Lock()
        self._pending_lock = threading.Lock()
        self._pending = Tally()

    @property
    def age(self) -> float | None:
        """Seconds that the oldest delta has waited; None without any."""
        return self._now() - self._since if self._pending else None

    def add(self, delta: Tally) -> None:
        """Counts what needs no part of its own, such as a refused body. Never waits for a disk."""
        with self._pending_lock:
            if not self._pending:
                self._since = self._now()
            self._pending += delta

    def commit(self, delta: Tally, write: Callable[[Tally], T]) -> T:
        """`write` stores `delta` and all that waits; when it raises, what waited goes on waiting."""
        with self._commit:
            with self._pending_lock:
                waited, self._pending = self._pending, Tally()
            try:
                return write(waited + delta)
            except BaseException:
                self.add(waited)
                raise

    def total(self) -> Tally:
        """Reads new footers; waits for a commit in progress, so that no delta counts twice."""
        with self._commit, self._pending_lock:
            return self._stored() + self._pending
