"""Lines on their way to the collector, in a thread of their own: who reads them never waits."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from store.client.delivery import Verdict
from store.errors import StoreError
from store.vacuum.output import Printed, packed
from store.vacuum.sieve import Found

WAITING_BYTES_MAX: Final = 64 * 1024 * 1024
"""Beyond, the lines that come are dropped, and counted."""
BODY_BYTES_MAX: Final = 1024 * 1024
LINE_BYTES: Final = 120
"""What a line takes in memory beside its bytes."""
GATHER_SECONDS: Final = 0.05
"""Lines gather for so long before they go together."""
RETRY_SECONDS_FIRST: Final = 0.05
RETRY_SECONDS_MAX: Final = 1.0
REVIVE_SECONDS: Final = 2.0
"""A collector that is gone for so long is started anew; one may be about to come up again."""
Send = Callable[[bytes, int, str], Verdict]
"""(body, lines, path) -> what became of them."""


@dataclass(slots=True)
class _Body:
    """Lines of one stream that are to go together."""

    printed: Printed
    lines: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of the lines that may hold an event."""

    rejected: int
    """They carry the flag and are broken, or the collector refused them."""
    lost: int
    """Nobody took them; they are not stored."""
    fault: str
    """Why, when some were lost."""


class Courier:
    """Delivers each line exactly once while there is a collector, and keeps a bounded number of
    bytes while there is none.
    """

    def __init__(
        self,
        send: Send,
        revive: Callable[[], None],
        *,
        waiting_bytes_max: int = WAITING_BYTES_MAX,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`revive` is called when nobody takes what is sent, to start a collector; `now_us` gives
        Unix microseconds.
        """
        self._send = send
        self._revive = revive
        self._waiting_bytes_max = waiting_bytes_max
        self._now_us = now_us
        self._open: dict[Printed, _Body] = {}
        """Those that still take lines, by what is said of their stream."""
        self._full: deque[_Body] = deque()
        self._in_hand: _Body | None = None
        self._bytes = self._rejected = self._lost = 0
        self._fault = ""
        self._changed = threading.Condition()
        self._is_closing = self._gives_up = False
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def put(self, found: Found, printed: Printed) -> None:
        """Never waits for the collector. From any thread, in the order of the lines."""
        with self._changed:
            for number, line in zip(found.numbers, found.lines, strict=True):
                if self._bytes + len(line) + LINE_BYTES > self._waiting_bytes_max:
                    self._lost += 1
                    self._fault = self._fault or "more came than could wait for the collector"
                    continue
                self._add(number, line, printed)
            self._changed.notify()

    def close(self, seconds_max: float) -> Delivered:
        """Delivers what waits, for so long at most; what is left then is lost."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(seconds_max)
        with self._changed:
            self._gives_up = True
            self._changed.notify()
            left = [*self._full, *self._open.values(), *filter(None, [self._in_hand])]
            lost = self._lost + sum(len(body.lines) for body in left)
            return Delivered(self._rejected, lost, self._fault)

    def _add(self, number: int, line: bytes, printed: Printed) -> None:
        body = self._open.get(printed)
        if body is None:
            body = self._open[printed] = _Body(replace(printed, read_us=self._now_us()))
        body.lines.append((number, line))
        body.size += len(line) + LINE_BYTES
        self._bytes += len(line) + LINE_BYTES
        if body.size >= BODY_BYTES_MAX:
            self._full.append(self._open.pop(printed))

    def _run(self) -> None:
        while self._take():
            self._deliver()

    def _take(self) -> bool:
        """The next body in hand; False when there is none, and none will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._full or self._open or self._is_closing)
            if not self._full:
                self._changed.wait_for(lambda: self._full or self._is_closing, GATHER_SECONDS)
            if not self._full:
                self._full.extend(self._open.values())
                self._open.clear()
            if self._gives_up or not self._full:
                return False
            self._in_hand = self._full.popleft()
            return True

    def _deliver(self) -> None:
        """Until somebody takes it, or it is given up."""
        body = self._in_hand
        assert body is not None
        content, pause, failed = packed(body.lines), RETRY_SECONDS_FIRST, time.monotonic()
        while True:
            verdict = self._send(content, len(body.lines), body.printed.target)
            if verdict.settled:
                self._settle(body, verdict)
                return
            with self._changed:
                self._fault = verdict.fault
                ends = self._is_closing
            if verdict.retry_after is None and (ends or time.monotonic() > failed + REVIVE_SECONDS):
                if not self._revived() and ends:
                    self._give_up()
                failed = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._gives_up, verdict.retry_after or pause)
                if self._gives_up:
                    return
            pause = min(2 * pause, RETRY_SECONDS_MAX)

    def _settle(self, body: _Body, verdict: Verdict) -> None:
        with self._changed:
            self._in_hand = None
            self._bytes -= body.size
            self._rejected += verdict.rejected
            lost = len(body.lines) - verdict.delivered - verdict.rejected
            self._lost += lost
            self._fault = verdict.fault if lost or verdict.rejected else self._fault

    def _revived(self) -> bool:
        try:
            self._revive()
        except (StoreError, OSError) as error:
            with self._changed:
                self._fault = str(error)
            return False
        return True

    def _give_up(self) -> None:
        with self._changed:
            self._gives_up = True
