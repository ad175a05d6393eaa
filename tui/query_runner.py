"""Runs questions off the event loop: one thread, the newest question of an asker wins."""

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from store.errors import StoreError
from tui.messages import QueryFailed, ResultReady, StoreFailed, StoreOpened
from tui.store_door import Cancelled, OpenStore, Store

log = logging.getLogger(__name__)

Work = Callable[[Store, Cancelled], object]
Post = Callable[[Message], object]
"""Takes a message to the event loop; safe from any thread."""


@dataclass(frozen=True, slots=True)
class _Question:
    asker: str
    ticket: int
    work: Work
    post: Post


class QueryRunner:
    """Answers arrive as ResultReady or QueryFailed, never for a question that a newer one of the
    same asker has replaced: the older one is told so by `cancelled`, and its answer is dropped.
    """

    def __init__(self, open_store: OpenStore, post: Post) -> None:
        """The store is opened in the thread: StoreOpened follows, or StoreFailed."""
        self._open_store = open_store
        self._post = post
        self._lock = threading.Condition()
        self._waiting: dict[str, _Question] = {}
        self._newest: dict[str, int] = {}
        self._running: str = ""
        self._tickets = 0
        self._closed = False
        self.answered = threading.Event()
        """Set once something was answered, or cannot be."""
        self._thread = threading.Thread(target=self._serve, name="queries", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Takes no more questions; a running one is told that nobody waits."""
        with self._lock:
            self._closed = True
            self._newest.clear()
            self._lock.notify()

    def ask(self, asker: str, work: Work, to: MessagePump) -> int:
        """Queues `work`, in place of what `asker` asked before; the ticket names it. `to` gets
        the ResultReady or QueryFailed.
        """
        with self._lock:
            self._tickets += 1
            self._newest[asker] = self._tickets
            # Re-inserted at the end: the latest asker is served first.
            self._waiting.pop(asker, None)
            self._waiting[asker] = _Question(asker, self._tickets, work, to.post_message)
            self._lock.notify()
            return self._tickets

    def cancel(self, asker: str) -> None:
        """Nobody waits for what `asker` asked."""
        with self._lock:
            self._waiting.pop(asker, None)
            self._newest.pop(asker, None)

    def busy(self, asker: str) -> bool:
        """True while a question of `asker` that still counts waits or runs."""
        return asker in self._waiting or (self._running == asker and asker in self._newest)

    def askers(self) -> frozenset[str]:
        """All whose questions are still awaited."""
        with self._lock:
            running = {self._running} & set(self._newest)
            return frozenset(self._waiting) | running

    def _serve(self) -> None:
        _import_polars()
        try:
            store = self._open_store()
            generation = store.generation()
        except Exception as error:
            log.warning("the store cannot be read", exc_info=True)
            self._post(StoreFailed(_sentence(error)))
            self.answered.set()
            return
        self._post(StoreOpened(store, generation))
        while question := self._next():
            self._answer(store, question)

    def _next(self) -> _Question | None:
        with self._lock:
            self._running = ""
            while not self._waiting and not self._closed:
                self._lock.wait()
            if self._closed:
                return None
            _, question = self._waiting.popitem()
            self._running = question.asker
            return question

    def _answer(self, store: Store, question: _Question) -> None:
        def cancelled() -> bool:
            return self._newest.get(question.asker) != question.ticket

        said: Message
        started = time.perf_counter()
        try:
            result = question.work(store, cancelled)
        except Exception as error:  # noqa: BLE001 - it belongs to the person who asked
            said = QueryFailed(
                question.asker, question.ticket, _sentence(error), traceback.format_exc()
            )
        else:
            seconds = time.perf_counter() - started
            said = ResultReady(question.asker, question.ticket, result, seconds)
        if not cancelled():
            with self._lock:
                self._running = ""
            question.post(said)
            self.answered.set()


def _import_polars() -> None:
    """With a thread less than there are cores: one stays for keys and frames. Programs that are
    started from here do not inherit that.
    """
    if "POLARS_MAX_THREADS" in os.environ:
        return
    os.environ["POLARS_MAX_THREADS"] = str(max(1, (os.cpu_count() or 2) - 1))
    try:
        import polars as pl  # noqa: F401 - it reads the variable once
    finally:
        del os.environ["POLARS_MAX_THREADS"]


def _sentence(error: Exception) -> str:
    if isinstance(error, StoreError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0]
