"""A command on a terminal of its own, whose keys and window are those of ours.

Between us and the command stands a process that leads the terminal's session: a command without a
parent in its session could not be stopped by Ctrl+Z.
"""

import atexit
import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import threading
import time
import tty
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from store.runner.child import NotStartedError, Output
from store.runner.relay import READ_BYTES, write_all
from store.runner.screen import copy_size, opened_like
from store.runner.streams import Ways

# Nothing comes any more from a command that ended when its terminal is silent for so long.
SILENCE_SECONDS: Final = 0.01
LAST_SECONDS_MAX: Final = 5.0
_STARTED, _STOPPED, _ENDED, _FAILED = b"p", b"s", b"x", b"e"
_REPORT: Final = struct.Struct("<cq")
# What keys send goes to the command alone.
_KEYS: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU)
_CHANGED: Final = (*_KEYS, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class TerminalChild:
    """Gets all signals from us alone."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], ways: Ways) -> None:
        """Forks, so before there are threads. NotStartedError."""
        master, slave = opened_like(0, is_raw=False)
        self._raw = _Raw(0)
        pipe = os.pipe() if ways.stderr == "pipe" else None
        self.news, report = os.pipe()
        held, self._hold = os.pipe()
        streams = (slave, slave, pipe[1] if pipe else slave)
        if not os.fork():
            _lead(command, environment, streams, slave, report, held)
        for end in (slave, report, held, *(pipe[1:] if pipe else ())):
            os.close(end)
        self._group = self._started(command[0])
        self.outputs: Sequence[Output] = [
            Output(master, 1, ways.stdout_name),
            *([Output(pipe[0], 2, "stderr")] if pipe else []),
        ]
        self._resumed = threading.Event()
        self._raw.enter()
        # Others of their own: the relay closes the one that it reads.
        keys, self._watched = os.dup(master), os.dup(master)
        threading.Thread(target=self._pass_keys, args=(keys,), daemon=True).start()

    def signal(self, number: int) -> None:
        if number == signal.SIGWINCH:
            copy_size(0, self._watched)
        elif number == signal.SIGCONT:
            self._resume()
        else:
            self._tell(number)

    def hear(self) -> int | None:
        kind, value = self._report()
        if kind == _STOPPED:
            self._stop_as_well()
        return os.waitstatus_to_exitcode(value) if kind == _ENDED else None

    def end_output(self) -> None:
        """Its terminal hangs up once all that the command wrote has been read."""
        deadline = time.monotonic() + LAST_SECONDS_MAX
        while select.select([self._watched], [], [], SILENCE_SECONDS)[0]:
            if time.monotonic() > deadline:
                break  # something that it left behind goes on writing
            time.sleep(SILENCE_SECONDS)
        os.close(self._hold)

    def close(self) -> None:
        self._raw.leave()

    def _started(self, command: str) -> int:
        kind, value = self._report()
        if kind == _FAILED:
            os.close(self._hold)
            raise NotStartedError(command, OSError(value, os.strerror(value)))
        return value

    def _report(self) -> tuple[bytes, int]:
        data = os.read(self.news, _REPORT.size)
        # Without a word when somebody killed the process between.
        kind, value = _REPORT.unpack(data) if data else (_ENDED, int(signal.SIGKILL))
        return kind, value

    def _stop_as_well(self) -> None:
        """As the shell that waits for us sees it, the command and we are one job."""
        self._raw.leave()
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        # Here the shell has continued us; or there is none that could have stopped us.
        self._resume()

    def _resume(self) -> None:
        self._raw.enter()
        copy_size(0, self._watched)
        self._tell(signal.SIGCONT)
        self._resumed.set()

    def _tell(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, number)

    def _pass_keys(self, target: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._resumed.clear()
                if not _is_in_front(0):
                    self._resumed.wait()
                    continue
                keys = os.read(0, READ_BYTES)
                if not keys:
                    return
                write_all(target, keys)


class _Raw:
    """The user's terminal hands keys on as they are, and is what it was afterwards."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        atexit.register(self.leave)
        self._before: list[object] | None = None

    def enter(self) -> None:
        if self._before is None and _is_in_front(self._terminal):
            self._before = termios.tcgetattr(self._terminal)
            tty.setraw(self._terminal, termios.TCSADRAIN)

    def leave(self) -> None:
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._before)  # type: ignore[arg-type]
            self._before = None


def _is_in_front(terminal: int) -> bool:
    """Whether we may read keys and change the terminal; in the background it would stop us."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False


def _lead(
    command: Sequence[str],
    environment: Mapping[str, str],
    streams: tuple[int, ...],
    slave: int,
    report: int,
    held: int,
) -> NoReturn:
    """In the forked process: leads the session, starts the command and tells what becomes of it."""
    code = 1
    try:
        ignored = [number for number in _CHANGED if signal.getsignal(number) == signal.SIG_IGN]
        for number in _CHANGED:
            signal.signal(number, signal.SIG_IGN if number in _KEYS else signal.SIG_DFL)
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        fault, failed = os.pipe()
        child = os.fork()
        if not child:
            _become(command, environment, streams, slave, failed, ignored)
        _leave_all_but(slave, report, held, fault)
        code = _watch(child, report, held, fault)
    finally:
        os._exit(code)


def _become(
    command: Sequence[str],
    environment: Mapping[str, str],
    streams: tuple[int, ...],
    slave: int,
    failed: int,
    ignored: Sequence[int],
) -> NoReturn:
    try:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpgrp())
        for number in (*_CHANGED, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606  without a shell
    except OSError as error:
        os.write(failed, str(error.errno or 0).encode())
    finally:
        os._exit(127)


def _leave_all_but(*kept: int) -> None:
    """What stays open here would keep a pipe from its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    first = 3
    for number in sorted(kept):
        os.closerange(first, number)
        first = number + 1
    os.closerange(first, max(os.sysconf("SC_OPEN_MAX"), 256) if sys.platform != "linux" else 1024)


def _watch(child: int, report: int, held: int, fault: int) -> int:
    # Closed without a word when the command runs.
    error = os.read(fault, 20)
    os.write(report, _REPORT.pack(_FAILED, int(error)) if error else _REPORT.pack(_STARTED, child))
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            os.write(report, _REPORT.pack(_STOPPED, os.WSTOPSIG(status)))
            continue
        os.write(report, _REPORT.pack(_ENDED, status))
        # Until the terminal has been read to its end: it hangs up when its leader goes.
        os.read(held, 1)
        return 0
