"""Where a command's output goes, and through what: a terminal stays one for it. Pure but for `look`."""

import os
import sys
from dataclasses import dataclass
from typing import Literal

Way = Literal["terminal", "pipe", "with stdout"]


@dataclass(frozen=True, slots=True)
class Streams:
    """What is known of the three streams of this process."""

    stdin_is_terminal: bool
    stdout_is_terminal: bool
    stderr_is_terminal: bool
    are_one: bool = False
    """Standard output and error go to the same place (`2>&1`)."""


@dataclass(frozen=True, slots=True)
class Ways:
    """What the command gets in place of each stream."""

    stdin_is_terminal: bool
    """False: it reads what this process would."""
    stdout: Way
    stderr: Way

    @property
    def has_terminal(self) -> bool:
        return "terminal" in (self.stdout, self.stderr)

    @property
    def mixed_name(self) -> str:
        """Of the stream on the terminal, or in the one pipe; empty where they are both in it."""
        if self.stderr == "with stdout" or self.stdout == self.stderr == "terminal":
            return ""
        return "stderr" if self.stdout == "pipe" and self.stderr == "terminal" else "stdout"


def ways(streams: Streams) -> Ways:
    """A terminal of its own in place of ours, one pipe where both go to one place (so that their
    order stays), else a pipe each.
    """
    stdout: Way = "terminal" if streams.stdout_is_terminal else "pipe"
    stderr: Way = "terminal" if streams.stderr_is_terminal else "pipe"
    if stdout == stderr == "pipe" and streams.are_one:
        stderr = "with stdout"
    return Ways("terminal" in (stdout, stderr) and streams.stdin_is_terminal, stdout, stderr)


def look() -> Streams:
    """Those of this process."""
    has_terminals = sys.platform != "win32"
    stdin, stdout, stderr = (has_terminals and os.isatty(number) for number in range(3))
    return Streams(stdin, stdout, stderr, are_one=_are_one())


def _are_one() -> bool:
    try:
        return os.path.samestat(os.fstat(1), os.fstat(2))
    except OSError:
        return False
