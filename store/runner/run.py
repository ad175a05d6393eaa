"""`eventdeck run`: a command, its output, its exit, and the events on the way to the collector."""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Final

from store.errors import StoreError
from store.runner.child import Child, NotStartedError, PipedChild
from store.runner.courier import Courier, Delivered
from store.runner.environment import environment
from store.runner.link import Link
from store.runner.relay import Relay
from store.runner.streams import Ways, look, ways
from store.settings import Settings
from store.vacuum.output import Printed

LAST_SECONDS_MAX: Final = 10.0
"""So long the last events are tried to be delivered when the command has ended."""
SILENCE_SECONDS: Final = 1.0
"""What a command left behind in the background is heard for as long as it goes on speaking."""
_FORWARDED: Final = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_OF_A_TERMINAL: Final = ("SIGCONT", "SIGWINCH")
Note = Callable[[str], None]


def run_command(
    command: Sequence[str],
    settings: Settings,
    given: Mapping[str, str],
    note: Note,
    *,
    logs: bool = False,
) -> int:
    """Runs it with the environment `given` and the collector's in it. Its exit code, or the
    negative number of the signal that ended it; 126 or 127 when it could not be run.

    The command never waits for a collector, and runs without one: `note` is told what was lost.
    """
    _open_what_is_closed()
    link = Link(settings)
    told = dict(given)
    try:
        link.connect()
        told = environment(link.collecting(), given)
    except StoreError as error:
        note(f"{error}; the command runs all the same")
    except OSError as error:
        fault = str(error.strerror or error).lower()
        note(f"store: {error.filename}: {fault}; the command runs all the same")
    with contextlib.closing(link):
        return _Run(command, told, note).run(link, settings.limits.line_bytes_max, logs=logs)


def end_as(code: int) -> int:
    """What this process answers for a command that ended so. Killed by a signal, it dies of the
    same one, since a shell asks for that and not for 128 and more.
    """
    if code >= 0:
        return code
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        # The command's own memory image is the one to look at.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    with contextlib.suppress(OSError, ValueError):
        signal.signal(-code, signal.SIG_DFL)
    sys.stdout.flush()
    os.kill(os.getpid(), -code)
    return 128 - code


class _Enough(Exception):  # noqa: N818  the user's wish, not a fault
    """Whoever waits for the last events does not want to any longer."""


class _Run:
    def __init__(self, command: Sequence[str], environment: Mapping[str, str], note: Note) -> None:
        self._command = command
        self._environment = environment
        self._note = note
        self._child: Child | None = None
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._wakes, False)
        self._early: list[int] = []
        self._has_ended = False

    def run(self, link: Link, line_bytes_max: int, *, logs: bool) -> int:
        how = ways(look())
        with self._signals(how):
            try:
                child = self._child = _started(self._command, self._environment, how)
            except NotStartedError as error:
                self._note(str(error))
                return error.code
            for number in self._early:
                child.signal(number)
            courier = Courier(link.send, link.connect)
            relays = self._relayed(child, courier, line_bytes_max, logs=logs)
            code = self._wait(child)
            with contextlib.suppress(_Enough):
                self._has_ended = True
                child.end_output()
                for relay, thread in relays.items():
                    _heard(relay, thread)
            child.close()
            self._tell(self._close(courier))
            return code

    def _relayed(
        self, child: Child, courier: Courier, line_bytes_max: int, *, logs: bool
    ) -> Mapping[Relay, threading.Thread]:
        """Its output under way, each stream in a thread."""
        run = f"{time.time_ns() // 1000:014x}{os.urandom(4).hex()}"
        found = {}
        for each in child.outputs:
            printed = Printed(run, each.stream, logs=logs)
            relay = Relay(each.source, each.target, printed, courier.put, line_bytes_max)
            found[relay] = threading.Thread(target=relay.run, daemon=True)
            found[relay].start()
        return found

    def _wait(self, child: Child) -> int:
        """Any thread may be the one that a signal interrupts: what it leaves in the pipe wakes
        this one, which handles it.
        """
        code = None
        while code is None:
            ready, _, _ = select.select([child.news, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
            if child.news in ready:
                code = child.hear()
        return code

    def _close(self, courier: Courier) -> Delivered:
        try:
            return courier.close(LAST_SECONDS_MAX)
        except _Enough:
            return courier.close(0)

    def _tell(self, delivered: Delivered) -> None:
        if delivered.lost:
            self._note(f"lines with events that were lost: {delivered.lost:,}; {delivered.fault}")
        if delivered.rejected:
            self._note(
                f"broken lines that carry the flag: {delivered.rejected:,} "
                f"({delivered.fault}); see eventdeck dead-letters"
            )

    @contextlib.contextmanager
    def _signals(self, how: Ways) -> Iterator[None]:
        """What we are sent is for the command; what it ignores from the start stays ignored."""
        names = _FORWARDED + (_OF_A_TERMINAL if "terminal" in (how.stdout, how.stderr) else ())
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers}
        taken = [number for number, handler in before.items() if handler != signal.SIG_IGN]
        for number in taken:
            signal.signal(number, self._forward)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            for number in taken:
                signal.signal(number, before[number])

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._has_ended:
            if number in (signal.SIGINT, signal.SIGTERM):
                raise _Enough
        elif self._child is None:
            self._early.append(number)
        else:
            self._child.signal(number)


def _open_what_is_closed() -> None:
    """Else the next pipe or connection of ours would be what the command's output goes to."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _started(command: Sequence[str], environment: Mapping[str, str], how: Ways) -> Child:
    if not how.has_keys:
        return PipedChild(command, environment, how)
    from store.runner.terminal import TerminalChild

    return TerminalChild(command, environment, how)


def _heard(relay: Relay, thread: threading.Thread) -> None:
    """To the end of the stream, or until it is silent."""
    heard = -1
    while thread.is_alive() and relay.bytes != heard:
        heard = relay.bytes
        thread.join(SILENCE_SECONDS)
