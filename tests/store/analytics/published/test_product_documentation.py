"""Funnels and retention held against the worked examples in the documentation of Mixpanel (funnels,
its "conversion window", "re-entry" and "totals"), of Amplitude (how funnels are computed, how time
works in retention, retention questions) and of StarRocks (`retention`).
"""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.retention import Retention, RetentionAnalysis
from store.testing import events_of
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes, counts, times, told
from tests.store.analytics.people import told as answered

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = {"window": 60 * MINUTE}
ONE, THREE = ("a", "b"), ("a", "b", "c")


@pytest.mark.parametrize(
    ("did", "reached"),
    [
        ("a b c d e", (1, 1, 1, 1, 1)),
        ("a b f c d e", (1, 1, 1, 1, 1)),
        ("a b c e", (1, 1, 1, 0, 0)),
    ],
)
def test_mixpanel_steps_come_in_a_loose_order(did, reached):
    assert counts(*"abcde", ada=did) == reached


def test_mixpanel_a_window_is_that_of_the_newest_first_step():
    """Its older page measured from the first one, and had no conversion here."""
    events = at_minutes(ada="a@0 a@30 b@45 c@75")
    assert times(events, *THREE, **WINDOW) == {"ada": [30, 45, 75]}


@pytest.mark.parametrize("did", ["a@0 a@70 b@80", "a@0 a@50 b@80"])
def test_mixpanel_whoever_enters_again_may_convert_before_or_after_the_first_window_ended(did):
    assert told(at_minutes(ada=did), *ONE, **WINDOW) == (1, 1)


def test_mixpanel_of_several_conversions_the_first_counts_and_of_entries_the_last():
    events = at_minutes(ada="a@0 b@1 a@2 b@3", bob="a@0 a@1 a@2 b@3")
    assert times(events, *ONE, **WINDOW) == {"ada": [0, 1], "bob": [2, 3]}


@pytest.mark.parametrize(
    ("did", "reached"),
    [
        ("a@0 b@1 a@2 b@3", (2, 2)),
        ("a@0 a@5 b@10 a@20", (2, 1)),
        ("a@0 a@61", (2, 0)),
        ("a@0 a@60", (1, 0)),
    ],
)
def test_mixpanel_totals_begin_again_after_a_conversion_or_a_window(did, reached):
    assert told(at_minutes(ada=did), *ONE, count="attempts", **WINDOW) == reached


def test_amplitude_four_searches_before_one_cart_are_one_conversion():
    did = "search search search search cart"
    assert counts("search", "cart", ada=did) == (1, 1)
    options = {"count": "attempts"}
    assert counts("search", "cart", ada=did, options=options) == (1, 1)


def test_amplitude_an_event_that_is_asked_for_twice_must_come_twice():
    assert counts("a", "a", "b", ada="a a b", bob="a b", eve="b a a") == (3, 2, 1)


def test_amplitude_in_exact_order_any_other_event_is_the_end():
    people = {"ada": "a b c", "bob": "a x b c", "eve": "a b x c"}
    assert counts(*THREE, options={"order": "strict"}, **people) == (3, 2, 1)
    assert counts(*THREE, **people) == (3, 3, 3)


def test_amplitude_in_any_order_all_of_them_are_needed():
    people = {"ada": "c a b", "bob": "b c", "eve": "a x b x c"}
    assert counts(*THREE, options={"order": "unordered"}, **people) == (3, 3, 2)


def test_amplitude_a_segment_is_that_of_the_first_step():
    events = at_minutes(ada="b@0:Canada a@1:US")
    found = asked(events, *ONE, by=("plan",), attribution="step:1")["breakdown"]
    assert [(each["key"]["plan"], each["steps"][0]["count"]) for each in found] == [("US", 1)]


def back(people, *, first, days=1, **options):
    """`retained` of each cohort; `people` are {name: [times]}."""
    rows = [{"user_id": who, "event_time": time} for who, times in people.items() for time in times]
    span = TimeSpan(first, first + days * DAY)
    query = Retention(span=span, **{"periods": 3, "mode": "recurring", **options})
    found = answered(RetentionAnalysis(), query, events_of(rows), now=first + 500 * DAY)
    return [each["retained"] for each in found["cohorts"]]


def december(day, hour=17, minute=0):
    """Of 2021, whose first day was a Wednesday."""
    return datetime(2021, 12, day, hour, minute, tzinfo=UTC)


FIRST = december(1, 0)


def test_amplitude_the_next_calendar_day_is_day_1_and_the_24th_hour_as_well():
    """Amplitude tells hours, so that 5:59 p.m. and 5 p.m. lie a day apart there; here a day is."""
    early = {"ada": [december(1, 17, 59), december(2, 17)]}
    assert back(early, first=FIRST) == [[1, 1, 0, 0]]
    assert back(early, first=FIRST, clock="own") == [[1, 0, 0, 0]]
    sharp = {"ada": [december(1), december(2)], "bob": [december(1), december(3, 16)]}
    assert back(sharp, first=FIRST, clock="own") == [[2, 2, 0, 0]]
    assert back(sharp, first=FIRST) == [[2, 1, 1, 0]]


@pytest.mark.parametrize(("day", "week"), [(7, 0), (8, 1), (14, 1), (15, 2), (21, 2), (22, 3)])
def test_amplitude_weeks_of_ones_own_are_seven_days(day, week):
    people = {"ada": [december(1), december(day)]}
    found = back(people, first=FIRST, clock="own", interval=7 * DAY, mode="first-time")
    assert found[0] == [1, *(int(at == week) for at in (1, 2, 3))]


def test_amplitude_monday_to_sunday_is_a_calendar_week():
    people = {"ada": [december(1), december(6)], "bob": [december(6), december(12)]}
    asked_of = {"first": FIRST, "interval": 7 * DAY, "periods": 1, "days": 10}
    assert back(people, **asked_of) == [[1, 1], [2, 0]]


def test_amplitude_back_on_day_2_or_later_is_back_on_day_1_or_later():
    people = {"ada": [december(1), december(3)], "bob": [december(1)]}
    assert back(people, first=FIRST, on="on-or-after") == [[2, 1, 1, 0]]
    assert back(people, first=FIRST) == [[2, 0, 1, 0]]


def test_amplitude_one_return_may_be_day_1_and_day_2():
    people = {"ada": [december(1), december(2), december(3)]}
    assert back(people, first=FIRST, days=2) == [[1, 1, 1, 0], [1, 1, 0, 0]]


def test_amplitude_who_does_it_many_times_counts_once_in_each_interval():
    people = {"ada": [december(1), december(1), december(2), december(2), december(3)]}
    assert back(people, first=FIRST) == [[1, 1, 1, 0]]


VIEWED = [
    (1, "pv", "01T08:00:05"),
    (2, "pv", "01T10:20:08"),
    (1, "buy", "02T15:30:10"),
    (2, "pv", "02T17:30:05"),
    (3, "buy", "01T05:30:09"),
    (3, "buy", "02T08:10:15"),
    (4, "pv", "02T21:09:15"),
    (5, "pv", "01T22:10:53"),
    (5, "pv", "02T19:10:52"),
    (5, "buy", "02T20:00:50"),
]


@pytest.mark.parametrize(("back_by", "retained"), [("buy", [3, 2]), ("pv", [3, 2]), (None, [3, 3])])
def test_starrocks_of_those_who_viewed_on_one_day_so_many_bought_on_the_next(back_by, retained):
    rows = [
        {
            "user_id": f"{who}",
            "event_name": name,
            "event_time": datetime.fromisoformat(f"2022-01-{time}+00:00"),
        }
        for who, name, time in VIEWED
    ]
    first = datetime(2022, 1, 1, tzinfo=UTC)
    query = Retention(
        span=TimeSpan(first, first + DAY), start_event="pv", return_event=back_by, periods=1
    )
    found = answered(RetentionAnalysis(), query, events_of(rows), now=first + 9 * DAY)
    assert [each["retained"] for each in found["cohorts"]] == [retained]
