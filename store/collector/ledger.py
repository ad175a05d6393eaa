"""The store's tally, exact: what the footers of its parts say, and what no footer says yet."""

import threading
from collections.abc import Callable
from typing import TypeVar

from store.tally import Tally

T = TypeVar("T")


class Ledger:
    """Deltas wait here for the next commit, whose first part takes them along. Safe across threads.

    A delta is lost only when the process dies within the second before its commit; it never
    speaks of events that were stored.
    """

    def __init__(self, stored: Callable[[], Tally]) -> None:
        """`stored` sums the footers of all visible parts."""
        self._stored = stored
        self._commit = threading.Lock()
        self._pending_lock = threading.Lock()
        self._pending = Tally()

    @property
    def is_pending(self) -> bool:
        return bool(self._pending)

    def add(self, delta: Tally) -> None:
        """Counts what needs no part of its own, such as a refused body. Never waits for a disk."""
        with self._pending_lock:
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
