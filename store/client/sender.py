"""The background half of the client: a bounded queue and the thread that empties it.

Callers only append to `waiting` and, rarely, `wake` the thread; ids, JSON and HTTP are its work.
"""

import atexit
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from queue import Empty, SimpleQueue
from typing import Final
from weakref import WeakSet

from store.client.delivery import Post, Verdict
from store.client.encoding import Recorded, dumps, encode
from store.event import EventIds

BODY_EVENTS_MAX: Final = 1_000
BODY_BYTES_MAX: Final = 1024 * 1024
# A caller wakes the thread each so many events, so that a burst is not left to the clock.
WAKE_EVERY: Final = 1024
RETRY_SECONDS_FIRST: Final = 0.1
# A collector that comes up late hears from its programs within this.
RETRY_SECONDS_MAX: Final = 3.0
ASKED_SECONDS_MAX: Final = 30.0

_senders: "WeakSet[Sender]" = WeakSet()


@dataclass(frozen=True, slots=True)
class ClientTally:
    """What became of everything recorded in this process.

    recorded = delivered + rejected + dropped + waiting, exactly.
    """

    recorded: int
    delivered: int
    """Accepted by the collector; filtered, sampled out and duplicates among them."""
    rejected: int
    """Refused by the collector as not readable or not allowed."""
    dropped: int
    """Given up: the queue was full, or there was no one to take them by the end."""
    waiting: int
    fault: str
    """The last thing that went wrong, as a sentence; empty when nothing did."""


@dataclass(slots=True)
class _Request:
    """Someone waits until `goal` events have left the client; `last` ends the thread after."""

    goal: int
    last: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False
    """True when `done` is because there was no one to send to."""


class Sender:
    """Delivers at least once: a body whose answer was lost is sent again, under the same ids, so
    that the collector removes the second. When the queue is full the oldest events give way.
    """

    def __init__(
        self,
        post: Post,
        *,
        queue_events_max: int,
        interval_seconds: float,
        exit_seconds_max: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`post` is the way out; `now` gives Unix seconds for the ids."""
        self.waiting: deque[Recorded] = deque(maxlen=queue_events_max)
        self.numbers = count()
        self.asleep = True
        """True while the thread will not look at `waiting` by itself."""
        self.exit_seconds_max = exit_seconds_max
        self._peeks = count()
        self._post = post
        self._interval = interval_seconds
        self._now = now
        self.start_afresh()
        _senders.add(self)

    def start_afresh(self) -> None:
        """Nothing recorded, nothing sent, no thread yet: at first, and in a forked child, whose
        parent sends what was waiting.
        """
        self.waiting.clear()
        self._not_ours = next(self.numbers) - next(self._peeks)
        self._tokens: SimpleQueue[_Request | None] = SimpleQueue()
        self._requests: list[_Request] = []
        self._ids = EventIds(self._now)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._post.forget()
        self._in_hand = self._delivered = self._rejected = 0
        self._fault = ""
        self._closing = self._closed = self._ended = False
        self.asleep = True

    def wake(self) -> None:
        """Tells the thread to look at `waiting`, starting it when there is none. Never raises,
        and may be called from a signal handler: SimpleQueue.put is reentrant.
        """
        self.asleep = False
        if self._closed:
            return
        if self._thread is not None or not self._starting.acquire(blocking=False):
            self._tokens.put(None)
        else:
            try:
                thread = threading.Thread(target=self._run, name="eventdeck-client", daemon=True)
                thread.start()
                self._thread = thread
            except RuntimeError as error:  # no thread left, or the interpreter is ending
                self._fault = f"no thread to send with: {error}"
            finally:
                self._starting.release()

    def ask(self, *, last: bool = False) -> "_Request | None":
        """Has the thread send at once all that was recorded before; `last` also ends it. None
        when there is nothing to wait for, or no one to ask.
        """
        if self._thread is None and self.waiting:
            self.wake()
        if self._thread is None:
            return None
        request = _Request(self._recorded(), last)
        self._tokens.put(request)
        # Asked after the thread has ended, no one answers; before, it does so as its last act.
        return None if self._ended else request

    def flush(self, timeout_seconds: float, *, last: bool = False) -> bool:
        """Waits until all that was recorded before is settled; False when time ran out first."""
        request = self.ask(last=last)
        if request is None:
            return not self.waiting and not self._in_hand
        return request.done.wait(max(timeout_seconds, 0)) and not request.given_up

    def close(self, timeout_seconds: float) -> bool:
        """Flushes for so long at most, then gives up what is left and lets the thread end."""
        done = self._closed or self.flush(timeout_seconds, last=True)
        self._closed = True
        return done

    def tally(self) -> ClientTally:
        """What became of everything, now."""
        delivered, rejected = self._delivered, self._rejected
        left = 0 if self._closed else len(self.waiting) + self._in_hand
        recorded = max(self._recorded(), delivered + rejected + left)
        dropped = recorded - delivered - rejected - left
        return ClientTally(recorded, delivered, rejected, dropped, left, self._fault)

    def _recorded(self) -> int:
        """How many numbers were drawn, without those that asking this drew itself."""
        return next(self.numbers) - next(self._peeks) - self._not_ours

    def _run(self) -> None:
        while not self._closing:
            try:
                self._rest()
                self._send_waiting()
                self._answer_requests()
            except Exception as error:  # noqa: BLE001 - counted as dropped; the next ones still go
                self._fault = f"{type(error).__name__}: {error}"
                self._in_hand = 0
        self._post.close()
        self._ended = True
        while not self._tokens.empty():
            self._listen(0)
        self._answer_requests()
        for request in self._requests:
            request.given_up = True
            request.done.set()

    def _rest(self) -> None:
        """Sleeps without a clock until something waits, then lets a batch gather."""
        hurried = False
        self.asleep = True
        if not self.waiting:
            hurried = self._listen(None)
        self.asleep = False
        if not hurried and self.waiting and not self._requests:
            self._listen(self._interval)

    def _listen(self, timeout_seconds: float | None) -> bool:
        """Waits for a token; True when it is somebody's request."""
        try:
            token = self._tokens.get(timeout=timeout_seconds)
        except Empty:
            return False
        if token is None:
            return False
        self._requests.append(token)
        self._closing = self._closing or token.last
        return True

    def _send_waiting(self) -> None:
        """All that waits now; what comes meanwhile is left to the next batch."""
        left = len(self.waiting)
        while left > 0 and not self._closed:
            body, events = self._next_body()
            left -= events
            self._deliver(body, events)

    def _next_body(self) -> tuple[bytes, int]:
        lines: list[bytes] = []
        size = 0
        for event_id in self._ids.take(min(len(self.waiting), BODY_EVENTS_MAX)):
            if size > BODY_BYTES_MAX:
                break
            self._in_hand += 1
            line = encode(self.waiting.popleft(), event_id, dumps)
            lines.append(line)
            size += len(line)
        return b"\n".join(lines), len(lines)

    def _deliver(self, body: bytes, events: int) -> None:
        pause = RETRY_SECONDS_FIRST
        while not self._closed:
            verdict = self._post.send(body, events)
            self._fault = verdict.fault or self._fault
            if verdict.settled:
                self._settle(verdict, events)
                return
            if verdict.absent and self._closing:
                # Nobody there at the end: the host's exit is not held up for that.
                self._closed = True
                return
            asked = verdict.retry_after
            if asked is None:
                self._pause(pause, hurry=True)
            else:
                self._pause(min(asked, ASKED_SECONDS_MAX))
            pause = min(pause * 2, RETRY_SECONDS_MAX)

    def _settle(self, verdict: Verdict, events: int) -> None:
        self._delivered += verdict.delivered
        self._rejected += verdict.rejected
        self._in_hand -= events
        self._answer_requests()

    def _pause(self, seconds: float, *, hurry: bool = False) -> None:
        """Waits before the next attempt; with `hurry`, somebody's request makes it at once."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._listen(left) and hurry:
                return

    def _answer_requests(self) -> None:
        settled = self._recorded() - len(self.waiting) - self._in_hand
        for request in [request for request in self._requests if settled >= request.goal]:
            self._requests.remove(request)
            request.done.set()


def _close_all() -> None:
    """At exit: all senders flush at the same time, each within its bound."""
    started = time.monotonic()
    for sender in list(_senders):
        sender.ask(last=True)
    for sender in list(_senders):
        sender.close(sender.exit_seconds_max - (time.monotonic() - started))


def _start_all_afresh() -> None:
    for sender in list(_senders):
        sender.start_afresh()
    # A child of multiprocessing ends by os._exit: its own finalizers run, atexit's do not.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(
            _close_all, lambda close: util.Finalize(None, close, exitpriority=9)
        )


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_afresh)
