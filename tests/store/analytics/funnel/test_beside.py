"""What is asked beside a funnel: its trend, what drives it, and why somebody is where he is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.analytics.funnel.drivers import Drivers
from store.analytics.funnel.steps import step_of_text
from store.analytics.funnel.trend import FunnelTrend
from store.analytics.funnel.why import Why
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, at_minutes

LATER = FrozenClock(NOON + timedelta(days=9))
STEPS = ("a", "b", "c")


def result(store, query):
    return answer_json(store.run(query))["result"]


DEVICES = [
    {"event_name": "a", "install_id": "phone"},
    {"event_name": "login", "install_id": "phone", "user_id": "ada"},
    {"event_name": "b", "user_id": "ada"},
]


def test_the_trend_counts_by_when_attempts_began(tmp_path):
    events = at_minutes(ada="a@0 b@1 a@2", bob="a@0 a@0.5 b@3", eve="a@2 b@2.5 c@9", zoe="b@1")
    store = store_of(tmp_path, events, clock=LATER)
    span = TimeSpan(NOON, NOON + 3 * MINUTE)
    query = FunnelTrend(steps=("a", "b"), span=span, interval=MINUTE)
    points = [
        ("12:00", 2, 2, 1.0),
        ("12:01", 0, 0, 0.0),
        ("12:02", 2, 1, 0.5),
    ]
    assert result(store, query)["points"] == [
        {
            "start": f"2026-11-22T{minute}:00Z",
            "entered": entered,
            "converted": converted,
            "conversion": share,
        }
        for minute, entered, converted, share in points
    ]
    later = FunnelTrend(steps=STEPS, span=span, interval=3 * MINUTE, from_step=2)
    assert result(store, later)["points"][0]["entered"] == 3
    assert result(store, later)["points"][0]["converted"] == 1
    with pytest.raises(UsageError, match="no way from 3 to 2 of 3"):
        store.run(FunnelTrend(steps=STEPS, from_step=3, to_step=2))


def test_drivers_are_what_those_who_converted_did_in_between(tmp_path):
    events = at_minutes(
        **{f"c{at}": "help@-1 a@0 tour@1 b@2 gift@3" for at in range(3)},
        **{f"d{at}": "a@0 error@1 tour@2000" for at in range(2)},
        e="a@0 error@1 b@2",
    )
    store = store_of(tmp_path, events, clock=LATER)
    span = TimeSpan(NOON - MINUTE, NOON + MINUTE)
    rows = result(store, Drivers(steps=("a", "b"), span=span))["rows"]
    # S = 4 converted, F = 2 did not: (3+1)(2-0+1) / (4-3+1)(0+1), and
    # (1+1)(2-2+1) / (4-1+1)(2+1).
    assert rows == [
        {"event_name": "tour", "converted": 3, "not_converted": 0, "odds_ratio": 6.0},
        {"event_name": "error", "converted": 1, "not_converted": 2, "odds_ratio": 2 / 12},
    ]


def test_drivers_can_be_the_values_they_had(tmp_path):
    events = at_minutes(ada="a@0:pro b@1", bob="a@0:pro b@1:free", eve="a@0:free")
    store = store_of(tmp_path, events, clock=LATER)
    rows = result(store, Drivers(steps=("a", "b"), of="attributes"))["rows"]
    assert [(row["attribute"], row["value"], row["odds_ratio"]) for row in rows] == [
        ("plan", "pro", 6.0),
        ("plan", "free", 1 / 6),
    ]


def test_drivers_of_a_step_are_of_those_who_came_to_the_one_before(tmp_path):
    events = at_minutes(
        **{f"c{at}": "a@0 tour@1 b@2:pro help@3 c@4 gift@5" for at in range(3)},
        **{f"d{at}": "a@0 tour@1 b@2:free error@3" for at in range(2)},
        **{f"e{at}": "a@0 error@1" for at in range(9)},
    )
    store = store_of(tmp_path, events, clock=LATER)
    step = Drivers(steps=STEPS, from_step=2, to_step=3)
    sizes = store.run(step).result.summary
    assert sizes == {"converted": 3, "not_converted": 2}
    assert {
        row["event_name"]: (row["converted"], row["not_converted"])
        for row in result(store, step)["rows"]
    } == {
        "help": (3, 0),
        "error": (0, 2),
    }
    had = result(store, replace(step, of="attributes"))
    assert [(row["value"], row["converted"], row["not_converted"]) for row in had["rows"]] == [
        ("pro", 3, 0),
        ("free", 0, 2),
    ]
    to_b = store.run(Drivers(steps=STEPS, to_step=2)).result.summary
    assert to_b == {"converted": 5, "not_converted": 9}
    with pytest.raises(UsageError, match="no way from 1 to 4 of 3"):
        store.run(Drivers(steps=STEPS, to_step=4))


def test_who_may_still_come_to_the_step_is_no_driver_and_who_left_it_out_is(tmp_path):
    steps = ("a", "b optional", "c")
    events = at_minutes(ada="a@0 b@1 c@2", bob="a@0 c@1", eve="a@0")
    store = store_of(tmp_path, events, clock=FrozenClock(NOON + 5 * MINUTE))
    written = tuple(map(step_of_text, steps))
    query = Drivers(steps=written, window=10 * MINUTE, to_step=2)
    sizes = store.run(query).result.summary
    assert sizes == {"converted": 1, "not_converted": 1}


@pytest.mark.parametrize(
    ("user", "options", "outcome", "level", "by"),
    [
        ("ada", {}, "converted", 2, None),
        ("bob", {}, "stopped", 1, None),
        ("bob", {"exclude": ("x",)}, "spoiled", 1, "x"),
        ("eve", {"window": 5 * MINUTE}, "too late", 1, "b"),
        ("eve", {"order": "strict"}, "broken", 1, "x"),
        ("zoe", {}, "never began", 0, None),
        ("nobody", {}, "never began", 0, None),
    ],
)
def test_why_says_what_ended_the_attempt_that_counts(tmp_path, user, options, outcome, level, by):
    events = at_minutes(ada="a@0 b@1", bob="a@0 x@1", eve="a@0 x@5 b@6", zoe="b@0")
    store = store_of(tmp_path, events, clock=LATER)
    told = result(store, Why(steps=("a", "b"), user=user, **options))
    assert (told["outcome"], told["level"], told.get("ended_by")) == (outcome, level, by)


def test_why_knows_a_device_as_its_user(tmp_path):
    store = store_of(tmp_path, events_of(DEVICES), clock=LATER)
    for name in ("ada", "phone"):
        assert result(store, Why(steps=("a", "b"), user=name))["level"] == 2
    assert result(store, Why(steps=("a", "b"), user="phone", link=False))["level"] == 1


def test_still_possible_is_an_outcome(tmp_path):
    store = store_of(tmp_path, at_minutes(ada="a@0"), clock=FrozenClock(NOON + MINUTE))
    assert result(store, Why(steps=("a", "b"), user="ada"))["outcome"] == "still possible"
