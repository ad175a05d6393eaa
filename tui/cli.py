"""The command `eventdeck`: finds the subcommand, runs it, and turns what fails into one sentence.

Everything heavy is imported by the command that needs it, so that `eventdeck --version` costs
little more than Python.
"""

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from store import VERSION
from store.allocator import give_freed_memory_back
from store.errors import StoreError, UsageError

if TYPE_CHECKING:
    from tui.commands.command import Command

INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
FAILED: Final = 3
HELP_WIDTH: Final = 14


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. Never raises, never prints a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    _prepare_streams()
    give_freed_memory_back()
    try:
        return _run(words)
    except SystemExit as left:  # argparse, after --help
        return left.code if isinstance(left.code, int) else 0
    except BrokenPipeError:
        # Whoever read the answer has read enough, such as `head`.
        _silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        return _complain("interrupted", INTERRUPTED)
    except StoreError as error:
        return _complain(str(error), error.exit_code)
    except OSError as error:
        return _complain(_os_sentence(error), FAILED)
    except Exception as error:  # noqa: BLE001 - the last line before a user would see a traceback
        return _complain(_surprise(error), FAILED)


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"eventdeck {VERSION}")
        return 0
    from tui.commands.command import Parser, first_word_at
    from tui.commands.console import Console

    at = first_word_at(words)
    if at is None and {"--help", "-h"} & set(words):
        print(_overview())
        return 0
    command = _command(None if at is None else words[at])
    rest = words if at is None else [*words[:at], *words[at + 1 :]]
    parser = Parser(f"eventdeck {command.name}", command.help, command.example)
    command.configure(parser, rest)
    options = parser.read(rest)
    code = command.run(options, Console(quiet=options.quiet))
    sys.stdout.flush()
    return code


def _command(name: str | None) -> "Command":
    """The subcommand of that name; the default one without a name."""
    if name is None:
        from tui.commands.dashboard import COMMAND

        return COMMAND
    from tui.commands.command import did_you_mean
    from tui.commands.registry import COMMANDS

    found = {command.name: command for command in COMMANDS}
    if name in found:
        return found[name]
    hint = did_you_mean(name, found)
    raise UsageError("eventdeck", f"there is no command {name!r}", next_step=hint)


def _overview() -> str:
    from tui.commands.registry import COMMANDS

    lines = [f"  {command.name:{HELP_WIDTH}}{command.help}" for command in COMMANDS]
    return "\n".join(
        [
            "usage: eventdeck [COMMAND] [--store DIR] [--config FILE] [--quiet] [--version]",
            "",
            "A flight recorder and an instrument panel for telemetry, in the terminal.",
            "",
            "commands (without one: the dashboard):",
            *lines,
            "",
            "example:",
            "  eventdeck demo",
            "  eventdeck query trends --help",
        ]
    )


def _prepare_streams() -> None:
    """Programs get UTF-8; what a terminal's encoding lacks must not end a command, nor does a
    stream that is closed.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            encoding = None if stream.isatty() else "utf-8"
            stream.reconfigure(encoding=encoding, errors="backslashreplace")  # type: ignore[union-attr]
    threading.excepthook = _thread_failed


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    """One sentence here too; a terminal that has gone away is nothing to report."""
    error = failure.exc_value
    gone = isinstance(error, OSError) and error.errno in (errno.EIO, errno.EPIPE, errno.EBADF)
    if error is not None and not gone and not isinstance(error, SystemExit):
        _complain(_surprise(error), FAILED)


def _complain(sentence: str, code: int) -> int:
    """One line on standard error, whatever the sentence holds."""
    from tui.commands.table import one_line

    with contextlib.suppress(OSError, ValueError):
        named = sentence if sentence.startswith("eventdeck") else f"eventdeck: {sentence}"
        print(one_line(named), file=sys.stderr, flush=True)
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    return code


def _os_sentence(error: OSError) -> str:
    # What is full beside the store, which names itself, is what one writes to.
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    place = error.filename or ("standard output" if is_full else "")
    return f"{place}{': ' if place else ''}{error.strerror or error}"


def _surprise(error: BaseException) -> str:
    """A fault of eventdeck's own; where it came from is kept in a file and not printed."""
    said = f"internal error: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
    try:
        return f"{said}; please report it with {_kept(error)}"
    except OSError:
        return f"{said}; please report it"


def _kept(error: BaseException) -> str:
    """The file that now tells of the error; for this user alone, and without values."""
    import traceback

    from platformdirs import user_state_path

    path = user_state_path("eventdeck", appauthor=False) / "failure.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (
        f"eventdeck {VERSION}, Python {sys.version}\n{''.join(traceback.format_exception(error))}"
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return str(path)


def _silence(stream: object) -> None:
    """So that Python's own flush at exit does not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
