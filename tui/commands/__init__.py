"""The subcommands of `eventdeck`, one a file."""

from typing import Final

from tui.commands import (
    collect,
    dashboard,
    demo,
    open_view,
    query,
    tail,
)
from tui.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    dashboard.COMMAND,
    open_view.COMMAND,
    demo.COMMAND,
    collect.COMMAND,
    query.COMMAND,
    tail.COMMAND,
)
DEFAULT_COMMAND: Final = dashboard.COMMAND
