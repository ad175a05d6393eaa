"""`eventdeck import PATH…`: files into the store."""

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console
from tui.commands.progress import Progress
from tui.commands.table import Table
from tui.commands.times import add_zone, zone_asked

if TYPE_CHECKING:
    from store.tally import Receipt

EXAMPLE: Final = """\
eventdeck import history.ndjson.gz
eventdeck import app.log --logs
eventdeck import cpu.csv --map event_time=timestamp --map value=cpu --set event_name=cpu
cat app.log | eventdeck import - --format ndjson"""
REJECTED_CODE: Final = 1


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file; - is standard input")
    parser.add_argument(
        "--format",
        metavar="F",
        help="ndjson, csv, parquet, otlp, log; taken from the name when not given",
    )
    parser.add_argument(
        "--map",
        metavar="FIELD=COLUMN",
        type=_pair,
        action="append",
        default=[],
        help="take a field from a column of another name",
    )
    parser.add_argument(
        "--set",
        metavar="FIELD=VALUE",
        type=_pair,
        action="append",
        default=[],
        help="the same value for all rows",
    )
    parser.add_argument(
        "--logs", action="store_true", help="in a log, take ordinary JSON logs and logfmt as well"
    )
    add_zone(parser)
    add_formats(parser)


def run(options: Options, console: Console) -> int:
    """The receipt to standard output, what was rejected to standard error."""
    from store.importer import import_files

    with Progress(console, "importing") as progress:
        receipt = import_files(
            options.paths,
            settings=settings_of(options),
            format=options.format,
            mapping=_unique("--map", options.map),
            constants=_unique("--set", options.set),
            zone=zone_asked(options),
            logs=options.logs,
            now=console.now,
            progress=progress.show,
        )
    _write(receipt, options, console)
    return REJECTED_CODE if receipt.rejected or receipt.dropped else 0


def _write(receipt: "Receipt", options: Options, console: Console) -> None:
    document = receipt.as_json()
    if options.json:
        console.json(document)
        return
    if options.csv:
        counts = {name: count for name, count in document.items() if name != "errors"}
        Table(tuple(counts), [tuple(counts.values())]).write(console, as_csv=True)
    else:
        console.line(sentence(document))
    if not receipt.received:
        is_log = options.format == "log" or any(".log" in path for path in options.paths)
        hint = "; --logs takes the lines of ordinary logs as well"
        console.note(f"no event was found{hint if is_log and not options.logs else ''}")
    for error in receipt.errors:
        console.note(f"{error.place}: {error.fault}")
    if receipt.rejected > len(receipt.errors):
        console.note(f"and {receipt.rejected - len(receipt.errors):,} more were rejected")


def sentence(receipt: Mapping[str, object]) -> str:
    """`5 received: 4 stored, 1 rejected`; fates that befell none are left out."""
    fates = (
        f"{count} {name.replace('_', ' ')}"
        for name, count in receipt.items()
        if name not in ("received", "errors") and (count or name == "stored")
    )
    return f"{receipt['received']} received: {', '.join(fates)}"


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=…")
    return name, value


def _unique(option: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    named = dict(pairs)
    if len(named) < len(pairs):
        twice = next(name for name in named if sum(name == other for other, _ in pairs) > 1)
        raise UsageError(option, f"{twice} is given twice", next_step="give it once")
    return named


COMMAND = Command("import", "files into the store", EXAMPLE, configure, run)
