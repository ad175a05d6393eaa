"""`eventdeck expire`: what has been kept long enough goes, now."""

from collections.abc import Sequence
from typing import Any, Final

from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.compact import FAULTS_CODE, PATIENCE_SECONDS, print_plan, print_report
from tui.commands.console import Console

EXAMPLE: Final = """\
eventdeck expire --dry-run
eventdeck expire --imported --json"""


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("--dry-run", action="store_true", help="print the plan, change nothing")
    parser.add_argument("--imported", action="store_true", help="also what was imported")
    add_formats(parser, csv=False)


def run(options: Options, console: Console) -> int:
    """1 when something could not go; what is wrong to standard error."""
    from store.maintenance.maintainer import Maintainer
    from store.parts.layout import StoreFolder

    settings = settings_of(options)
    folder = StoreFolder.open(settings.store)
    maintainer = Maintainer(folder, settings, eager=True, patience_seconds=PATIENCE_SECONDS)
    if options.dry_run or not folder.events.is_dir():
        print_plan(maintainer.plan(_jobs(options)), options, console)
        return 0
    with maintainer:
        report = maintainer.round(_jobs(options))
    print_report(report, options, console)
    return FAULTS_CODE if report.faults else 0


def _jobs(options: Options) -> Sequence[Any]:
    from store.maintenance.covered import CoveredParts
    from store.maintenance.expiry import Expiry
    from store.maintenance.rollups import Rollups

    # A part waits for those that it covers, and for its rollup.
    return CoveredParts(), Rollups(imported=options.imported), Expiry(imported=options.imported)


COMMAND = Command("expire", "let go of what has been kept long enough", EXAMPLE, configure, run)
