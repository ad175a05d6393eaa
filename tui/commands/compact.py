"""`eventdeck compact`: many parts become few, now, and broken ones go to quarantine: who holds the
maintainer's lock is the maintainer, also where no collector ever runs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console

if TYPE_CHECKING:
    from store.maintenance.maintainer import Planned, Report

EXAMPLE: Final = """\
eventdeck compact --dry-run
eventdeck compact --json"""
FAULTS_CODE: Final = 1
PATIENCE_SECONDS: Final = 10.0
"""A round of the collector's takes about as long, and another one would do the same."""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    add_formats(parser, csv=False)


def run(options: Options, console: Console) -> int:
    """1 when a part could not be merged, or is broken; what is wrong to standard error."""
    from store.maintenance.maintainer import Maintainer
    from store.parts.layout import StoreFolder

    settings = settings_of(options)
    folder = StoreFolder.open(settings.store)
    maintainer = Maintainer(folder, settings, eager=True, patience_seconds=PATIENCE_SECONDS)
    if options.dry_run or not folder.events.is_dir():
        print_plan(maintainer.plan(_jobs()), options, console)
        return 0
    with maintainer:
        report = maintainer.round(_jobs())
    print_report(report, options, console)
    return FAULTS_CODE if report.faults or report.quarantined else 0


def _jobs() -> Sequence[Any]:
    from store.maintenance.compaction import Compaction
    from store.maintenance.covered import CoveredParts
    from store.maintenance.duplicates import Duplicates
    from store.maintenance.quarantine import Quarantine
    from store.maintenance.staged import StagedLeftovers

    return Quarantine(), StagedLeftovers(), CoveredParts(), Compaction(), Duplicates()


def print_plan(planned: "list[Planned]", options: Options, console: Console) -> None:
    if options.json:
        console.json({"planned": [each.as_json() for each in planned]})
    else:
        console.lines([str(each.step) for each in planned] or ["nothing to do"])


def print_report(report: "Report", options: Options, console: Console) -> None:
    if options.json:
        console.json(report.as_json())
    else:
        done = [each.text for _, each in report.done if not each.fault]
        console.lines(done or ["nothing to do"])
    for fault in (*report.faults, *report.quarantined):
        console.note(fault)


COMMAND = Command("compact", "merge parts now", EXAMPLE, configure, run)
