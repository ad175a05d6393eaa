"""What may go and what becomes coarser, as tables."""

from datetime import timedelta
from pathlib import Path

import pytest

from store.parts.expiry import coarser, expired
from store.parts.part import Cover, Part, Rolled
from store.settings import RETENTION_PRESETS, RetentionSettings
from store.testing import NOON
from store.timespan import TimeSpan

DAY = timedelta(days=1)
KEEP = RetentionSettings(raw=30 * DAY, max_bytes=0)
FINE = ("five_minutes_by_name", "five_minutes", "quarter_hour", "hour", "day")


def part(age, number, *, writer="w", size=100, date="2026-10-01", **more):
    """A part whose newest event came in so many days ago."""
    received = NOON - age * DAY
    return Part(
        path=Path(f"{number}"),
        date=date,
        level=more.pop("level", 0),
        writer=writer,
        sequence=number,
        rows=10,
        size_bytes=size,
        span=TimeSpan(received, received),
        newest_received=received,
        columns={},
        **more,
    )


def due(parts, keep=KEEP, free=10**12, covered=(), **how):
    found = expired(parts, covered, NOON, keep, free, **how)
    return [(each.part.sequence, str(each.why)) for each in found]


@pytest.mark.parametrize(
    ("ages", "keep", "expected"),
    [
        ([], KEEP, []),
        ([29, 29.9], KEEP, []),
        ([31, 30, 29], KEEP, [(0, "age"), (1, "age")]),
        ([400], RetentionSettings(raw=timedelta(), max_bytes=0), []),
        ([3, 2, 1], RetentionSettings(max_bytes=200), [(0, "max_bytes")]),
        ([3, 2, 1], RetentionSettings(max_bytes=199), [(0, "max_bytes"), (1, "max_bytes")]),
        ([31, 2, 1], RetentionSettings(max_bytes=250), [(0, "age")]),
        ([8, 1], RETENTION_PRESETS["light"], [(0, "age")]),
        ([40, 1], RETENTION_PRESETS["production"], [(0, "age")]),
    ],
)
def test_parts_go_by_age_and_by_the_bytes_of_all_the_oldest_first(ages, keep, expected):
    assert due([part(age, number) for number, age in enumerate(ages)], keep) == expected


def test_the_oldest_arrivals_go_until_the_disk_has_room():
    keep = RetentionSettings(max_bytes=0, min_free_disk=1_150)
    parts = [part(3, 0), part(2, 1), part(1, 2)]
    assert due(parts, keep, free=1_000) == [(0, "min_free_disk"), (1, "min_free_disk")]


def test_what_was_imported_goes_only_when_asked_but_its_bytes_count():
    parts = [part(99, 0, writer="i", imported=True), part(2, 1), part(1, 2)]
    keep = RetentionSettings(max_bytes=200)
    assert due(parts, keep) == [(1, "max_bytes")]
    assert due(parts, keep, imported=True) == [(0, "age")]


def test_a_part_waits_until_those_that_it_covers_are_unlinked():
    merged = part(40, 7, writer="m", level=1, covers=(Cover("w", 0, 3),))
    assert due([merged], covered=[part(41, 2)]) == []
    assert due([merged], covered=[part(41, 4)]) == [(7, "age")]


def test_between_two_numbers_of_a_writer_and_date_nothing_goes_before_the_first():
    assert due([part(1, 0), part(40, 1)]) == []
    assert due([part(1, 0), part(40, 1, date="2026-10-02")]) == [(1, "age")]
    assert due([part(1, 0), part(40, 1, writer="v")]) == [(1, "age")]


def rollup(age, number, tiers=FINE, **more):
    return part(age, number, rolled=Rolled(tiers), **more)


def steps(rollups, keep=RETENTION_PRESETS["production"]):
    return [
        (step.date, step.tiers, [each.sequence for each in step.sources], step.level)
        for step in coarser(rollups, NOON, keep)
    ]


@pytest.mark.parametrize(
    ("age", "tiers", "expected"),
    [
        (89, FINE, None),
        (90, FINE, ("2026-10-01", ("day",))),
        (179, ("day",), None),
        (180, ("day",), ("2026-09-28", ("week", "month"))),
        (180, FINE, ("2026-09-28", ("week", "month"))),
        (365, ("week", "month"), ("2026-09-28", ("month",))),
        (400, FINE, ("2026-09-28", ("month",))),
        (729, ("month",), None),
        (730, ("month",), ("2026-10-01", ())),
        (9_999, FINE, ("2026-10-01", ())),
        (9_999, (), None),
    ],
)
def test_rollups_lose_their_finer_tiers_one_after_the_other(age, tiers, expected):
    found = steps([rollup(age, 0, tiers)])
    assert found == ([(*expected, [0], 1)] if expected else [])


def test_the_rollups_of_a_date_and_the_days_of_a_week_become_one():
    of_a_date = [rollup(91, 0), rollup(91, 1, level=2)]
    assert steps(of_a_date) == [("2026-10-01", ("day",), [0, 1], 3)]
    week = ("week", "month")
    there = rollup(190, 5, week, date="2026-09-28", level=3)
    days = [rollup(181, 6, ("day",), date="2026-10-02"), rollup(181, 7, ("day",))]
    assert steps([there, *days]) == [("2026-09-28", week, [6, 7, 5], 4)]
    assert steps([there]) == []


def test_an_age_of_nothing_is_for_ever_and_a_finer_tier_keeps_the_coarser_ones():
    assert steps([rollup(9_999, 0)], RetentionSettings(hourly=timedelta())) == []
    assert steps([rollup(40, 0)], RetentionSettings(hourly=50 * DAY, daily=10 * DAY)) == []
