from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.parts.compaction import covers_of, plan_compaction, standing
from store.parts.layout import PartName
from store.parts.part import Cover, Part
from store.settings import MIB, CompactionSettings
from store.timespan import TimeSpan

DAY = datetime(2026, 11, 22, tzinfo=UTC)
TOMORROW = DAY + timedelta(days=1)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
LIMITS = CompactionSettings()
KB = 1024


def part(number, *, level=0, writer="w", at=12 * HOUR, size=10 * KB, received=None, **more):
    start = DAY + at
    name = PartName(level, writer, number)
    values = {
        "path": Path("2026-11-22", name.file),
        "date": "2026-11-22",
        "rows": 1,
        "size_bytes": size,
        "span": TimeSpan(start, start + SECOND),
        "newest_received": start if received is None else received,
        "columns": {},
        **more,
    }
    return Part(level=level, writer=writer, sequence=number, **values)


def commits(count, **more):
    return [part(number, at=12 * HOUR + number * SECOND, **more) for number in range(count)]


def compacted(count, *, level=1, **more):
    return [
        part(n, level=level, writer="m", at=6 * HOUR + n * MINUTE, **more) for n in range(count)
    ]


def numbers(merges):
    return [[p.sequence for p in merge.sources] for merge in merges]


AT_NOON = DAY + 12 * HOUR + MINUTE


@pytest.mark.parametrize(
    ("parts", "now", "expected"),
    [
        ([], AT_NOON, []),
        (commits(32), AT_NOON, []),
        (commits(33), AT_NOON, [list(range(33))]),
        (compacted(7), AT_NOON, []),
        (compacted(8), AT_NOON, [list(range(8))]),
        (compacted(17), AT_NOON, [list(range(8)), list(range(8, 16))]),
        # Sizes that differ by more than eight do not mix, levels do.
        ([*compacted(7, size=MIB), part(9, level=1, writer="m", size=KB)], AT_NOON, []),
        ([*compacted(7), part(9, level=4, writer="m", at=HOUR)], AT_NOON, [[*range(7), 9]]),
        # The day is over: a quarter of an hour without an event makes it one part.
        (commits(2), TOMORROW + 14 * MINUTE, []),
        (commits(2), TOMORROW + 15 * MINUTE, [[0, 1]]),
        (commits(1), TOMORROW + 15 * MINUTE, []),
        ([part(0), part(1, imported=True)], TOMORROW + HOUR, []),
        # Late by ten hours: it waits for as long, but for no more than a day.
        ([part(0), part(1, received=TOMORROW + 10 * HOUR)], TOMORROW + 19 * HOUR, []),
        ([part(0), part(1, received=TOMORROW + 10 * HOUR)], TOMORROW + 20 * HOUR, [[0, 1]]),
        ([part(0), part(1, received=TOMORROW + 900 * HOUR)], TOMORROW + 924 * HOUR, [[0, 1]]),
        # A level that no name has room for stays.
        ([part(0), part(1, level=9999)], TOMORROW + HOUR, []),
    ],
)
def test_what_is_merged_when(parts, now, expected):
    assert numbers(plan_compaction(parts, now, LIMITS)) == expected


def test_a_large_day_is_merged_hour_by_hour():
    large = [part(n, at=(n // 2) * HOUR, size=20 * MIB) for n in range(6)]
    plan = plan_compaction(large, DAY + 2 * HOUR + 15 * MINUTE, LIMITS)
    assert numbers(plan) == [[0, 1], [2, 3]]
    assert numbers(plan_compaction(large, TOMORROW + HOUR, LIMITS)) == [[0, 1], [2, 3], [4, 5]]


def test_too_many_commits_of_a_large_day_are_merged_at_once_each_with_its_hour():
    large = [part(n, at=(12 + n // 17) * HOUR, size=3 * MIB) for n in range(34)]
    plan = plan_compaction(large, DAY + 12 * HOUR + MINUTE, LIMITS)
    assert numbers(plan) == [list(range(17)), list(range(17, 34))]


def test_whoever_asks_now_waits_for_nothing():
    plan = plan_compaction([*commits(2), *compacted(1)], AT_NOON, LIMITS, eager=True)
    assert [merge.level for merge in plan] == [2]
    assert "3 parts of 2026-11-22, 3 events" in str(plan[0])


def merged(merge, number):
    received = max(p.newest_received for p in merge.sources)
    span = TimeSpan(merge.sources[0].span.start, merge.sources[-1].span.end)
    made = part(number, level=merge.level, writer="m", size=merge.size_bytes, received=received)
    return replace(made, span=span)


def lived_through(count, step):
    """A day of `count` commits, one each `step`, with a round after every 33; how often each of
    them was written, and the most parts that stood at the end of a round.
    """
    written = dict.fromkeys(range(count), 1)
    inside = {number: {number} for number in range(count)}
    parts, made, most = [], count, 0
    for number in range(count):
        parts.append(part(number, at=number * step, received=DAY + number * step))
        if number % 33 == 32 or number == count - 1:
            now = DAY + number * step if number < count - 1 else TOMORROW + HOUR
            while plan := plan_compaction(parts, now, LIMITS):
                for merge in plan:
                    parts = [p for p in parts if p not in merge.sources]
                    parts.append(merged(merge, made))
                    inside[made] = set().union(*(inside[p.sequence] for p in merge.sources))
                    for each in inside[made]:
                        written[each] += 1
                    made += 1
            most = max(most, len(parts))
    return written, most, parts


def test_no_event_is_written_more_often_than_its_day_grows_by_eights():
    written, most, parts = lived_through(8_000, timedelta(seconds=10))
    assert len(parts) <= 24
    assert max(written.values()) <= 7
    assert most <= 60


@pytest.mark.parametrize(
    ("sources", "others", "expected"),
    [
        ([part(3), part(4)], [], [("w", 3, 4)]),
        ([part(3), part(7)], [], [("w", 3, 7)]),
        ([part(3), part(7)], [part(5)], [("w", 3, 3), ("w", 7, 7)]),
        ([part(3), part(7), part(9)], [part(5)], [("w", 3, 3), ("w", 7, 9)]),
        ([part(3), part(7)], [part(2), part(8)], [("w", 3, 7)]),
        ([part(3), part(7, writer="v")], [part(5)], [("v", 7, 7), ("w", 3, 3)]),
        # What a compacted source stands for, and itself.
        (
            [part(0, level=1, writer="m", covers=(Cover("w", 0, 5),)), part(6)],
            [],
            [("m", 0, 0), ("w", 0, 6)],
        ),
        # What another part stands for is not ours, even when its file has gone.
        (
            [part(3), part(7)],
            [part(0, level=1, writer="m", covers=(Cover("w", 5, 5),))],
            [("w", 3, 3), ("w", 7, 7)],
        ),
    ],
)
def test_a_cover_bridges_only_what_is_not_there(sources, others, expected):
    names = [p.path.name for p in [*sources, *others]]
    assert covers_of(sources, standing(names, [*sources, *others], sources)) == tuple(expected)


@settings(max_examples=200)
@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_covers_hold_all_sources_and_nothing_that_stands(own, others):
    others -= own
    sources = [part(number) for number in own]
    covers = covers_of(sources, [Cover("w", number, number) for number in others])
    held = {n for cover in covers for n in range(cover.first, cover.last + 1)}
    assert own <= held
    assert not others & held
    # As few as can be: between two of them something stands.
    for before, after in pairwise(covers):
        assert any(before.last < number < after.first for number in others)
