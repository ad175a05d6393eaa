"""Spans as people write them: `15m`, `yesterday 14:00 to 15:00`, `2026-11-21`, ISO, `since 9:30`."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from store.errors import StoreError, UsageError
from store.timespan import TimeSpan, parse_duration, parse_instant

_BETWEEN: Final = re.compile(r"\s+to\s+|\s*\.\.+\s*|\s+[-–]\s+|/")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAYS: Final = {"today": 0, "yesterday": 1}
NEXT_STEP: Final = "write 15m, yesterday 14:00 to 15:00, 2026-11-21, or two ISO times with `to`"


def read_span(text: str, *, now: datetime, zone: tzinfo = UTC) -> timedelta | TimeSpan:
    """A length that follows now, or a fixed span; a UsageError says what it is not.

    A clock time without a day is today's, or after `to` that of the start's day; a day alone is
    all of it (today: until now); an instant alone is since then.
    """
    given = re.sub(r"^(the\s+)?last\s+", "", text.strip().lower())
    since = given.removeprefix("since ").strip()
    if not given:
        raise UsageError("span", "it is empty", next_step=NEXT_STEP)
    try:
        return _positive(parse_duration(given))
    except UsageError:
        pass
    ends = _BETWEEN.split(since, maxsplit=1)
    start, whole_day = _instant(ends[0], now, zone, None)
    if len(ends) == 2:
        end, end_day = _instant(ends[1], now, zone, start)
        return _span(start, min(end + timedelta(days=1), now) if end_day else end, text)
    if whole_day and since == given:
        return _span(start, min(start + timedelta(days=1), now), text)
    return _span(start, now, text)


def _positive(length: timedelta) -> timedelta:
    if not length:
        raise UsageError("span", "it has no length", next_step=NEXT_STEP)
    return length


def _span(start: datetime, end: datetime, text: str) -> TimeSpan:
    if start >= end:
        raise UsageError("span", f"{text.strip()!r} ends before it starts", next_step=NEXT_STEP)
    return TimeSpan(start, end)


def _instant(
    text: str, now: datetime, zone: tzinfo, after: datetime | None
) -> tuple[datetime, bool]:
    """The instant, and whether it stands for a whole day."""
    words = text.strip().split()
    day = (after or now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    named_day = False
    if words and words[0] in _DAYS:
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        day, named_day = midnight - timedelta(days=_DAYS[words.pop(0)]), True
    elif words and _DATE.fullmatch(words[0]):
        day, named_day = _date(words.pop(0), zone), True
    if named_day and not words:
        return day.astimezone(UTC), True
    if len(words) == 1 and (clock := _CLOCK.fullmatch(words[0])):
        return _at(day, clock, text).astimezone(UTC), False
    try:
        return parse_instant(text.strip().upper().replace("NOW", "now"), now=now, zone=zone), False
    except StoreError:
        raise UsageError("span", f"{text.strip()!r} is not a time", next_step=NEXT_STEP) from None


def _date(text: str, zone: tzinfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise UsageError("span", f"there is no day {text}", next_step=NEXT_STEP) from None


def _at(day: datetime, clock: re.Match[str], text: str) -> datetime:
    hours, minutes, seconds = int(clock[1]), int(clock[2]), float(clock[3] or 0)
    if hours > 24 or minutes > 59 or seconds >= 60:
        raise UsageError("span", f"there is no time {text.strip()!r}", next_step=NEXT_STEP)
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
