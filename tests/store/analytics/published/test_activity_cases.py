"""Lifecycle and stickiness held against PostHog's published tests. Who is new is told there by when
a person was made, which in these cases is his first event.
"""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.lifecycle import Lifecycle, LifecycleAnalysis
from store.analytics.query_json import answer_json
from store.analytics.stickiness import Stickiness
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
