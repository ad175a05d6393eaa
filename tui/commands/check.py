"""`eventdeck check`: reads everything that is stored."""

from collections.abc import Sequence
from typing import Final

from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console
from tui.commands.progress import Progress
from tui.commands.table import Table

EXAMPLE: Final = "eventdeck check && echo sound"
FAULTS_CODE: Final = 1
COUNTS: Final = (
    *("events", "unique_event_ids", "parts", "unreadable", "staged", "quarantined", "covered"),
    "out_of_time",
)


def configure(parser: Parser, _words: Sequence[str]) -> None:
    add_formats(parser)


def run(options: Options, console: Console) -> int:
    """1 when a part cannot be read or an id occurs twice; what is wrong to standard error."""
    from store.parts.check import check
    from store.parts.layout import StoreFolder

    folder = StoreFolder.open(settings_of(options).store)
    with Progress(console, "checking") as progress:
        report = check(folder, progress.show)
    document = report.as_json()
    if options.json:
        console.json(document)
    elif options.csv:
        names = ("ok", *COUNTS)
        Table(names, [[document[name] for name in names]]).write(console, as_csv=True)
    else:
        console.lines([f"{name.replace('_', ' '):18}{document[name]}" for name in COUNTS])
        console.line("sound" if report.ok else "not sound")
    for fault in report.faults:
        console.note(f"{fault.path}: {fault.fault}")
    for twice in report.duplicates:
        console.note(f"{twice.date}: id {twice.event_id} is there {twice.times} times")
    for moved in report.quarantine:
        console.note(f"{moved.path} is in quarantine: {moved.fault or 'nobody knows why'}")
    return 0 if report.ok else FAULTS_CODE


COMMAND = Command("check", "read everything; 1 when something is wrong", EXAMPLE, configure, run)
