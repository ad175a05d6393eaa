"""Watches the store for new parts: names only, in a thread, and says so once for each change."""

import threading
from datetime import timedelta
from typing import Final

from store.errors import StoreError
from tui.messages import StoreChanged
from tui.query_runner import Post
from tui.store_door import Store

POLL_INTERVAL: Final = timedelta(milliseconds=250)


class StoreWatch:
    """Posts StoreChanged at the start and whenever the generation is another."""

    def __init__(self, store: Store, post: Post, interval: timedelta = POLL_INTERVAL) -> None:
        self._store = store
        self._post = post
        self._interval = interval
        self._stopped = threading.Event()
        self._seen: str | None = None
        self._thread = threading.Thread(target=self._watch, name="store watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """One look; posts when something changed. A listing that fails is tried again later."""
        try:
            generation = self._store.generation()
            if generation == self._seen:
                return
            parts = self._store.snapshot()
            span = self._store.span()
            out_of_time = self._store.out_of_time()
        except (OSError, StoreError):
            return
        self._seen = generation
        self._post(
            StoreChanged(
                generation=generation,
                events=sum(part.rows for part in parts.parts),
                bytes_stored=sum(part.size_bytes for part in parts.parts),
                parts=len(parts.parts),
                span=span,
                skipped=tuple((str(each.path), each.fault) for each in parts.skipped),
                quarantined=tuple((str(each.path), each.fault) for each in parts.quarantined),
                out_of_time=out_of_time,
            )
        )

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.look()
            self._stopped.wait(self._interval.total_seconds())
