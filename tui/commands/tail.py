"""`eventdeck tail`: events as they land, one a line."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from store.timespan import TimeSpan, parse_duration
from tui.commands.caveats import warn_of_lost_parts, warn_of_unknown_fields
from tui.commands.command import Command, Options, Parser, add_formats, settings_of
from tui.commands.console import Console
from tui.commands.times import add_zone, zone_asked

if TYPE_CHECKING:
    import polars as pl

    from store.analytics.filters import Filter
    from store.parts.catalog import Catalog
    from store.parts.part import Part

EXAMPLE = """\
eventdeck tail --where 'severity>=warning'
eventdeck tail --last 10m --json | jq .event_name"""
POLL_SECONDS: Final = 0.2
ROWS_AT_ONCE: Final = 100_000
# Clocks of senders run ahead; what has landed is shown.
AHEAD: Final = timedelta(days=2)


def configure(parser: Parser, _words: Sequence[str]) -> None:
    parser.add_argument("--where", metavar="FILTER", help="only these events")
    parser.add_argument("--last", metavar="DURATION", help="first those of this long")
    parser.add_argument("--once", action="store_true", help="end after those, wait for no more")
    add_zone(parser)
    add_formats(parser, csv=False)


def run(options: Options, console: Console) -> int:
    """Until Ctrl-C, which is its ordinary end."""
    now = console.now()  # before the imports: what lands meanwhile is new
    from store.analytics.filters import parse_filter
    from store.parts.catalog import Catalog
    from store.parts.layout import StoreFolder
    from store.parts.widen import column_types

    if options.once and not options.last:
        raise UsageError("--once", "it needs --last", next_step="write --last 10m --once")
    wanted = parse_filter(options.where, now=now, zone=zone_asked(options))
    span = TimeSpan(now - _positive(options.last), now + AHEAD) if options.last else None
    catalog = Catalog(StoreFolder.open(settings_of(options).store))
    write = _writer(options, console)
    snapshot = catalog.snapshot()
    # What nobody has sent may yet come.
    warn_of_unknown_fields(wanted, column_types(snapshot.parts), console, " so far")
    with contextlib.suppress(KeyboardInterrupt):
        _follow(catalog, wanted, span or now, write, console, once=options.once)
    return 0


def _follow(
    catalog: "Catalog",
    wanted: "Filter",
    since: TimeSpan | datetime,
    write: Callable[["pl.DataFrame"], None],
    console: Console,
    *,
    once: bool,
) -> None:
    """First the events of a span, or those that landed since an instant; then what comes."""
    from store.parts.lost import lost
    from tui.arrivals import Arrivals

    snapshot = catalog.snapshot()
    if isinstance(since, TimeSpan):
        arrivals = Arrivals(snapshot)
        for piece in _pieces(snapshot.parts, since):
            broken = {each.path for each in catalog.snapshot().skipped}
            sound = [part for part in snapshot.parts if part.path not in broken]
            _show(catalog, sound, wanted, piece, write)
        warn_of_lost_parts(lost(catalog.snapshot().unreadable, since), console)
    else:
        arrivals = Arrivals(snapshot, since)
    generation = ""
    while not once:
        time.sleep(POLL_SECONDS)
        # The generation is made of names alone; footers are read when it has changed.
        if generation == (generation := catalog.generation()):
            continue
        came = arrivals.new(catalog.snapshot())
        _show(catalog, [part for part, after in came if not after], wanted, None, write)
        for part, after in came:
            if after:
                _show(catalog, [part], wanted, None, write, after=after)


def _show(
    catalog: "Catalog",
    parts: "Sequence[Part]",
    wanted: "Filter",
    span: TimeSpan | None,
    write: Callable[["pl.DataFrame"], None],
    *,
    after: datetime | None = None,
) -> None:
    """The wanted events of the parts, in their order; with `after`, those received after it. Parts
    that turn out to be broken are left out, and do not count in `catalog` any more.
    """
    from store.parts.scan import OF_A_PART

    if not parts:
        return
    try:
        found = _found(parts, wanted, span, after)
    except OF_A_PART:
        broken = {each.path for each in catalog.verify(parts)}
        if not broken:
            raise
        sound = [part for part in parts if part.path not in broken]
        _show(catalog, sound, wanted, span, write, after=after)
        return
    if found.height:
        write(found)


def _found(
    parts: "Sequence[Part]", wanted: "Filter", span: TimeSpan | None, after: datetime | None
) -> "pl.DataFrame":
    import polars as pl

    from store.parts.scan import scan
    from store.parts.widen import column_types
    from store.schema import PART

    types = column_types(parts)
    events = scan(parts, types, span).filter(wanted.expr(types)).drop(PART)
    if after:
        events = events.filter(pl.col("received_time") > after)
    return events.sort("event_time", "event_id").collect()


def _pieces(parts: "Sequence[Part]", span: TimeSpan) -> Iterator[TimeSpan]:
    """The span in pieces of about ROWS_AT_ONCE rows, so that a long one fits in memory."""
    rows = sum(part.rows for part in parts if part.span.overlaps(span))
    count = rows // ROWS_AT_ONCE + 1
    for index in range(count):
        start = span.start + span.length * index / count
        yield TimeSpan(start, span.start + span.length * (index + 1) / count)


def _writer(options: Options, console: Console) -> Callable[["pl.DataFrame"], None]:
    from tui.commands.event_lines import as_json_lines, as_text_lines

    if options.json:
        return lambda events: console.lines(as_json_lines(events))
    colour = console.out.isatty()
    return lambda events: console.lines(as_text_lines(events, colour=colour))


def _positive(text: str) -> timedelta:
    length = parse_duration(text)
    if not length:
        raise UsageError("--last", "it is no time at all", next_step="write 10m, 24h, 7d")
    return length


COMMAND = Command("tail", "new events as they land, one a line", EXAMPLE, configure, run)
