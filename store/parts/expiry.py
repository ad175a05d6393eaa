"""What has been kept long enough: which parts may go, and which rollups become coarser. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from store.parts.covering import hides
from store.parts.part import Part
from store.settings import RetentionSettings

_ZERO: Final = timedelta()


class Why(StrEnum):
    """Why a part may go."""

    AGE = "age"
    BYTES = "max_bytes"
    DISK = "min_free_disk"


class Due(NamedTuple):
    """A part that may go."""

    part: Part
    why: Why


@dataclass(frozen=True, slots=True)
class Coarser:
    """Rollups that become one, with fewer tiers."""

    sources: tuple[Part, ...]
    date: str
    """Where the new one stands: the date, or the Monday of the week, of its sources."""
    tiers: tuple[str, ...]
    """Those that it keeps; none: the tally alone."""

    @property
    def level(self) -> int:
        """Above all of its sources."""
        return 1 + max(each.level for each in self.sources)


def expired(
    parts: Sequence[Part],
    covered: Sequence[Part],
    now: datetime,
    keep: RetentionSettings,
    free_bytes: int,
    *,
    imported: bool = False,
) -> list[Due]:
    """The parts that may go, the oldest arrivals first; those that were imported with `imported`
    alone. A part waits while parts that it covers are there, which would count again without it,
    and while one of the same writer and date with a lower number stays: what is absent between two
    numbers must never have been there.
    """
    mine = [part for part in parts if imported or not part.imported]
    ordered = sorted(mine, key=lambda part: (part.newest_received, part.key))
    over = sum(part.size_bytes for part in parts) - keep.max_bytes if keep.max_bytes else 0
    short = keep.min_free_disk - free_bytes if keep.min_free_disk else 0
    found: list[Due] = []
    for part in ordered:
        is_old = keep.raw > _ZERO and part.newest_received + keep.raw <= now
        why = Why.AGE if is_old else Why.BYTES if over > 0 else Why.DISK if short > 0 else None
        if why is None:
            break
        found.append(Due(part, why))
        over -= part.size_bytes
        short -= part.size_bytes
    return _in_sequence(found, parts, covered)


def _in_sequence(due: Sequence[Due], parts: Sequence[Part], covered: Sequence[Part]) -> list[Due]:
    """Those that nothing holds back."""
    keys = {each.part.key for each in due}
    held = {part.key for part in parts if any(hides(part, each) for each in covered)}
    free: set[str] = set()
    for _, run in groupby(sorted(parts, key=_by_writer), key=lambda part: (part.date, part.writer)):
        for part in run:
            if part.key not in keys or part.key in held:
                break
            free.add(part.key)
    return [each for each in due if each.part.key in free]


def _by_writer(part: Part) -> tuple[str, str, int, int]:
    return part.date, part.writer, part.sequence, part.level


def coarser(gone: Iterable[Part], now: datetime, keep: RetentionSettings) -> list[Coarser]:
    """Which rollups of expired parts have finer tiers than their age allows, by where they go."""
    groups: dict[tuple[str, tuple[str, ...]], list[Part]] = defaultdict(list)
    rollups = list(gone)
    for each in rollups:
        allowed = _allowed(now - each.newest_received, keep)
        held = each.rolled.tiers if each.rolled else ()
        tiers = _kept(held, allowed)
        if tiers != held:
            groups[_place(each.date, tiers), tiers].append(each)
    for each in rollups:
        there = each.date, each.rolled.tiers if each.rolled else ()
        if there in groups:
            groups[there].append(each)
    return [
        Coarser(tuple(sources), place, tiers) for (place, tiers), sources in sorted(groups.items())
    ]


_FINE: Final = ("five_minutes_by_name", "five_minutes", "quarter_hour", "hour")
_WEEKLY: Final = ("week", "month")


def _allowed(age: timedelta, keep: RetentionSettings) -> tuple[str, ...]:
    """The tiers for that age; with a tier come all coarser ones."""
    limits = (keep.hourly, keep.daily, keep.weekly, keep.monthly)
    found: list[str] = []
    for tiers, limit in zip((_FINE, ("day",), ("week",), ("month",)), limits, strict=True):
        if found or limit == _ZERO or age < limit:
            found += tiers
    return tuple(found)


def _kept(held: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """What is left of the tiers; days that are too old turn into weeks and months."""
    kept = tuple(tier for tier in held if tier in allowed)
    if "day" in held and "day" not in kept:
        kept = tuple(tier for tier in _WEEKLY if tier in allowed)
    return kept


def _place(day: str, tiers: Sequence[str]) -> str:
    """Days by themselves, weeks and months together by the week."""
    if not tiers or "day" in tiers:
        return day
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()
