"""`eventdeck open VIEW`: the dashboard at a view that was copied with `y`."""

from collections.abc import Sequence

from store.errors import UsageError
from tui.commands.command import Command, Options, Parser, did_you_mean, settings_of
from tui.commands.console import Console
from tui.commands.dashboard import add_look, check_terminal, show
from tui.commands.times import zone_asked

EXAMPLE = "eventdeck open 'overview?last=1h&where=severity>=warning'"


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("view", metavar="VIEW", help="as `y` copies it")
    add_look(parser)


def run(options: Options, console: Console) -> int:
    from tui.screens import SCREENS
    from tui.view_state import View

    view = View.parse(options.view, now=console.now(), zone=zone_asked(options))
    if view.where:
        from store.analytics.filters import parse_filter

        parse_filter(view.where)
    modes = [screen.mode for screen in SCREENS]
    if view.screen not in modes:
        hint = did_you_mean(view.screen, modes)
        raise UsageError("view", f"there is no screen {view.screen!r}", next_step=hint)
    settings = settings_of(options)
    check_terminal()
    return show(settings, options, console, view=view)


COMMAND = Command("open", "the dashboard at a view copied with y", EXAMPLE, configure, run)
