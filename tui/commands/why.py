"""`eventdeck why USER --step …`: how far somebody came in a funnel, and what ended it."""

from collections.abc import Sequence
from typing import Final

from tui.commands import query
from tui.commands.command import Command, Options, Parser, add_formats
from tui.commands.console import Console
from tui.commands.times import add_span, add_zone

EXAMPLE: Final = """\
eventdeck why ada --step signup --step 'pay where plan=pro' --window 7d
eventdeck why 4f1c --per session_id --step add_to_cart --step purchase --order strict --json"""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    """The options of a funnel."""
    from store.analytics import ANALYSES
    from store.analytics.funnel.why import Why
    from tui.commands.fields import add_query_options

    parser.add_argument("user", metavar="USER", help="a user, a device, or a value of --per")
    add_span(parser)
    add_zone(parser)
    add_formats(parser)
    add_query_options(parser, Why)
    parser.set_defaults(query_type=Why, query=None, fail_if=None, analyses=ANALYSES)


def run(options: Options, console: Console) -> int:
    """As any question is answered."""
    return query.run(options, console)


COMMAND = Command("why", "how far somebody came in a funnel, and why", EXAMPLE, configure, run)
