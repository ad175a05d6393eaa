"""What well-known systems promise of their funnels, as facts in our own journeys.

ClickHouse: https://clickhouse.com/docs/sql-reference/aggregate-functions/parametric-functions
PostHog: the cases of its funnel tests, where its present engine and ours mean the same.
"""

from itertools import permutations

import pytest

from store.testing import NOON, events_of
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes, counts, times, told

DAY = 24 * 60


def test_clickhouse_its_own_example_reaches_the_fourth_of_four():
    # search, buy, view and order of one user, whatever the order of the rows.
    events = at_minutes(u=f"search@0 view@{2 * DAY - 60} buy@{DAY - 120} order@{4 * DAY - 120}")
    window = 7 * DAY * MINUTE
    assert told(events, "search", "buy", "view", "order", window=window) == (1, 1, 1, 1)


@pytest.mark.parametrize("names", permutations("abcd"))
def test_clickhouse_events_of_one_second_reach_the_same_level_in_any_order(names):
    rows = [{"event_name": name, "user_id": "u", "event_time": NOON} for name in names]
    assert told(events_of(rows), "a", "b", "c", "d") == (1, 1, 1, 1)


def test_clickhouse_strict_order_stops_where_another_event_intervenes():
    assert counts("a", "b", "c", options={"order": "strict"}, u="a b d c") == (1, 1, 0)


def test_clickhouse_steps_of_the_same_name_need_as_many_events():
    assert counts("a", "a", u="a", v="a a") == (2, 1)


def test_clickhouse_a_user_who_steps_back_still_converts():
    # Asked for there as `allow_reentry`.
    assert counts("a", "b", "c", u="a b a b c", v="a b a c") == (2, 2, 2)


def test_posthog_who_skips_a_step_does_not_come_to_the_next():
    people = {"p1": "sign play buy", "p2": "sign play", "p3": "sign buy", "p4": "play buy"}
    assert counts("sign", "play", "buy", **people) == (3, 2, 1)


def test_posthog_the_first_conversion_times_not_the_mean_of_all():
    # The older engine said 6300 seconds, the mean of 5400 and 7200.
    events = at_minutes(p="a@0 b@90 a@200 b@320")
    assert asked(events, "a", "b")["steps"][1]["mean_seconds"] == 5400


def test_posthog_a_window_that_is_missed_by_a_repeat_begins_anew():
    events = at_minutes(p="a@0 b@20 a@30 b@32 c@39", q="a@0 b@9 c@11")
    assert told(events, "a", "b", "c", window=10 * MINUTE) == (2, 2, 1)


def test_posthog_an_exclusion_takes_a_person_out_of_the_first_step_too():
    people = {"p1": "sign x pay", "p2": "sign pay", "p3": "x sign pay", "p4": "sign pay x"}
    assert counts("sign", "pay", options={"exclude": ("x",)}, **people) == (3, 3)


def test_posthog_several_exclusions_each_have_their_place():
    people = {"p1": "a x b c", "p2": "a y b c", "p3": "a b x c", "p4": "a b y c", "p5": "a b c"}
    exclude = ({"name": "x", "after": 1, "before": 2}, {"name": "y", "after": 2, "before": 3})
    assert counts("a", "b", "c", options={"exclude": exclude}, **people) == (3, 3, 3)


def test_posthog_unordered_steps_need_no_first_one():
    people = {"p1": "c b a", "p2": "b a", "p3": "c", "p4": "x"}
    assert counts("a", "b", "c", options={"order": "unordered"}, **people) == (3, 2, 1)


def test_posthog_strict_steps_follow_each_other_directly():
    people = {"p1": "a b c", "p2": "a x b c", "p3": "a b x c", "p4": "x a b c x"}
    assert counts("a", "b", "c", options={"order": "strict"}, **people) == (4, 3, 2)


def test_posthog_a_person_is_under_each_value_he_had_at_the_step():
    events = at_minutes(p="sign@0:chrome sign@1:safari buy@2", q="sign@0:chrome", r="buy@0:opera")
    found = asked(events, "sign", "buy", by=("plan",), attribution="step:1")["breakdown"]
    assert {g["key"]["plan"]: [s["count"] for s in g["steps"]] for g in found} == {
        "chrome": [2, 1],
        "safari": [1, 1],
    }


def test_posthog_an_optional_step_is_not_needed_for_the_next():
    events = at_minutes(p="a@0 b@1 c@2", q="a@0 c@2", r="a@0 b@1")
    steps = ("a", {"name": "b", "optional": True}, "c")
    assert told(events, *steps) == (3, 2, 2)
    assert times(events, *steps)["q"] == [0, None, 2]
