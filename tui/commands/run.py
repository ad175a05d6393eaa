"""`eventdeck run -- CMD…`: a command, and the events that it prints or sends."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from store.errors import UsageError
from tui.commands.command import Command, Options, Parser, settings_of
from tui.commands.console import Console

EXAMPLE: Final = """\
eventdeck run -- python app.py
eventdeck run --logs -- npm start
eventdeck run -- claude"""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.takes_command = True
    parser.add_argument(
        "--logs", action="store_true", help="take ordinary JSON logs and logfmt as well"
    )


def run(options: Options, console: Console) -> int:
    """What the command answers; a signal that ended it ends this process too."""
    from store.runner.run import end_as, run_command

    if not options.command:
        raise UsageError("run", "there is no command", next_step="write it after --")
    if sys.platform == "win32":
        fault, step = "it needs signals and terminals as Unix has them", "use import or collect"
        raise UsageError("run", fault, next_step=step)
    code = run_command(
        options.command, settings_of(options), os.environ, console.note, logs=options.logs
    )
    return end_as(code)


COMMAND = Command("run", "a command, and the events that it prints", EXAMPLE, configure, run)
