"""`eventdeck inspect`: what is stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console

if TYPE_CHECKING:
    from store.parts.inspect import InspectReport
    from tui.commands.table import Table

EXAMPLE: Final = "eventdeck inspect\neventdeck inspect --files"
WIDTH: Final = 18
ATTEMPTS: Final = 5
NESTED: Final = ("tally", "columns", "skipped", "quarantine")


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument(
        "--files", action="store_true", help="the files that a reader counts now, one a line"
    )
    add_formats(parser)


def run(options: Options, console: Console) -> int:
    found = _inspected(options)
    files = [str(path) for path in found.files]
    document = found.as_json()
    if options.json:
        console.json({**document, "files": files} if options.files else document)
    elif options.csv:
        _table(document, files if options.files else None).write(console, as_csv=True)
    elif options.files:
        console.lines(files)
    else:
        console.lines(list(_lines(document)))
        for each in found.skipped:
            console.note(f"{each.path} is left out: {each.fault}")
        for moved in found.quarantined:
            console.note(f"{moved.path} is in quarantine: {moved.fault or 'nobody knows why'}")
    return 0


def _table(document: Mapping[str, Any], files: Sequence[str] | None) -> "Table":
    """The numbers in one row, or the files one a row."""
    from tui.commands.table import Table

    if files is not None:
        return Table(("path",), [(file,) for file in files])
    plain = {name: value for name, value in document.items() if name not in NESTED}
    return Table(tuple(plain), [tuple(plain.values())])


def _inspected(options: Options) -> "InspectReport":
    from store.parts.catalog import Catalog
    from store.parts.inspect import inspect
    from store.parts.layout import StoreFolder

    catalog = Catalog(StoreFolder.open(settings_of(options).store))
    for _ in range(ATTEMPTS - 1):
        try:
            return inspect(catalog.snapshot())
        except FileNotFoundError:  # a merge took it away in this instant
            continue
    return inspect(catalog.snapshot())


def _lines(document: Mapping[str, Any]) -> Iterable[str]:
    """The numbers, the tally as far as it counts anything, the columns with their types."""
    from tui.commands.table import harmless

    tally, columns = document["tally"], document["columns"]
    for name, value in document.items():
        if name not in NESTED:
            yield f"{name.replace('_', ' '):{WIDTH}}{'·' if value is None else value}"
    yield ""
    yield from (f"{name.replace('_', ' '):{WIDTH}}{n}" for name, n in _counts(tally))
    if columns:
        yield ""
        width = max(len(harmless(name)) for name in columns) + 2
        yield from (f"{harmless(name):{max(width, WIDTH)}}{kind}" for name, kind in columns.items())


def _counts(tally: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    from tui.commands.table import harmless

    for name, value in tally.items():
        if isinstance(value, int):
            if value or name in ("received", "stored"):
                yield name, value
        else:
            singular = name.removesuffix("s")
            yield from ((harmless(f"{singular} {which}") + "  ", n) for which, n in value.items())


COMMAND = Command("inspect", "what is stored", EXAMPLE, configure, run)
