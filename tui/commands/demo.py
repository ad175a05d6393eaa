"""`eventdeck demo`: sample data and live demo traffic, in a store of its own."""

from collections.abc import Sequence

from tui.commands.command import Command, Options, Parser
from tui.commands.console import Console
from tui.commands.dashboard import add_look, check_terminal

EXAMPLE = "eventdeck demo"


def configure(parser: Parser, _words: Sequence[str]) -> None:
    add_look(parser)


def run(options: Options, console: Console) -> int:
    from tui.demo import run_demo

    check_terminal()
    return run_demo(options, console)


COMMAND = Command(
    "demo", "the dashboard on sample data and live demo traffic", EXAMPLE, configure, run
)
