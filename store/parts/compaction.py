"""Which parts are to become one, and what the new one stands for. Pure."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from store.parts.layout import PartName
from store.parts.part import Cover, Part
from store.settings import CompactionSettings

_Range = tuple[int, int]
"""Numbers of one writer, both ends included."""
LEVEL_MAX: Final = 9_999
"""What a name has room for. A part gets there after 9,999 merges, a day apart."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Parts of one date that become one part."""

    sources: tuple[Part, ...]
    """By (writer, sequence)."""
    reason: str

    @property
    def date(self) -> str:
        return self.sources[0].date

    @property
    def level(self) -> int:
        """Of the new part: above all that it covers, for a cover reaches lower levels alone."""
        return 1 + max(part.level for part in self.sources)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.sources)

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.sources)

    def __str__(self) -> str:
        return (
            f"merge {len(self.sources)} parts of {self.date}, {self.rows:,} events: {self.reason}"
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "date": self.date,
            "merge": [str(part.path) for part in self.sources],
            "events": self.rows,
            "bytes": self.size_bytes,
            "reason": self.reason,
        }


def plan_compaction(
    parts: Sequence[Part], now: datetime, limits: CompactionSettings, *, eager: bool = False
) -> list[Merge]:
    """What to merge now of the parts that count, the oldest first; no part is in two merges.

    A group is a date, or an hour of a large date; imported parts are groups of their own, since
    they expire apart. A group that is over and quiet becomes one part (with `eager` any group
    does). Before, commits are merged once there are too many in the folder, and parts of like size
    by eights: so an event is written again at most once for each factor of eight that its group
    grows, and once when it is quiet.
    """
    merges: list[Merge] = []
    for members in _folders(part for part in parts if part.level < LEVEL_MAX):
        commits = sum(part.level == 0 for part in members)
        crowded = commits > limits.commits_max
        for end, group in _groups(members, limits):
            if eager or _is_quiet(group, end, now, limits):
                merges += _merge(group, "its time is over")
            else:
                merges += _tiers(group, limits, crowded=crowded)
    return merges


def settled_days(
    parts: Sequence[Part], now: datetime, limits: CompactionSettings, *, eager: bool = False
) -> dict[str, list[Part]]:
    """The dates of which several parts are left that no merge will ever make one: hours of a large
    day, and what was imported beside what was not. Those of which nothing more is to be merged.
    """
    found: dict[str, list[Part]] = defaultdict(list)
    open_days: set[str] = set()
    for members in _folders(part for part in parts if part.rows):
        day = members[0].date
        found[day] += members
        for end, group in _groups(members, limits):
            if len(group) > 1 or not (eager or _is_quiet(group, end, now, limits)):
                open_days.add(day)
    return {
        day: members for day, members in found.items() if len(members) > 1 and day not in open_days
    }


def covers_of(sources: Iterable[Part], standing: Iterable[Cover]) -> tuple[Cover, ...]:
    """What the merged part stands for: the sources, and what they stand for themselves.

    A range bridges numbers that are none of these only where nothing of `standing` is among them.
    `standing` is what must stay visible: all names of the date in a listing that began after the
    sources were listed, and what other parts cover. Writers publish in the order of their numbers,
    so what is missing there, below a number that was seen, will never come.
    """
    ranges: dict[str, list[_Range]] = defaultdict(list)
    for part in sources:
        ranges[part.writer].append((part.sequence, part.sequence))
        for cover in part.covers:
            ranges[cover.writer].append((cover.first, cover.last))
    obstacles: dict[str, list[_Range]] = defaultdict(list)
    for cover in standing:
        obstacles[cover.writer].append((cover.first, cover.last))
    return tuple(
        Cover(writer, first, last)
        for writer in sorted(ranges)
        for first, last in _bridged(ranges[writer], sorted(obstacles[writer]))
    )


def standing(
    names: Iterable[str], parts: Iterable[Part], sources: Iterable[Part]
) -> Iterator[Cover]:
    """What no cover of a merge of `sources` may bridge: the visible `names` of their date, and
    what its other `parts` cover.
    """
    own = {part.path.name for part in sources}
    day = {part.date for part in sources}
    for name in map(PartName.parse, names):
        if name and name.file not in own:
            yield Cover(name.writer, name.sequence, name.sequence)
    for part in parts:
        if part.date in day and part.path.name not in own:
            yield from part.covers


def _folders(parts: Iterable[Part]) -> list[list[Part]]:
    """By date, imported ones apart."""
    found: dict[tuple[str, bool], list[Part]] = defaultdict(list)
    for part in parts:
        found[part.date, part.imported].append(part)
    return [found[key] for key in sorted(found)]


def _groups(
    members: Sequence[Part], limits: CompactionSettings
) -> Iterator[tuple[datetime, list[Part]]]:
    """Parts that may become one, and when their time is over."""
    day = datetime.fromisoformat(members[0].date).replace(tzinfo=UTC)
    if sum(part.size_bytes for part in members) <= limits.large_day_bytes:
        yield day + timedelta(days=1), list(members)
        return
    hours: dict[int, list[Part]] = defaultdict(list)
    for part in members:
        hours[part.span.start.hour].append(part)
    for hour in sorted(hours):
        yield day + timedelta(hours=hour + 1), hours[hour]


def _is_quiet(
    group: Sequence[Part], end: datetime, now: datetime, limits: CompactionSettings
) -> bool:
    """Whether nothing came for as long as the last event was late. So events that trickle in late
    make a large part be written again each time that their lateness doubles, not each time.
    """
    newest = max(part.newest_received for part in group)
    wait = min(max(newest - end, limits.quiet), limits.quiet_max)
    return now - max(newest, end) >= wait


def _tiers(group: Sequence[Part], limits: CompactionSettings, *, crowded: bool) -> Iterator[Merge]:
    if crowded:
        commits = [part for part in group if part.level == 0]
        yield from _merge(commits, f"more than {limits.commits_max} commits")
    alike: dict[int, list[Part]] = defaultdict(list)
    for part in group:
        if part.level:
            alike[_size_class(part.size_bytes, limits.fan_in)].append(part)
    for size_class in sorted(alike):
        by_time = sorted(alike[size_class], key=lambda part: (part.span, part.sequence))
        for start in range(0, len(by_time) - limits.fan_in + 1, limits.fan_in):
            some = by_time[start : start + limits.fan_in]
            yield from _merge(some, f"{limits.fan_in} parts of like size")


def _merge(parts: Sequence[Part], reason: str) -> Iterator[Merge]:
    if len(parts) > 1:
        ordered = sorted(parts, key=lambda part: (part.writer, part.sequence))
        yield Merge(tuple(ordered), reason)


def _size_class(size_bytes: int, base: int) -> int:
    size_class = 0
    while size_bytes >= base:
        size_bytes //= base
        size_class += 1
    return size_class


def _bridged(ranges: Iterable[_Range], obstacles: Iterable[_Range]) -> Iterator[_Range]:
    """The ranges joined where no obstacle lies between them."""
    blocked = _united(obstacles)
    starts = [start for start, _ in blocked]
    first, last = None, 0
    for start, end in _united(ranges):
        # Of the obstacles that begin before the next range, the last one ends last.
        before = bisect_left(starts, start)
        if first is None or (before and blocked[before - 1][1] > last):
            if first is not None:
                yield first, last
            first = start
        last = end
    if first is not None:
        yield first, last


def _united(ranges: Iterable[_Range]) -> list[_Range]:
    """Apart from each other and in order."""
    found: list[_Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found
