"""Where deliveries are decoded: off the event loop, and off this process while they queue up."""

import asyncio
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from store.collector.decoder import Job, decoded_of
from store.collector.intake.intake import Delivery, Intake
from store.collector.python import environment
from store.collector.together import ROUND_MAX, Together, decoded_all
from store.normalise import Decoded
from store.settings import MIB

T = TypeVar("T")

LOG: Final = logging.getLogger("eventdeck.collector")
LARGE_BODY_BYTES: Final = MIB
# Decoding took this share of a second at the least: a load, and no burst.
LOAD_SHARE: Final = 0.4
LOAD_SECONDS: Final = 0.5
REST_SECONDS: Final = 60.0
ANSWER_SECONDS: Final = 20.0
# Not as `-m`: then what it sends would be of a module called `__main__`.
PROGRAM: Final = "from store.collector.decoder import main; main()"


class Decoders:
    """One thread for small bodies, one for large ones, so that a large one holds up no small one.

    Under load, small ones are decoded in a process beside; it ends when there was nothing for it
    for REST_SECONDS. Where it fails, this process goes on alone.
    """

    def __init__(self, *, is_helped: bool = (os.cpu_count() or 1) > 1) -> None:
        # So many may be decoded together.
        self._small = ThreadPoolExecutor(ROUND_MAX, "decode")
        # With two rounds at once, each was half as large, and all took a third longer.
        self._together = Together(self._decoded, turns=1, can_wait=self._can_wait)
        self.is_ahead: Callable[[], bool] = lambda: False
        """Whether who takes what was decoded is busy; to be set by him."""
        self._large = ThreadPoolExecutor(1, "decode-large")
        self._is_helped = is_helped
        self._decoding_here = threading.Lock()
        self._waiting = 0
        self._load = _Load()
        self._helper: Helper | None = None

    @property
    def waiting(self) -> int:
        """How many small deliveries are being decoded or wait for it."""
        return self._waiting

    @property
    def settling(self) -> int:
        """How many of them are decoded, and about to be handed on."""
        return max(0, min(self._waiting, ROUND_MAX) - self._together.undecoded)

    @property
    def helper_pid(self) -> int | None:
        """Of the process beside, while there is one."""
        return self._helper.pid if self._helper else None

    def _can_wait(self) -> bool:
        return self.is_ahead()

    async def run(self, size_bytes: int, call: Callable[..., T], *arguments: Any) -> T:
        """`call` in the thread for bodies of that size; it calls `decode`."""
        loop = asyncio.get_running_loop()
        if size_bytes > LARGE_BODY_BYTES:
            return await loop.run_in_executor(self._large, call, *arguments)
        self._waiting += 1
        try:
            return await loop.run_in_executor(self._small, call, *arguments)
        finally:
            self._waiting -= 1

    def decode(self, intake: Intake, delivery: Delivery) -> Decoded:
        """What the intake makes of the delivery."""
        if len(delivery.body) > LARGE_BODY_BYTES:
            return intake.decode(delivery)
        return self._together.decode(intake, delivery)

    def _decoded(self, intake: Intake, deliveries: Sequence[Delivery]) -> Sequence[Decoded]:
        helper = self._helper
        try:
            if helper is not None and helper.is_ready():
                return helper.decode(intake, deliveries)
        except (OSError, EOFError) as error:
            LOG.warning("the decoder beside failed (%s)", type(error).__name__)
            self._leave(helper)
        with self._decoding_here:  # two at once would only wait for one another
            begun = time.monotonic()
            decoded = decoded_all(intake, deliveries)
            self._load.add(begun, time.monotonic())
            if self._is_helped and self._helper is None and self._load.is_high:
                self._helper = Helper()
        return decoded

    def rest(self) -> None:
        """To be called now and then: ends the process beside when it has nothing to do."""
        helper = self._helper
        if helper is not None and helper.idle_seconds > REST_SECONDS:
            self._leave(helper)

    def close(self) -> None:
        """When all is decoded."""
        self._small.shutdown()
        self._large.shutdown()
        if self._helper is not None:
            self._leave(self._helper)

    def _leave(self, helper: "Helper | None") -> None:
        if helper is not None and helper is self._helper:
            self._helper = None
            self._load = _Load()
            helper.close()


class _Load:
    """The share of the time that something took, second by second."""

    def __init__(self) -> None:
        self.is_high = False
        self._begun = 0.0
        self._seconds = 0.0

    def add(self, begun: float, ended: float) -> None:
        """It took from `begun` to `ended`."""
        length = ended - self._begun
        if length > 2 * LOAD_SECONDS:  # there was nothing for a while
            self._begun, self._seconds, length = begun, 0.0, ended - begun
        self._seconds += ended - begun
        if length >= LOAD_SECONDS:
            self.is_high = self._seconds / length >= LOAD_SHARE
            self._begun, self._seconds = ended, 0.0


class Helper:
    """A process that decodes."""

    def __init__(self) -> None:
        """Starts it; it is ready some half a second later."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment(),
                # Ctrl+C is for the collector, which drains and then closes the socket.
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._sending = threading.Lock()
        self._turn = threading.Event()
        """Set when the answer to the last delivery that was sent has been read."""
        self._turn.set()
        self._is_ready = False
        self._used = time.monotonic()
        self.pid = self._process.pid

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._used

    def is_ready(self) -> bool:
        """Whether it takes deliveries now. OSError or EOFError when it did not come up."""
        with self._sending:
            if not self._is_ready and self._connection.poll():
                self._connection.recv()
                self._is_ready = True
            return self._is_ready

    def decode(self, intake: Intake, deliveries: Sequence[Delivery]) -> Sequence[Decoded]:
        """What `decoded_all` gives; OSError or EOFError when the process is gone or stuck.

        From several threads: answers come in the order in which deliveries were sent.
        """
        mine = threading.Event()
        with self._sending:
            before, self._turn = self._turn, mine
            self._connection.send(Job.of(intake.name, deliveries))
        before.wait()
        try:
            if not self._connection.poll(ANSWER_SECONDS):
                raise TimeoutError
            answer = self._connection.recv_bytes()
        finally:
            mine.set()
        self._used = time.monotonic()
        return decoded_of(pickle.loads(answer))  # noqa: S301  from our own process

    def close(self) -> None:
        """Ends the process; safe to call when it is gone."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
