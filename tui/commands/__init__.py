"""The subcommands of `eventdeck`, one a file."""

from typing import Final

from tui.commands import (
    collect,
    dashboard,
    open_view,
    tail,
)
from tui.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    dashboard.COMMAND,
    open_view.COMMAND,
    collect.COMMAND,
    tail.COMMAND,
)
DEFAULT_COMMAND: Final = dashboard.COMMAND
