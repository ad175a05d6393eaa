"""All subcommands. Apart from the package, so that the dashboard starts without the others."""

from typing import Final

from tui.commands import (
    check,
    collect,
    compact,
    dashboard,
    dead_letters,
    demo,
    expire,
    export,
    imports,
    inspect,
    open_view,
    query,
    run,
    sql,
    tail,
    why,
)
from tui.commands.command import Command

COMMANDS: Final[tuple[Command, ...]] = (
    dashboard.COMMAND,
    open_view.COMMAND,
    demo.COMMAND,
    collect.COMMAND,
    run.COMMAND,
    imports.COMMAND,
    export.COMMAND,
    query.COMMAND,
    why.COMMAND,
    sql.COMMAND,
    tail.COMMAND,
    inspect.COMMAND,
    check.COMMAND,
    dead_letters.COMMAND,
    compact.COMMAND,
    expire.COMMAND,
)
