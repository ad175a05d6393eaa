"""Which rollups count: those beside their parts, and those whose events are there no more."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from store.parts.covering import hides
from store.parts.layout import StoreFolder
from store.parts.part import Cover, Part


@dataclass(frozen=True, slots=True)
class RollupFolder(StoreFolder):
    """A store's rollups, laid out as its events are."""

    @property
    def events(self) -> Path:
        return self.root / "rollups"

    @property
    def rollups(self) -> Path:
        return self.events / "none"


class Standing(NamedTuple):
    """The rollups that count."""

    beside: tuple[Part, ...]
    """Of parts that count: their cells may be read instead of the events."""
    gone: tuple[Part, ...]
    """Of parts that are gone: all that is left of their events, and of their tallies."""
    outdated: tuple[Part, ...] = ()
    """Those for which a part or another rollup stands."""


def standing(parts: Sequence[Part], rollups: Iterable[Part]) -> Standing:
    """Which of `rollups` count beside or instead of the visible `parts`.

    No event is ever told of twice: a rollup does not count when a part or another rollup stands for
    it, nor when it stands for a part that is visible.
    """
    visible = {part.key for part in parts}
    beside = tuple(each for each in rollups if each.key in visible)
    others = [each for each in rollups if each.key not in visible]
    if not others:
        return Standing(beside, ())
    by_date: dict[str, list[Part]] = defaultdict(list)
    for part in (*parts, *others):
        by_date[part.date].append(part)
    coarse = [each for each in others if each.rolled and each.rolled.covers]
    outdated = tuple(
        each
        for each in others
        if hidden_by(each, by_date[each.date]) or any(takes_place(other, each) for other in coarse)
    )
    hidden = {each.key for each in outdated}
    gone = tuple(
        each
        for each in others
        if each.key not in hidden
        and not any(hides(each, part) or takes_place(each, part) for part in parts)
    )
    return Standing(beside, gone, outdated)


def hidden_by(part: Part, others: Iterable[Part]) -> bool:
    """Whether one of `others` stands for `part`."""
    return any(hides(other, part) for other in others)


def takes_place(rollup: Part, other: Part) -> bool:
    """Whether `other` is among the rollups that `rollup` was made of."""
    return any(
        day == other.date and rollup.level > other.level and _holds(cover, other)
        for day, cover in (rollup.rolled.covers if rollup.rolled else ())
    )


def _holds(cover: Cover, part: Part) -> bool:
    return cover.writer == part.writer and cover.first <= part.sequence <= cover.last


def with_gone(parts: Sequence[Part], gone: Sequence[Part]) -> Sequence[Part]:
    """All that is told of, in the order of a snapshot."""
    if not gone:
        return parts
    return sorted((*parts, *gone), key=lambda part: (part.date, part.writer, part.sequence))


def covers_of(rollups: Iterable[Part]) -> tuple[tuple[str, Cover], ...]:
    """What a rollup that is made of these takes the place of: them, and what they did."""
    found: dict[tuple[str, Cover], None] = {}
    for each in rollups:
        found[each.date, Cover(each.writer, each.sequence, each.sequence)] = None
        found |= dict.fromkeys((each.date, cover) for cover in each.covers)
        found |= dict.fromkeys(each.rolled.covers if each.rolled else ())
    return tuple(found)
