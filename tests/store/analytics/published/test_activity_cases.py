"""Lifecycle, stickiness and weekly active users held against PostHog's published tests. Who is new is told there by when
a person was made, which in these cases is his first event.
"""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.lifecycle import Lifecycle, LifecycleAnalysis
from store.analytics.query_json import answer_json
from store.analytics.stickiness import Stickiness
from store.analytics.trends import Trends
from store.testing import FrozenClock, events_of, store_of
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.people import told

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
JANUARY = datetime(2020, 1, 1, tzinfo=UTC)
STATES = ("new", "returning", "resurrecting", "dormant")


def on(day):
    """Noon of a day of January."""
    return JANUARY + (day - 0.5) * DAY


def days(first, last):
    return TimeSpan(JANUARY + (first - 1) * DAY, JANUARY + last * DAY)


def seen(people, **more):
    return events_of(
        {"user_id": who, "event_time": on(day), "event_name": "view", **more.get(who, {})}
        for who, days in people.items()
        for day in days
    )


LIVES = {"p1": (11, 12, 13, 15, 17, 19), "p2": (9, 12), "p3": (12,), "p4": (15,)}


def states(people, first, last, **options):
    query = Lifecycle(span=days(first, last), interval=DAY, event="view", **options)
    points = told(LifecycleAnalysis(), query, seen(people))["points"]
    return {state: [point[state] for point in points] for state in STATES}


def test_the_whole_of_their_lives():
    assert states(LIVES, 9, 19) == {
        "new": [1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0],
        "returning": [0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
        "resurrecting": [0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1],
        "dormant": [0, -1, 0, 0, -2, -1, 0, -2, 0, -1, 0],
    }


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (12, 14, ([1, 0, 0], [1, 1, 0], [1, 0, 0], [0, -2, -1])),
        (
            12,
            19,
            (
                [1, 0, 0, 1, 0, 0, 0, 0],
                [1, 1, 0, 0, 0, 0, 0, 0],
                [1, 0, 0, 1, 0, 1, 0, 1],
                [0, -2, -1, 0, -2, 0, -1, 0],
            ),
        ),
    ],
)
def test_a_part_of_them_knows_what_was_before(first, last, expected):
    assert states(LIVES, first, last) == dict(zip(STATES, expected, strict=True))


def test_a_group_lives_as_long_as_anybody_in_it():
    people = {"p1": LIVES["p1"], "p2": (9, 12), "p3": (12,), "p4": (15, 18)}
    rows = seen(people, **{who: {"org": "org:5"} for who in people})
    query = Lifecycle(span=days(9, 19), interval=DAY, per="org")
    points = told(LifecycleAnalysis(), query, rows)["points"]
    assert {state: [point[state] for point in points] for state in STATES} == {
        "new": [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "returning": [0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1],
        "resurrecting": [0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0],
        "dormant": [0, -1, 0, 0, 0, -1, 0, -1, 0, 0, 0],
    }


STICKY = {"p1": range(11, 20), "p2": range(11, 20, 2)}
BROWSERS = {"p1": {"plan": "Chrome", "org": "org:1"}, "p2": {"plan": "Firefox", "org": "org:1"}}


@pytest.mark.parametrize(
    ("span", "options", "expected"),
    [
        (days(11, 20), {}, {5: 1, 9: 1}),
        (days(11, 20), {"event": None}, {5: 1, 9: 1}),
        (days(11, 20), {"event": {"name": "view", "where": "plan=Chrome"}}, {9: 1}),
        (days(11, 20), {"event": None, "where": "plan=Chrome"}, {9: 1}),
        (days(11, 20), {"per": "org"}, {9: 1}),
        (days(11, 20), {"interval": 7 * DAY, "week_start": "sunday"}, {3: 2}),
        (days(11, 20), {"interval": MONTH}, {1: 2}),
        (TimeSpan(JANUARY + 10 * DAY, JANUARY + 11 * DAY + HOUR), {"interval": HOUR}, {1: 2}),
        (days(1, 10), {}, {}),
    ],
    ids=str,
)
def test_so_many_are_there_so_often(tmp_path, span, options, expected):
    store = store_of(tmp_path, seen(STICKY, **BROWSERS), clock=FrozenClock(JANUARY + 99 * DAY))
    query = Stickiness(span=span, **{"event": "view", "interval": DAY, **options})
    rows = answer_json(store.run(query))["result"]["rows"]
    found = {row["intervals"]: row["users"] for row in rows}
    assert {intervals: users for intervals, users in found.items() if users} == expected
    assert list(found) == list(range(1, len(found) + 1))


SEEN_AT = {
    "p0": "03T11:00 03T12:00 12T12:00",
    "p1": "09T12:00 10T12:00 11T12:00",
    "p2": "09T12:00 11T12:00",
}
WHOLE_WEEK = {"p0": "03T10:59:59", "p1": "03T11:00", "p2": "03T11:00:01"}


def instant(text):
    return datetime.fromisoformat(f"2020-01-{text}").replace(tzinfo=UTC)


def active(root, people, first, last, shift=0, **options):
    """The users of seven days at each point."""
    events = events_of(
        {"user_id": who, "event_time": instant(time)}
        for who, times in people.items()
        for time in times.split()
    )
    span = TimeSpan(*(instant(edge) + shift * HOUR for edge in (first, last)))
    options = {"interval": DAY, "rolling": 7 * DAY, **options}
    store = store_of(root, events, clock=FrozenClock(JANUARY + 99 * DAY))
    (series,) = store.run(Trends(measures=("users",), span=span, **options)).result.series
    return series.values


@pytest.mark.parametrize(("tz", "shift"), [("UTC", 0), ("America/Phoenix", 7), ("Asia/Tokyo", -9)])
def test_weekly_active_users_of_each_day_also_of_days_when_nobody_came(tmp_path, tz, shift):
    found = active(tmp_path, SEEN_AT, "08", "20", shift, tz=tz)
    assert found == [1, 3, 2, 2, 3, 3, 3, 3, 3, 3, 1, 0]


def test_weekly_active_users_by_weeks_are_those_of_each_week(tmp_path):
    options = {"interval": 7 * DAY, "week_start": "sunday"}
    found = active(tmp_path, SEEN_AT, "01", "19", **options)
    assert found == [1, 2, 1]
    assert active(tmp_path / "plain", SEEN_AT, "01", "19", rolling=None, **options) == found


def test_weekly_active_users_by_hours(tmp_path):
    found = active(tmp_path, SEEN_AT, "09T06:00", "09T18:00", interval=HOUR)
    assert found == [1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 3, 3]


def test_weekly_active_users_are_so_for_a_week_of_hours_and_no_longer(tmp_path):
    found = active(tmp_path, WHOLE_WEEK, "03", "11T18:00", interval=HOUR)
    assert sum(found) == 24 * 7 * 3
    assert (found[:11], found[11:178], found[178:180]) == ([*[0] * 10, 1], [3] * 167, [2, 0])


@pytest.mark.parametrize(("link", "users"), [(True, 2), (False, 3)])
def test_weekly_active_users_are_people_and_only_devices_if_asked_for(tmp_path, link, users):
    seen = [("blabla", None), ("blabla", None), (None, "anonymous"), ("third", None)]
    rows = [{"event_time": instant("02T03:45"), "user_id": u, "install_id": d} for u, d in seen]
    known = {"event_time": instant("20"), "user_id": "blabla", "install_id": "anonymous"}
    store = store_of(tmp_path, events_of([*rows, known]), clock=FrozenClock(JANUARY + 99 * DAY))
    span = TimeSpan(instant("02"), instant("10"))
    query = Trends(measures=("users",), span=span, interval=DAY, rolling=7 * DAY, link=link)
    (series,) = store.run(query).result.series
    assert series.values == [*[users] * 7, 0]
