"""Ticks of a time axis: at round times of the zone that is shown, as many as there is room for."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from store.timespan import TimeSpan

_STEPS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
        *(1, 2, 5, 10, 15, 30),
        *(60, 120, 300, 600, 900, 1800),
        *(3600, 7200, 10800, 21600, 43200),
        *(86400, 172800, 604800, 1209600),
    )
)
_DAY: Final = timedelta(days=1)
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120)
# Between two labels at least this many cells stay free.
_GAP: Final = 3


class Tick(NamedTuple):
    """A column of the axis and what stands below it."""

    x: int
    label: str


def time_ticks(span: TimeSpan, width: int, zone: tzinfo = UTC) -> list[Tick]:
    """Ticks whose labels fit side by side within `width` columns, each label centred on its x.

    The step is the first of 1, 2, 5, 10, 15, 30 s and min, 1, 2, 3, 6, 12 h, 1, 2, 7, 14 days and
    1, 2, 3, 6 months, 1, 2, 5, 10 years that fits; instants fall on round local times.
    """
    if width < 8 or not span.length:
        return []
    for step in _STEPS:
        if span.length / step > width:
            continue
        ticks = _placed(_instants(span, step, zone), span, width, zone, step)
        if ticks is not None:
            return ticks
    for months in _MONTHS:
        ticks = _placed(_month_starts(span, months, zone), span, width, zone, _DAY * 28 * months)
        if ticks is not None:
            return ticks
    return []


def _instants(span: TimeSpan, step: timedelta, zone: tzinfo) -> Iterator[datetime]:
    """Multiples of `step` since local midnight (days: since a local Monday), across DST too."""
    local = span.start.astimezone(zone)
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= _DAY:
        day -= timedelta(days=(day.toordinal() - 1) % step.days)
    while (start := day.astimezone(UTC)) < span.end:
        next_day = day + max(_DAY, step)
        end = min(next_day.astimezone(UTC), span.end)
        count = 1 if step >= _DAY else (end - start) // step + 3
        for index in range(max(0, (span.start - start) // step - 1), count):
            instant = _later(day, step * index)
            if instant is not None and span.start <= instant < end:
                yield instant
        day = next_day


def _later(day: datetime, by: timedelta) -> datetime | None:
    """Steps within an hour count real time; hours count on the wall clock, so that the labels
    stay round after a change of summer time. None for an hour that this day skips.
    """
    if by % timedelta(hours=1):
        return day.astimezone(UTC) + by
    instant = (day + by).astimezone(UTC)
    back = instant.astimezone(day.tzinfo).replace(tzinfo=None)
    return instant if back == (day + by).replace(tzinfo=None) else None


def _month_starts(span: TimeSpan, months: int, zone: tzinfo) -> Iterator[datetime]:
    first = span.start.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    index = (first.year * 12 + first.month - 1) // months * months
    while index // 12 < 9999:
        instant = first.replace(year=index // 12, month=index % 12 + 1).astimezone(UTC)
        if instant >= span.end:
            return
        if instant >= span.start:
            yield instant
        index += months


def _placed(
    instants: Iterator[datetime], span: TimeSpan, width: int, zone: tzinfo, step: timedelta
) -> list[Tick] | None:
    """The ticks, or None when their labels do not fit; a label that the edge cuts is left out."""
    ticks: list[Tick] = []
    free = -_GAP
    for instant in instants:
        x = int((instant - span.start) / span.length * width)
        label = _label(instant.astimezone(zone), step)
        start = x - len(label) // 2
        if start < 0 or start + len(label) > width:
            continue
        if start < free + _GAP:
            return None
        ticks.append(Tick(x, label))
        free = start + len(label)
    return ticks


def _label(local: datetime, step: timedelta) -> str:
    if step >= _DAY * 28 * 12:
        return f"{local:%Y}"
    if step >= _DAY * 28:
        return f"{local:%b %Y}"
    if step >= _DAY or (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return f"{local.day} {local:%b}"
    if step >= timedelta(minutes=1):
        return f"{local:%H:%M}"
    if step >= timedelta(seconds=1):
        return f"{local:%H:%M:%S}"
    return f"{local:%S}.{local.microsecond // 1000:03d}"
