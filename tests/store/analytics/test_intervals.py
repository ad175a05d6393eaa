"""Where points begin: round, in the zone that was asked for, weeks on the day that was asked for."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.intervals import cell_start, covered_seconds, cut_of, points
from store.analytics.trends import Trends
from store.schema import INSTANT
from store.timespan import EPOCH, MONTH, TimeSpan, ceil, round_width

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(first, last, width, **options):
    span = TimeSpan(at(first), at(last))
    return points(Trends(span=span, interval=width, **options))


def test_points_cover_the_span_and_nothing_else():
    assert starts("2026-11-22T12:03", "2026-11-22T12:20", 5 * MINUTE) == [
        at(f"2026-11-22T12:{minute:02}") for minute in (0, 5, 10, 15)
    ]
    assert starts("2026-11-22T12:00", "2026-11-22T12:00", MINUTE) == []


def test_days_begin_at_midnight_of_the_zone():
    assert starts("2026-11-20T12:00", "2026-11-22T12:00", DAY, tz="Asia/Kolkata") == [
        at(f"2026-11-{day}T18:30") for day in (19, 20, 21)
    ]


def test_a_day_on_which_the_clock_changes_is_shorter_or_longer():
    spring = starts("2026-03-28T12:00", "2026-03-30T12:00", DAY, tz="Europe/Zurich")
    assert spring == [at("2026-03-27T23:00"), at("2026-03-28T23:00"), at("2026-03-29T22:00")]
    query = Trends(
        span=TimeSpan(spring[0], at("2026-03-30T22:00")), interval=DAY, tz="Europe/Zurich"
    )
    assert covered_seconds(query, spring) == [86_400, 82_800, 86_400]


def test_months_follow_the_calendar_of_the_zone():
    found = starts("2026-01-15T00:00", "2026-04-02T00:00", MONTH, tz="Europe/Zurich")
    assert found == [
        at("2025-12-31T23:00"),
        at("2026-01-31T23:00"),
        at("2026-02-28T23:00"),
        at("2026-03-31T22:00"),
    ]
    assert starts("2026-01-31T00:00", "2026-03-01T00:00", MONTH) == [
        at("2026-01-01T00:00"),
        at("2026-02-01T00:00"),
    ]


def test_hours_are_plain_durations_on_the_day_on_which_the_clock_changes():
    assert starts("2026-10-24T23:00", "2026-10-25T03:00", HOUR, tz="Europe/Zurich") == [
        at("2026-10-24T23:00") + hour * HOUR for hour in range(4)
    ]


def test_a_day_without_a_midnight_begins_at_one():
    # Clocks in Beirut go from 24:00 to 01:00.
    found = starts("2026-03-28T12:00", "2026-03-29T12:00", DAY, tz="Asia/Beirut")
    assert found == [at("2026-03-27T22:00"), at("2026-03-28T22:00")]


@pytest.mark.parametrize(("week_start", "day"), [("monday", 16), ("sunday", 22), ("saturday", 21)])
def test_weeks_begin_on_the_day_that_is_set(week_start, day):
    found = starts("2026-11-22T12:00", "2026-11-22T13:00", 7 * DAY, week_start=week_start)
    assert found == [at(f"2026-11-{day}T00:00")]


instants = st.integers(0, 400 * 86_400).map(lambda s: at("2026-01-01T00:00") + timedelta(seconds=s))
widths = st.sampled_from([MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY])
zones = st.sampled_from(["UTC", "Europe/Zurich", "Asia/Kathmandu", "Australia/Lord_Howe"])


@settings(max_examples=60, deadline=None)
@given(instants, widths, zones, st.integers(1, 40))
def test_every_instant_is_in_the_point_that_says_so(first, width, zone, number):
    query = Trends(span=TimeSpan(first, first + width * number), interval=width, tz=zone)
    found = points(query)
    times = [first + width * number * share / 7 for share in range(7)]
    cells = pl.select(cell_start(query, pl.lit(pl.Series(times)))).to_series()
    assert cells.dtype == INSTANT
    assert set(cells) <= set(found)
    assert all(start <= time for start, time in zip(cells, times, strict=True))
    assert len(found) <= number + 2


@pytest.mark.parametrize("minutes", [1, 15, 60, 180, 1440, 10_080])
def test_the_edges_of_a_live_span_fall_on_the_grid_of_its_cut(minutes):
    length = minutes * MINUTE
    for second in range(0, 600, 7):
        end = ceil(at("2026-11-22T12:00") + timedelta(seconds=second), round_width(length, 900))
        span = TimeSpan(end - length, end)
        interval = round_width(length)
        cut = cut_of(Trends(interval=interval), span)
        assert cut.span.covers(span)
        assert cut.span != span or second % minutes == 0
        assert (span.start - EPOCH) % cut.width == timedelta()
        assert interval % cut.width == timedelta()
        assert length / cut.width <= 9_000


@settings(max_examples=60)
@given(
    steps=st.lists(st.integers(0, 7_200), min_size=1, max_size=60),
    zone=st.sampled_from(["Europe/Zurich", "Asia/Kathmandu", "America/St_Johns", "Asia/Beirut"]),
    width=st.sampled_from([HOUR, 6 * HOUR, DAY, 7 * DAY, MONTH]),
    order=st.randoms(),
)
def test_many_events_of_an_hour_begin_where_each_of_them_does(steps, zone, width, order):
    start = at("2026-03-27T20:00")
    times = [start + timedelta(seconds=sum(steps[:count])) for count in range(len(steps))]
    query = Trends(interval=width, tz=zone)

    def begins(found):
        frame = pl.DataFrame({"time": found}, schema={"time": INSTANT})
        return frame.select(cell_start(query, pl.col("time"))).to_series().to_list()

    alone = {time: begins([time])[0] for time in times}
    many = [time for time in times for _ in range(3)]
    assert begins(many) == [alone[time] for time in many]
    order.shuffle(many)
    assert begins(many) == [alone[time] for time in many]
