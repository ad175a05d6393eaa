"""A command that is running, whichever way it was started."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from store.runner.streams import Ways

NOT_FOUND: Final = 127
NOT_RUN: Final = 126


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


class PipedChild:
    """Reads what we would read, in our group of processes: the terminal's signals reach both."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], ways: Ways) -> None:
        ends = [os.pipe() for _ in range(1 if ways.stderr == "with stdout" else 2)]
        writers = [end for _, end in ends]
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
        names = (ways.mixed_name, "stderr")
        self.outputs: Sequence[Output] = [
            Output(reader, number, name)
            for (reader, _), number, name in zip(ends, (1, 2), names, strict=False)
        ]
        self.news, self._done = os.pipe()
        threading.Thread(target=self._wait, daemon=True).start()

    def signal(self, number: int) -> None:
        if number in (signal.SIGINT, getattr(signal, "SIGQUIT", None)) and _is_at_terminal():
            return  # it came from there, and reached both
        self._process.send_signal(number)

    def hear(self) -> int | None:
        os.read(self.news, 1)
        return self._process.returncode

    def end_output(self) -> None:
        pass

    def _wait(self) -> None:
        self._process.wait()
        os.write(self._done, b"x")


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
