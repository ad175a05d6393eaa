"""Every order in which a writer, two maintainers and a reader can take their steps, with crashes at
any of them: no event is lost, none is counted twice. The steps call what the store itself calls.

The world is small, since what can go wrong needs few parts: three commits, of which one may go to
another date; listings that see one half of the folder before the other; minutes that pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from store.maintenance.covered import is_due
from store.parts.compaction import covers_of, plan_compaction, standing
from store.parts.covering import hides
from store.parts.expiry import expired
from store.parts.layout import PartName
from store.parts.part import Cover, Part
from store.settings import CompactionSettings, RetentionSettings
from store.timespan import TimeSpan

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = 60.0
COMMITS = 3


class File(NamedTuple):
    """A visible part: its name, what it stands for, and the events in it."""

    level: int
    writer: str
    number: int
    covers: tuple[Cover, ...]
    events: frozenset[int]

    @property
    def name(self):
        return PartName(self.level, self.writer, self.number).file


Files = frozenset[File]


class Maintaining(NamedTuple):
    """Where a maintainer is in its round, and what it saw so far."""

    at: str = "out"
    seen: Files = frozenset()
    sources: tuple[File, ...] = ()
    names: frozenset[str] = frozenset()
    going: tuple[File, ...] = ()
    number: int = 0


class Reading(NamedTuple):
    at: str = "out"
    seen: Files = frozenset()
    acknowledged: frozenset[int] = frozenset()
    """When the listing began: the reader must find these."""
    expired: frozenset[int] = frozenset()
    """Then: the reader must not find these."""


class World(NamedTuple):
    files: Files = frozenset()
    published: int = 0
    acknowledged: frozenset[int] = frozenset()
    expired: frozenset[int] = frozenset()
    maintainers: tuple[Maintaining, ...] = (Maintaining(), Maintaining())
    reader: Reading = Reading()
    ticks: float = 0.0
    noted: frozenset[tuple[str, float]] = frozenset()
    next_number: int = 0
    crashes: int = 0


@dataclass(frozen=True)
class Rules:
    """How it is done; the tests of the test break one of them each."""

    first_half: Callable[[str], bool]
    """Which names a listing sees first."""
    elsewhere: int | None = None
    """A commit that went to another date, whose number is missing in this one."""
    wait: Callable[[float | None, float], bool] = is_due
    is_locked: bool = True
    listed_twice: bool = True
    transitive: bool = True
    expires: bool = False
    covered_first: bool = True
    """What a part covers is unlinked before the part expires."""
    minutes: int = 2
    crashes: int = 1


@cache
def part_of(file):
    return Part(
        path=Path(file.name),
        date="2026-11-22",
        level=file.level,
        writer=file.writer,
        sequence=file.number,
        rows=len(file.events),
        size_bytes=1,
        span=TimeSpan(NOON, NOON + timedelta(seconds=1)),
        newest_received=NOON,
        columns={},
        covers=file.covers,
    )


@cache
def counting(files: Files) -> Files:
    """What a reader counts of a listing."""
    return frozenset(
        file for file in files if not any(hides(part_of(other), part_of(file)) for other in files)
    )


@cache
def planned(files: Files) -> tuple[File, ...]:
    """The sources of the merge that is to be done."""
    parts = {part_of(file).path.name: file for file in counting(files)}
    ordered = [part_of(parts[name]) for name in sorted(parts)]
    merges = plan_compaction(ordered, NOON, CompactionSettings(), eager=True)
    return tuple(parts[part.path.name] for part in merges[0].sources) if merges else ()


@cache
def expiring(files: Files, *, waits: bool) -> tuple[File, ...]:
    """What may go when all of it is old."""
    parts = {part_of(file).key: file for file in files}
    count = counting(files)
    there = [part_of(file) for file in sorted(count)]
    covered = [part_of(file) for file in sorted(files - count)] if waits else []
    due = expired(there, covered, NOON + timedelta(days=900), RetentionSettings(), 0)
    return tuple(parts[each.part.key] for each in due)


class BrokenError(AssertionError):
    pass


def steps(world: World, rules: Rules):
    """All that may happen next, with a word for it."""
    yield from of_the_writer(world, rules)
    yield from of_the_reader(world, rules)
    for me in range(2):
        yield from of_a_maintainer(world, me, rules)
    if world.ticks < rules.minutes * MINUTE:
        # A listing that took longer than half of that begins anew.
        reader = Reading() if world.reader.at == "half" else world.reader
        yield "a minute passes", world._replace(ticks=world.ticks + MINUTE, reader=reader)


def of_the_writer(world, rules):
    number = world.published
    if number - len(world.acknowledged) > 0:
        yield (
            f"{number - 1} is acknowledged",
            world._replace(acknowledged=world.acknowledged | {number - 1}),
        )
    elif number < COMMITS:
        new = File(0, "w", number, (), frozenset({number}))
        files = world.files if number == rules.elsewhere else world.files | {new}
        yield f"{number} is published", world._replace(files=files, published=number + 1)


def of_the_reader(world, rules):
    reader, files = world.reader, world.files
    halves = [frozenset(f for f in files if rules.first_half(f.name) == first) for first in (1, 0)]
    match reader.at:
        case "out":
            known = world.acknowledged - world.expired
            began = Reading("half", halves[0], known, world.expired)
            yield "reader: first half", world._replace(reader=began)
        case "half":
            listed = reader._replace(at="listed", seen=reader.seen | halves[1])
            yield "reader: second half", world._replace(reader=listed)
        case "listed":
            found = counting(reader.seen)
            if found <= files:
                check(found, reader, world, rules)
            # Else a file is gone at open: it lists again.
            yield "reader: reads", world._replace(reader=Reading())


def check(found, reader, world, rules):
    events = [event for file in found for event in file.events]
    if len(events) != len(set(events)):
        raise BrokenError(f"twice: {sorted(events)}")
    if reader.expired & set(events):
        raise BrokenError(f"back: {sorted(reader.expired & set(events))}")
    due = reader.acknowledged - world.expired - {rules.elsewhere}
    if not due <= set(events):
        raise BrokenError(f"lost: {sorted(due - set(events))}")


def of_a_maintainer(world, me, rules):
    mine = world.maintainers[me]

    def moved(at, **changes):
        became = Maintaining(at, **changes) if at == "out" else mine._replace(at=at, **changes)
        both = tuple(became if n == me else each for n, each in enumerate(world.maintainers))
        return world._replace(maintainers=both)

    if mine.at != "out" and world.crashes < rules.crashes:
        yield f"{me} dies", moved("out")._replace(crashes=world.crashes + 1)
    halves = [
        frozenset(f for f in world.files if rules.first_half(f.name) == first) for first in (1, 0)
    ]
    match mine.at:
        case "out":
            is_free = all(each.at == "out" for each in world.maintainers)
            if is_free or not rules.is_locked:
                yield f"{me}: first half", moved("half", seen=halves[0])
        case "half":
            yield f"{me}: second half", moved("listed", seen=mine.seen | halves[1])
        case "listed":
            yield from jobs(world, me, moved, rules)
        case "unlinking":
            rest = mine.going[1:]
            after = moved("unlinking", going=rest) if rest else ended(moved("out"))
            yield (
                f"{me}: unlinks {mine.going[0].name}",
                after._replace(files=world.files - {mine.going[0]}),
            )
        case "expiring":
            rest = mine.going[1:]
            after = moved("expiring", going=rest) if rest else ended(moved("out"))
            yield (
                f"{me}: expires {mine.going[0].name}",
                after._replace(
                    files=world.files - {mine.going[0]},
                    expired=world.expired | mine.going[0].events,
                ),
            )
        case "named":
            seen = mine.names | {file.name for file in halves[1]}
            yield f"{me}: names, second half", moved("ready", names=frozenset(seen))
        case "merging":
            names = frozenset(file.name for file in halves[0])
            yield f"{me}: names, first half", moved("named", names=names)
        case "ready":
            yield published(world, me, moved, rules)


def ended(world):
    """At the end of a round it is noted what is covered."""
    noted = dict(world.noted)
    covered = {file.name for file in world.files - counting(world.files)}
    since = {name: noted.get(name, world.ticks) for name in covered}
    return world._replace(noted=frozenset(since.items()))


def jobs(world, me, moved, rules):
    mine = world.maintainers[me]
    noted, covered = dict(world.noted), mine.seen - counting(mine.seen)
    due = sorted(f for f in covered if rules.wait(noted.get(f.name), world.ticks))
    if due:
        for order in (tuple(due), tuple(due[::-1])):
            yield f"{me}: begins to unlink", moved("unlinking", going=order)
    elif covered and not noted.keys() >= {file.name for file in covered}:
        yield f"{me}: notes what is covered", ended(moved("out"))
    sources = planned(mine.seen)
    if sources:
        reserved = moved("merging", sources=sources, number=world.next_number)
        yield f"{me}: begins to merge", reserved._replace(next_number=world.next_number + 1)
    if rules.expires and (going := expiring(mine.seen, waits=rules.covered_first)):
        yield f"{me}: begins to expire", moved("expiring", going=going)


def published(world, me, moved, rules):
    mine = world.maintainers[me]
    sources = [part_of(file) for file in mine.sources]
    names = mine.names if rules.listed_twice else ()
    covers = covers_of(sources, standing(names, map(part_of, counting(mine.seen)), sources))
    if not rules.transitive:
        covers = tuple(Cover(part.writer, part.sequence, part.sequence) for part in sources)
    level = 1 + max(part.level for part in sources)
    events = frozenset().union(*(file.events for file in mine.sources))
    new = File(level, "m", mine.number, covers, events)
    if any(file.name == new.name for file in world.files):
        raise BrokenError(f"{new.name} is there already")
    after = moved("out")._replace(files=world.files | {new})
    return f"{me}: publishes {new.name} for {covers}", ended(after)


def explored(rules):
    """How many worlds there are; BrokenError with the way to the first bad one."""
    start = World()
    came_from = {start: None}
    waiting = [start]
    while waiting:
        world = waiting.pop()
        try:
            for word, found in steps(world, rules):
                # Which of the two maintainers is which makes no difference.
                after = found._replace(maintainers=tuple(sorted(found.maintainers, key=hash)))
                if after not in came_from:
                    came_from[after] = (word, world)
                    waiting.append(after)
        except BrokenError as broken:
            raise BrokenError("\n".join([*way_to(world, came_from), str(broken)])) from None
    return len(came_from)


def way_to(world, came_from):
    words = []
    while came_from[world]:
        word, world = came_from[world]
        words.append(word)
    return words[::-1]


def odd_first(name):
    return PartName.parse(name).sequence % 2 == 1


def even_first(name):
    return PartName.parse(name).sequence % 2 == 0


def commits_first(name):
    return PartName.parse(name).level == 0


def merged_first(name):
    return PartName.parse(name).level > 0


@pytest.mark.parametrize("first_half", [odd_first, even_first, commits_first, merged_first])
def test_no_schedule_with_crashes_and_expiry_loses_or_doubles_an_event(first_half):
    assert explored(Rules(first_half, elsewhere=1, expires=True)) > 10_000


@pytest.mark.parametrize("first_half", [odd_first, merged_first])
def test_no_schedule_of_three_commits_loses_or_doubles_an_event(first_half):
    """With a crash and another minute there are 240,000 worlds, and a minute is too long here."""
    assert explored(Rules(first_half, minutes=1, crashes=0)) > 5_000


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        (Rules(merged_first, elsewhere=1, wait=lambda _since, _ticks: True), "lost"),
        (Rules(commits_first, elsewhere=1, is_locked=False), "twice"),
        (Rules(odd_first, minutes=1, listed_twice=False), "lost"),
        (Rules(odd_first, minutes=1, transitive=False), "twice"),
        (Rules(odd_first, elsewhere=1, expires=True, covered_first=False), "back"),
    ],
    ids=[
        *("unlinked at once", "without the lock", "unseen numbers bridged"),
        *("covers not transitive", "expired before what it covers"),
    ],
)
def test_a_broken_rule_is_found(rules, fault):
    with pytest.raises(BrokenError, match=fault):
        explored(rules)
