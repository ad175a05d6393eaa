"""Clocks that are wrong, events that come late, and days that are odd."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.parts.check import check
from store.settings import Settings
from store.testing import NOON, FrozenClock, events_of, store_of, write
from store.timespan import TimeSpan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def series(store, **asked):
    """[(start of the point, count)] where there is something."""
    timeline = store.run(Trends(**asked)).result
    values = timeline.series[0].values if timeline.series else []
    return [(at, n) for at, n in zip(timeline.starts, values, strict=True) if n]


def at_times(times):
    return events_of({"event_id": f"{n}", "event_time": at} for n, at in enumerate(times))


@pytest.mark.parametrize("jump", [-4000 * DAY, -3 * DAY, -HOUR, HOUR, 3 * DAY, 4000 * DAY])
def test_a_collector_s_clock_that_jumps_loses_and_doubles_nothing(tmp_path, jump):
    root, clock = tmp_path / "store", FrozenClock()
    for number in range(3):
        clock.advance(jump if number == 1 else -jump if number == 2 else HOUR)
        rows = [{"event_id": f"e{number}-{row}", "event_time": clock.now} for row in range(4)]
        write(root, events_of(rows), clock=clock)
    report = check(EventStore(root).folder, now=clock)
    assert (report.ok, report.events, report.unique_event_ids) == (True, 12, 12)
    store = EventStore(root, now=clock)
    assert store.out_of_time() == (4 if jump > 2 * DAY else 0)
    assert store.events().collect().height == 12


@pytest.mark.parametrize("jump", [-4000 * DAY, -HOUR, HOUR, 4000 * DAY])
def test_a_reader_s_clock_changes_no_answer_about_a_span_that_was_named(tmp_path, jump):
    store_of(tmp_path, at_times(NOON + HOUR * n for n in range(5)))
    store = EventStore(tmp_path, now=FrozenClock(NOON + jump))
    span = TimeSpan(NOON, NOON + 5 * HOUR)
    assert series(store, span=span, interval=HOUR) == [(NOON + HOUR * n, 1) for n in range(5)]


def test_a_reader_s_clock_that_is_years_behind_says_that_all_is_ahead_of_its_time(tmp_path):
    store_of(tmp_path, at_times([NOON]))
    store = EventStore(tmp_path, now=FrozenClock(NOON - 4000 * DAY))
    assert (store.span(), store.out_of_time()) == (None, 1)


@pytest.mark.parametrize("hours", [18, 24 * 40])
def test_a_late_event_counts_in_its_own_time_also_when_its_date_was_merged(tmp_path, hours):
    clock = FrozenClock()
    store = store_of(
        tmp_path, *at_times(NOON + HOUR * n for n in range(4)).iter_slices(1), clock=clock
    )
    asked = {"span": TimeSpan(NOON, NOON + DAY), "interval": HOUR}
    clock.advance(timedelta(hours=hours))
    compacted(store, clock)
    assert len(series(store, **asked)) == 4
    late = events_of([{"event_id": "late", "event_time": NOON, "received_time": clock.now}])
    write(tmp_path, late, clock=clock)
    expected = [(NOON, 2), *((NOON + HOUR * n, 1) for n in range(1, 4))]
    assert series(store, **asked) == expected
    compacted(store, clock)
    assert series(store, **asked) == series(EventStore(tmp_path, now=clock), **asked) == expected


def compacted(store, clock):
    settings = Settings(store=store.folder.root)
    with Maintainer(store.folder, settings, now=clock, eager=True) as maintainer:
        assert maintainer.round([Compaction()]).faults == ()


ODD_DAYS = [
    ("UTC", date(2028, 2, 29)),
    ("UTC", date(2026, 12, 31)),
    ("Pacific/Auckland", date(2026, 12, 31)),
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    # Clocks in Beirut skip midnight itself, those in Casablanca change around Ramadan.
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Africa/Casablanca", date(2026, 2, 15)),
]


@pytest.mark.parametrize(("zone", "odd"), ODD_DAYS)
def test_on_an_odd_day_each_event_counts_on_the_day_that_the_wall_showed(tmp_path, zone, odd):
    local = ZoneInfo(zone)
    start = datetime.combine(odd - DAY, time(), local).astimezone(UTC)
    end = datetime.combine(odd + 2 * DAY, time(), local).astimezone(UTC)
    count = int((end - start) / timedelta(minutes=15))
    times = [start + timedelta(minutes=15 * n) for n in range(count)]
    store = store_of(tmp_path, at_times(times), clock=FrozenClock(end))
    span = TimeSpan(start, end)
    by_day = series(store, span=span, interval=DAY, tz=zone)
    on_the_wall = Counter(each.astimezone(local).date() for each in times)
    assert {at.astimezone(local).date(): n for at, n in by_day} == on_the_wall
    by_hour = series(store, span=span, interval=HOUR, tz=zone)
    assert sum(n for _, n in by_hour) == count
    if zone != "Australia/Lord_Howe":  # the wall goes back by half an hour there
        hours = Counter(each.astimezone(local).replace(minute=0).astimezone(UTC) for each in times)
        assert dict(by_hour) == hours
