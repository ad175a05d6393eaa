"""The subcommands of `eventdeck`, one a file."""

from typing import Final

from tui.commands import (
    check,
    collect,
    compact,
    dashboard,
    demo,
    expire,
    export,
    imports,
    inspect,
    open_view,
    query,
    sql,
    tail,
)
from tui.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    dashboard.COMMAND,
    open_view.COMMAND,
    demo.COMMAND,
    collect.COMMAND,
    imports.COMMAND,
    export.COMMAND,
    query.COMMAND,
    sql.COMMAND,
    tail.COMMAND,
    inspect.COMMAND,
    check.COMMAND,
    compact.COMMAND,
    expire.COMMAND,
)
DEFAULT_COMMAND: Final = dashboard.COMMAND
