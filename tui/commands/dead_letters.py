"""`eventdeck dead-letters`: what intakes rejected, and why."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from store.errors import UsageError
from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console
from tui.commands.table import Table, one_line

EXAMPLE: Final = """\
eventdeck dead-letters
eventdeck dead-letters --limit 5 --json"""
LIMIT: Final = 50
CONTENT_WIDTH: Final = 80
COLUMNS: Final = ("time", "intake", "reason", "place", "fault", "content")


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=int, default=LIMIT, help=f"the newest N (default: {LIMIT})"
    )
    add_formats(parser)


def run(options: Options, console: Console) -> int:
    """The newest last. What is shown is masked as events are; most of it is not shown at all."""
    from store.collector.dead_letters.reading import held, letters
    from store.parts.layout import StoreFolder

    if options.limit < 1:
        raise UsageError("--limit", f"{options.limit} shows nothing", next_step="write 1 or more")
    folder = StoreFolder.open(settings_of(options).store)
    found = deque(letters(folder), maxlen=options.limit)
    if options.json:
        there = held(folder)
        document = {"files": there.files, "bytes": there.size_bytes}
        console.json({"letters": [letter.as_json() for letter in found], **document})
        return 0
    rows = [[getattr(letter, name) for name in COLUMNS] for letter in found]
    if options.csv:
        Table(COLUMNS, rows).write(console, as_csv=True)
    elif rows:
        for row in rows:
            row[-1] = one_line(row[-1] or "")[:CONTENT_WIDTH]
        Table(COLUMNS, rows).write(console, as_csv=False)
    else:
        console.line("nothing was rejected")
    return 0


COMMAND = Command("dead-letters", "what was rejected, and why", EXAMPLE, configure, run)
