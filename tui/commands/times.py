"""The options that name a time zone and a span, and what they mean together."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from store.errors import UsageError
from store.timespan import TimeSpan, parse_duration, parse_instant
from tui.commands.command import Options, Parser

if TYPE_CHECKING:
    from pathlib import Path
# Servers call it so; under one name, questions of all of them share what was computed.
_UTC_NAMES: Final = frozenset({"UTC", "Z", "ETC/UTC", "UCT", "ETC/UCT", "ZULU", "UNIVERSAL"})


def add_zone(parser: Parser, default: str = "UTC") -> None:
    """`--tz`: for times written without a zone, and where days begin."""
    parser.add_argument(
        "--tz",
        metavar="ZONE",
        help=f"for times without a zone: Europe/Berlin, local (default: {default})",
    )
    parser.set_defaults(tz_default=default)


def add_span(parser: Parser) -> None:
    """`--since`, `--until`, `--last`."""
    span = parser.add_argument_group(
        "span", "ISO 8601, Unix seconds to nanoseconds, now, -15m, today, yesterday"
    )
    span.add_argument("--since", metavar="TIME", help="from here on")
    span.add_argument("--until", metavar="TIME", help="up to here, itself not")
    span.add_argument("--last", metavar="DURATION", help="this long: 15m, 24h, 7d")


def zone_asked(options: Options) -> tzinfo:
    """The zone of `--tz`, else the command's default."""
    return zone_of(options.tz or options.tz_default)


def zone_named(name: str) -> str:
    """The name of a zone as other programs know it; a UsageError for one that there is not."""
    zone = zone_of(name)
    key = "UTC" if zone is UTC else getattr(zone, "key", None)
    if key is None:
        raise UsageError(
            "--tz", "this machine does not say its zone's name", next_step="write Europe/Berlin"
        )
    return str(key)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; `local` is the machine's."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if name == "local":
        return _local_zone()
    if name.upper() in _UTC_NAMES:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            "--tz", f"{name!r} is no time zone", next_step="write a name such as Europe/Berlin"
        ) from None


def span_of(
    options: Options, *, now: datetime, stored: "TimeSpan | None" = None
) -> TimeSpan | None:
    """The span that the options name; None without any of them.

    An end that is not named is `now`; a start that is not named is that of `stored`.
    """
    try:
        return _span(options, now=now, stored=stored)
    except OverflowError:
        fault = f"{options.last} goes past the years 1 to 9999"
        raise UsageError("--last", fault, next_step="write 15m, 24h, 7d") from None


def _span(options: Options, *, now: datetime, stored: "TimeSpan | None") -> TimeSpan | None:
    since, until, last = _instants(options, now)
    if since and until and last:
        raise UsageError("span", "--since, --until and --last say it twice", next_step="name two")
    if not (since or until or last):
        return None
    if last:
        start = since or (until or now) - last
        return TimeSpan(start, start + last)
    end = until or max(now, since or now)
    start = since or (min(stored.start, end) if stored else end)
    if end < start:
        raise UsageError("span", f"--until {options.until} is before --since {options.since}")
    return TimeSpan(start, end)


def _instants(
    options: Options, now: datetime
) -> tuple[datetime | None, datetime | None, timedelta | None]:
    zone = zone_asked(options)
    since, until = (
        parse_instant(text, now=now, zone=zone) if text is not None else None
        for text in (options.since, options.until)
    )
    last = parse_duration(options.last) if options.last is not None else None
    if last is not None and not last:
        raise UsageError("--last", "it is no time at all", next_step="write 15m, 24h, 7d")
    return since, until, last


def _local_zone() -> tzinfo:
    """The machine's zone: by name where it says one, else by its present offset."""
    import os
    from pathlib import Path
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    for name in (os.environ.get("TZ", "").lstrip(":"), _linked_zone(Path("/etc/localtime"))):
        try:
            if name:
                return UTC if name.upper() in _UTC_NAMES else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return datetime.now().astimezone().tzinfo or UTC


def _linked_zone(path: "Path") -> str:
    """`Europe/Berlin` of `/usr/share/zoneinfo/Europe/Berlin`."""
    try:
        return str(path.readlink()).rpartition("zoneinfo/")[2]
    except OSError:
        return ""
