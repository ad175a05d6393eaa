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

    has_keys: bool
    """Whether a terminal of its own is where it reads, too; else it reads what we would."""
    stdout: Way
    stderr: Way

    @property
    def stdout_name(self) -> str:
        """Empty where standard error cannot be told from it."""
        return "" if self.stderr == "with stdout" else "stdout"


def ways(streams: Streams) -> Ways:
    """A terminal in place of a terminal, a pipe in place of anything else, and one for both where
    both go to one place, so that their order stays.

    Keys are taken from ours only where our output is there as well: in `… | less` they are for
    `less`, which reads them from the same terminal.
    """
    stdin, stdout, stderr = (
        streams.stdin_is_terminal,
        streams.stdout_is_terminal,
        streams.stderr_is_terminal,
    )
    are_one = stdout and stderr if stdout or stderr else streams.are_one
    return Ways(
        stdin and stdout,
        "terminal" if stdout else "pipe",
        "with stdout" if are_one else "terminal" if stderr else "pipe",
    )


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
