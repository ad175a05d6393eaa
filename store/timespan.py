"""Time: half-open spans, round intervals, and the ways in which people write both.

All instants are timezone-aware UTC datetimes with microseconds; all durations are timedeltas.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Self

from store.errors import UsageError

UNITS: Final = {
    "us": timedelta(microseconds=1),
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
MONTH: Final = timedelta(seconds=2_629_746)
"""A calendar month, where an interval is meant: the mean length of one (146,097 days in 400 years),
which nobody asks for by chance. As a plain duration it is just that long."""
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NAMED: Final = {
    "minute": UNITS["m"],
    "hour": UNITS["h"],
    "day": UNITS["d"],
    "week": UNITS["w"],
    "month": MONTH,
}
# Widths whose multiples people read as round on a clock; all below a day divide it evenly.
ROUND_WIDTHS: Final = tuple(
    timedelta(milliseconds=ms)
    for ms in (
        *(1, 2, 5, 10, 20, 50, 100, 200, 500),
        *(s * 1_000 for s in (1, 2, 5, 10, 15, 30)),
        *(m * 60_000 for m in (1, 2, 5, 10, 15, 30)),
        *(h * 3_600_000 for h in (1, 2, 3, 6, 12)),
        *(d * 86_400_000 for d in (1, 7)),
    )
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OLDEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
AHEAD_MAX: Final = timedelta(days=2)
"""Events before OLDEST or further ahead are out of time: a clock was wrong."""
LONGEST: Final = timedelta(days=365_242)
"""The longest duration that is read: a thousand years before now are still years of a calendar."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|[smhdw])")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True, order=True)
class TimeSpan:
    """The instants from `start` up to, but without, `end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise UsageError("span", f"it ends at {iso(self.end)}, before it starts")

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def contains(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def overlaps(self, other: "TimeSpan") -> bool:
        return self.start < other.end and other.start < self.end

    def covers(self, other: "TimeSpan") -> bool:
        return self.start <= other.start and other.end <= self.end

    def shifted(self, by: timedelta) -> Self:
        return type(self)(self.start + by, self.end + by)

    def previous(self) -> Self:
        """The span of the same length that ends where this one starts."""
        return self.shifted(-self.length)

    def widened(self, before: timedelta, after: timedelta) -> Self:
        return type(self)(self.start - before, self.end + after)

    def snapped(self, grid: timedelta) -> Self:
        """The smallest span on multiples of `grid` since 1970 that covers this one."""
        return type(self)(floor(self.start, grid), ceil(self.end, grid))


def floor(instant: datetime, width: timedelta) -> datetime:
    """The last multiple of `width` since 1970 that is not after `instant`."""
    return EPOCH + (instant - EPOCH) // width * width


def ceil(instant: datetime, width: timedelta) -> datetime:
    """The first multiple of `width` since 1970 that is not before `instant`."""
    return EPOCH - (EPOCH - instant) // width * width


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with a `Z`; fractions only where there are some."""
    text = instant.astimezone(UTC).isoformat(timespec="microseconds")
    head, _, rest = text.partition(".")
    fraction = rest.removesuffix("+00:00").rstrip("0")
    return f"{head}.{fraction}Z" if fraction else f"{head}Z"


def round_width(length: timedelta, points_min: int = 60) -> timedelta:
    """The widest round width that gives at least `points_min` points over `length`."""
    fitting = [width for width in ROUND_WIDTHS if length >= width * points_min]
    return fitting[-1] if fitting else ROUND_WIDTHS[0]


def parse_duration(text: str) -> timedelta:
    """`250ms`, `10s`, `1h30m`, `2w`, `day`, `month` as a timedelta; a UsageError names what is
    wrong.
    """
    compact = text.strip().lower()
    if compact in NAMED:
        return NAMED[compact]
    found = list(_DURATION.finditer(compact))
    if not found or "".join(match.group(0) for match in found) != compact:
        raise UsageError(
            "duration", f"{text!r} is not a duration", next_step="write 250ms, 10s, 15m, 1h, 7d, 2w"
        )
    microseconds = sum(float(m[1]) * (UNITS[m[2]] // UNITS["us"]) for m in found)
    if microseconds > LONGEST / UNITS["us"]:
        raise UsageError("duration", f"{text!r} is longer than a thousand years")
    return sum((float(m[1]) * UNITS[m[2]] for m in found), timedelta())


def duration_text(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads back: `90m`, `1h`, `7d`."""
    if not length:
        return "0s"
    if length == MONTH:
        return "month"
    for unit, size in reversed(UNITS.items()):
        if length % size == timedelta():
            return f"{length // size}{unit}"
    return f"{length / UNITS['us']:.0f}us"


def parse_instant(text: str | float, *, now: datetime, zone: tzinfo = UTC) -> datetime:
    """An instant as people and programs write it, in UTC.

    ISO 8601 (without a zone: in `zone`), Unix seconds, milliseconds, micro- or nanoseconds (told
    apart by size), `now`, `-15m`, `today`, `yesterday`. A UsageError names what it is not.
    """
    given = str(text).strip()
    local_midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    match given.lower():
        case "now":
            return now
        case "today":
            return local_midnight.astimezone(UTC)
        case "yesterday":
            return (local_midnight - timedelta(days=1)).astimezone(UTC)
    try:
        if given.startswith("-") and _DURATION.fullmatch(given[1:].lower()):
            return now - parse_duration(given[1:])
        if _NUMBER.fullmatch(given):
            return from_unix(float(given) if "." in given else int(given))
        instant = datetime.fromisoformat(given)
        return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            "time",
            f"{given!r} is not a time",
            next_step="write ISO 8601, Unix seconds, now, -15m, today or yesterday",
        ) from None


def from_unix(number: float) -> datetime:
    """Unix seconds, milliseconds, microseconds or nanoseconds, told apart by their size.

    Seconds reach to the year 5138 (10^11); each larger unit starts where the smaller one ends.
    """
    size = abs(number)
    scale = 1 if size < 1e11 else 10**3 if size < 1e14 else 10**6 if size < 1e17 else 10**9
    whole, rest = divmod(number, scale)
    return EPOCH + timedelta(seconds=int(whole), microseconds=rest * 10**6 // scale)
