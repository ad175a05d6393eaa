"""A command that is running, whichever way it was started."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from store.runner.streams import Way, Ways

NOT_FOUND: Final = 127
NOT_RUN: Final = 126
_OF_KEYS: Final = frozenset({signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)})
_SIGWINCH: Final = getattr(signal, "SIGWINCH", None)


class NotStartedError(Exception):
    """The command could not be run: `code` is what a shell would answer."""

    def __init__(self, command: str, error: OSError) -> None:
        found = isinstance(error, FileNotFoundError)
        self.code = NOT_FOUND if found else NOT_RUN
        super().__init__(f"{command}: {(error.strerror or str(error)).lower()}")


@dataclass(frozen=True, slots=True)
class Output:
    """An end of a pipe or a terminal to read, where it goes, and what it is called."""

    source: int
    target: int
    stream: str


class Child(Protocol):
    """Started when it is made."""

    outputs: Sequence[Output]
    news: int
    """A descriptor that can be read when there is something to hear."""

    def signal(self, number: int) -> None:
        """Sends it a signal; nothing when it is gone."""
        ...

    def hear(self) -> int | None:
        """What `news` has. When it ended: its exit code, or the negative number of the signal
        that ended it.
        """
        ...

    def end_output(self) -> None:
        """Says that nothing that it left behind holds up the end of its output any more."""
        ...

    def close(self) -> None:
        """When all that it wrote has been passed on: gives back what it had of ours."""
        ...


class PipedChild:
    """In our group of processes, so that the keys of a terminal reach both; reads what we would."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], ways: Ways) -> None:
        """NotStartedError."""
        all_ways = (ways.stdout,) if ways.stderr == "with stdout" else (ways.stdout, ways.stderr)
        ends = [_ends(way, number) for number, way in enumerate(all_ways, 1)]
        writers = [writer for _, writer in ends]
        try:
            self._process = subprocess.Popen(
                command, env=environment, stdout=writers[0], stderr=writers[-1]
            )
        except OSError as error:
            for reader, _ in ends:
                os.close(reader)
            raise NotStartedError(command[0], error) from None
        finally:
            for writer in writers:
                os.close(writer)
        self.outputs: Sequence[Output] = [
            Output(reader, number, name)
            for number, name, (reader, _) in zip(
                (1, 2), (ways.stdout_name, "stderr"), ends, strict=False
            )
        ]
        self._screens = [
            output for output, way in zip(self.outputs, all_ways, strict=True) if way == "terminal"
        ]
        self.news, self._done = os.pipe()
        threading.Thread(target=self._wait, daemon=True).start()

    def signal(self, number: int) -> None:
        if number in _OF_KEYS and _is_at_terminal():
            return  # it came from there, and reached both
        if number == _SIGWINCH:
            self._resize()
        self._process.send_signal(number)

    def hear(self) -> int | None:
        os.read(self.news, 1)
        return self._process.returncode

    def end_output(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _resize(self) -> None:
        from store.runner.screen import copy_size

        for output in self._screens:
            copy_size(output.target, output.source)

    def _wait(self) -> None:
        self._process.wait()
        os.write(self._done, b"x")


def _ends(way: Way, number: int) -> tuple[int, int]:
    """(what we read, what the command writes to) in place of our stream of that number."""
    if way != "terminal":
        return os.pipe()
    from store.runner.screen import opened_like

    return opened_like(number, is_raw=True)


def _is_at_terminal() -> bool:
    """Whether this process is what the user's keys interrupt."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0))
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
