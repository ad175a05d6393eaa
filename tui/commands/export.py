"""`eventdeck export PATH`: events out of the store, into a file that imports again."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from tui.commands.caveats import warn_of_lost_parts, warn_of_unknown_fields
from tui.commands.command import Command, Options, Parser, settings_of
from tui.commands.console import Console
from tui.commands.progress import Progress
from tui.commands.times import add_span, add_zone, span_of, zone_asked

if TYPE_CHECKING:
    from store.exporter import Exported

EXAMPLE: Final = """\
eventdeck export today.ndjson.gz --since today
eventdeck export errors.csv --where 'severity>=error' --last 7d
eventdeck export - --last 1h | jq .event_name"""
STDOUT: Final = "-"


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("path", metavar="PATH", help="the new file; - is standard output")
    parser.add_argument(
        "--format", metavar="F", help="ndjson, csv, parquet; taken from the name when not given"
    )
    parser.add_argument("--where", metavar="FILTER", help="only these events")
    parser.add_argument("--force", action="store_true", help="in the place of a file that is there")
    parser.add_argument(
        "--marks",
        action="store_true",
        help="also what the store noted: received_time, source, subject_hash, …",
    )
    parser.add_argument("--json", action="store_true", help="say in JSON what was written")
    add_span(parser)
    add_zone(parser)


def run(options: Options, console: Console) -> int:
    """How many events went out is said on standard error, or in JSON on standard output."""
    from store.analytics.filters import parse_filter
    from store.event_store import EventStore
    from store.exporter import export_file
    from store.exporter.exports import format_of

    _check_output(options, console, compressed=format_of(options.path, options.format).compressed)
    now = console.now()
    keep = parse_filter(options.where, now=now, zone=zone_asked(options))
    store = EventStore(settings_of(options).store, now=console.now)
    warn_of_unknown_fields(keep, store.column_types(), console)
    span = span_of(options, now=now, stored=store.span())
    with Progress(_shown(options, console), "exporting") as progress:
        done = export_file(
            options.path,
            store=store,
            format=options.format,
            span=span,
            where=keep,
            marks=options.marks,
            force=options.force,
            progress=progress.show,
        )
    _say(done, options, console)
    warn_of_lost_parts(store.unreadable(span), console)
    return 0


def _check_output(options: Options, console: Console, *, compressed: bool) -> None:
    if options.path != STDOUT:
        return
    if options.json:
        raise UsageError("export", "--json would stand among the events", next_step="name a file")
    if compressed and console.out.isatty():
        step = "name a file, or choose --format ndjson"
        raise UsageError("export", "a terminal cannot show parquet", next_step=step)


def _shown(options: Options, console: Console) -> Console:
    """No bar among lines that scroll by."""
    among = options.path == STDOUT and console.out.isatty()
    return Console(console.out, console.err, quiet=True, now=console.now) if among else console


def _say(done: "Exported", options: Options, console: Console) -> None:
    if options.json:
        console.json(done.as_json())
        return
    from tui import formatting

    events = "1 event" if done.events == 1 else f"{done.events:,} events"
    if options.path == STDOUT:
        console.note(events)
    else:
        size = formatting.size(Path(options.path).expanduser().stat().st_size)
        console.note(f"{events} in {options.path}, {' '.join(size)}")


COMMAND = Command("export", "events into a file that imports again", EXAMPLE, configure, run)
