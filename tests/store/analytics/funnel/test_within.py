"""Steps with a time of their own, as journeys: ties, repeats and edges first."""

from datetime import timedelta

import pytest

from store.analytics.funnel.drivers import Drivers
from store.analytics.funnel.trend import FunnelTrend
from store.analytics.funnel.why import Why
from store.analytics.query_json import answer_json
from store.testing import NOON, FrozenClock, store_of
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes, times, told

ORDERS = pytest.mark.parametrize("order", ["ordered", "strict"])
LATER = FrozenClock(NOON + timedelta(days=9))


def soon(name, minutes=10, **more):
    return {"name": name, "within": f"{minutes}m", **more}


def result(store, query):
    return answer_json(store.run(query))["result"]


@ORDERS
def test_the_end_of_a_steps_time_is_inside(order):
    events = at_minutes(ada="a@0 b@10", bob="a@0 b@10.001")
    assert told(events, "a", soon("b"), order=order) == (2, 1)


@ORDERS
def test_at_one_instant_no_time_has_passed(order):
    events = at_minutes(ada="b@0 a@0", bob="a@0 b@0 c@0")
    steps = ("a", soon("b", 1), soon("c", 1))
    assert told(events, *steps, order=order) == (2, 2, 1)


@ORDERS
def test_it_is_the_time_since_the_step_before_not_since_the_first(order):
    events = at_minutes(ada="a@0 b@60 c@69", bob="a@0 b@60 c@71")
    assert told(events, "a", "b", soon("c"), order=order) == (2, 2, 1)


@ORDERS
def test_the_window_holds_beside_it(order):
    events = at_minutes(ada="a@0 b@8 c@16", bob="a@0 b@8 c@14")
    steps = ("a", soon("b"), soon("c"))
    assert told(events, *steps, order=order, window=15 * MINUTE) == (2, 2, 1)


@ORDERS
def test_a_repeat_of_the_step_before_may_lead_on(order):
    events = at_minutes(ada="a@0 b@1 b@5 c@8")
    assert times(events, "a", "b", soon("c", 3), order=order) == {"ada": [0, 5, 8]}
    assert times(events, "a", "b", soon("c", 7), order=order) == {"ada": [0, 1, 8]}


@ORDERS
def test_a_repeat_that_itself_comes_too_late_leads_nowhere(order):
    events = at_minutes(ada="a@0 b@1 b@5 c@8")
    assert times(events, "a", soon("b", 3), soon("c", 3), order=order) == {"ada": [0, 1]}


@ORDERS
def test_of_the_repeats_that_lead_on_the_earliest_counts(order):
    events = at_minutes(ada="a@0 b@1 b@5 b@6 b@7 c@8")
    assert times(events, "a", "b", soon("c", 3), order=order) == {"ada": [0, 5, 8]}


def test_strict_what_comes_too_late_ends_the_run():
    events = at_minutes(ada="a@0 b@1 c@8 b@9 c@10")
    steps = ("a", "b", soon("c", 3))
    assert times(events, *steps) == {"ada": [0, 9, 10]}
    assert times(events, *steps, order="strict") == {"ada": [0, 1]}


def test_equal_steps_within_a_time_are_so_many_times_so_close():
    events = at_minutes(ada="buy@0 buy@4 buy@6", bob="buy@0 buy@9 buy@20", eve="buy@0 buy@0")
    assert told(events, "buy", soon("buy", 5), soon("buy", 5)) == (3, 2, 1)


def test_after_an_optional_step_it_is_the_time_since_the_required_one():
    coupon = {"name": "coupon", "optional": True}
    events = at_minutes(ada="cart@0 coupon@5 pay@11", bob="cart@0 coupon@5 pay@10")
    assert told(events, "cart", coupon, soon("pay")) == (2, 2, 1)


def test_an_optional_step_counts_only_in_its_time_and_holds_nobody_up():
    coupon = soon("coupon", 3, optional=True)
    events = at_minutes(ada="cart@0 coupon@4 pay@11", bob="cart@0 coupon@3 pay@10")
    assert told(events, "cart", coupon, "pay") == (2, 1, 2)


def test_an_attempt_expires_with_the_time_of_the_step_that_it_waits_for():
    events = at_minutes(ada="a@0 a@9 a@20 b@25")
    assert told(events, "a", soon("b"), count="attempts") == (2, 1)
    assert told(events, "a", "b", count="attempts") == (1, 1)


def test_who_waits_longer_than_the_steps_time_cannot_come_any_more():
    events = at_minutes(ada="a@0", bob="a@5", eve="a@0 b@9")
    step = asked(events, "a", soon("b"), soon("c"), as_of=NOON + 12 * MINUTE)["steps"]
    assert [each["still_possible"] for each in step] == [0, 1, 1]
    assert [each["drop_off"] for each in step] == [0, 1, 0]


@ORDERS
def test_a_repeat_that_may_yet_come_keeps_the_way_open(order):
    events = at_minutes(ada="a@0 b@1")
    now = {"as_of": NOON + 8 * MINUTE, "order": order}
    assert asked(events, "a", soon("b"), soon("c", 3), **now)["steps"][2]["still_possible"] == 1
    assert asked(events, "a", soon("b", 7), soon("c", 3), **now)["steps"][2]["drop_off"] == 1


def test_without_a_window_the_steps_times_tell_how_far_to_read_and_when_all_is_over(tmp_path):
    store = store_of(tmp_path, at_minutes(ada="a@9 b@15 c@24", bob="a@9 c@40"), clock=LATER)
    query = FunnelTrend(
        steps=("a", soon("b"), soon("c")),
        window=None,
        span=TimeSpan(NOON, NOON + 10 * MINUTE),
        interval=10 * MINUTE,
    )
    answer = store.run(query)
    assert answer.events_scanned == 4
    assert [(p["entered"], p["converted"]) for p in answer_json(answer)["result"]["points"]] == [
        (2, 1)
    ]


def test_another_window_leaves_the_steps_times(tmp_path):
    events = at_minutes(ada="a@0 b@9 c@18", bob="a@0 b@11 c@12")
    found = asked(events, "a", soon("b"), "c", window=10 * MINUTE, sensitivity=True)
    assert [one["conversion"] for one in found["sensitivity"]] == [0, 0, 0.5, 0.5]


@pytest.mark.parametrize("attribution", ["first", "last", "step:2", "step:3"])
def test_a_breakdown_counts_the_same_people(attribution):
    events = at_minutes(ada="a@0:pro b@1:pro b@5:pro c@8:pro", bob="a@0:free b@1:free c@9:free")
    steps = ("a", "b", soon("c", 3))
    found = asked(events, *steps, by=("plan",), attribution=attribution)["breakdown"]
    counts = {group["key"]["plan"]: [s["count"] for s in group["steps"]] for group in found}
    whole = {"pro": [1, 1, 1], "free": [1, 1, 0]}
    assert counts == ({"pro": [1, 1, 1]} if attribution == "step:3" else whole)
    assert all(s["median_seconds"] == 180 for s in found[0]["steps"][2:] if s["count"])


def test_what_is_excluded_spoils_the_chain_that_counts():
    events = at_minutes(ada="a@0 b@1 x@2 b@5 c@8", bob="a@0 b@1 b@5 x@6 c@8")
    exclude = ({"name": "x", "after": 2, "before": 3},)
    assert told(events, "a", "b", soon("c", 3), exclude=exclude) == (1, 1, 1)


@ORDERS
def test_why_names_until_when_a_step_had_to_come_and_what_came_too_late(tmp_path, order):
    store = store_of(tmp_path, at_minutes(ada="a@0 b@1 b@5 c@20"), clock=LATER)
    found = result(store, Why(user="ada", steps=("a", "b", soon("c", 3)), order=order))
    assert (found["outcome"], found["ended_by"], found["level"]) == ("too late", "c", 2)
    assert found["step_ends"] == found["steps"][2]["until"]
    assert [row["until"] for row in found["steps"]] == [None, None, "2026-11-22T12:08:00Z"]


def test_drivers_look_no_longer_than_the_steps_times_at_those_who_did_not_come(tmp_path):
    events = at_minutes(ada="a@0 x@1 b@2", bob="a@0 y@9 b@20", eve="a@0 z@11")
    store = store_of(tmp_path, events, clock=LATER)
    found = result(store, Drivers(steps=("a", soon("b"))))
    assert {row["event_name"] for row in found["rows"]} == {"x", "y"}


def test_how_parts_are_kept_does_not_hang_on_the_steps_times():
    from store.analytics.funnel.analysis import Funnel

    one, other = (Funnel(steps=("a", soon("b", minutes))) for minutes in (1, 2))
    assert one.key() == other.key()
