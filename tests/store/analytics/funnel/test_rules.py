"""What a funnel counts, rule by rule, as journeys."""

from datetime import timedelta

import pytest

from store.testing import NOON, events_of, journeys
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import (
    MINUTE,
    asked,
    at_minutes,
    counts,
    times,
    told,
)


def test_paying_before_signing_up_is_no_conversion():
    assert counts("signup", "pay", ada="signup pay", bob="pay signup") == (2, 1)


def test_other_events_between_are_fine():
    assert counts("signup", "pay", ada="signup look look pay") == (1, 1)


def test_a_user_counts_once_with_the_deepest_of_his_attempts():
    assert counts("a", "b", "c", ada="a a b a b c a") == (1, 1, 1)


def test_the_end_of_the_window_is_inside():
    events = at_minutes(ada="a@0 b@10", bob="a@0 b@10.001")
    assert told(events, "a", "b", window=10 * MINUTE) == (2, 1)


def test_the_window_begins_with_the_first_step_not_with_the_one_before():
    events = at_minutes(ada="a@0 b@6 c@11", bob="a@0 b@6 c@10")
    assert told(events, "a", "b", "c", window=10 * MINUTE) == (2, 2, 1)


def test_the_window_is_a_day_unless_told_and_none_is_no_limit():
    events = at_minutes(ada="a@0 b@1440", bob="a@0 b@1441")
    assert told(events, "a", "b") == (2, 1)
    assert told(events, "a", "b", window=None) == (2, 2)


def test_what_expired_can_be_tried_again():
    events = at_minutes(ada="a@0 b@5 a@20 b@21 c@22")
    assert times(events, "a", "b", "c", window=10 * MINUTE) == {"ada": [20, 21, 22]}


def test_a_repeated_first_step_counts_from_the_last_of_them():
    assert times(at_minutes(ada="a@0 a@3 b@4"), "a", "b") == {"ada": [3, 4]}


def test_a_repeat_of_a_step_that_was_reached_changes_nothing():
    assert times(at_minutes(ada="a@0 b@1 b@2 c@3"), "a", "b", "c") == {"ada": [0, 1, 3]}


def test_who_does_not_go_on_is_where_he_first_was():
    assert times(at_minutes(ada="a@0 a@5", bob="b@1"), "a", "b") == {"ada": [0]}


def test_a_newer_chain_takes_over_only_once_it_came_as_far():
    events = at_minutes(ada="a@0 b@1 a@2 c@3", bob="a@0 b@1 a@2 b@3 c@4")
    assert times(events, "a", "b", "c") == {"ada": [0, 1, 3], "bob": [2, 3, 4]}


def test_the_first_conversion_counts_not_a_quicker_one_later():
    assert times(at_minutes(ada="a@0 b@90 a@100 b@101"), "a", "b") == {"ada": [0, 90]}


def test_equal_steps_mean_so_many_times():
    assert counts("buy", "buy", "buy", ada="buy buy buy", bob="buy buy", eve="buy") == (3, 2, 1)


def test_one_event_fills_one_step():
    assert counts("*", "pay", ada="pay", bob="look pay") == (2, 1)


@pytest.mark.parametrize("order", ["ordered", "strict", "unordered"])
def test_what_happened_at_one_instant_is_taken_in_step_order(order):
    events = at_minutes(ada="c@0 a@0 b@0", bob="a@0 c@0")
    assert told(events, "a", "b", "c", order=order)[:2] == (2, 2 if order == "unordered" else 1)
    assert told(events, "a", "b", order=order)[1] == 1


def test_each_event_of_an_instant_is_used_once():
    assert told(at_minutes(ada="a@0", bob="a@0 a@0"), "a", "a") == (2, 1)


def test_an_event_that_is_several_steps_of_an_instant_comes_after_one_that_is_the_first_alone():
    assert told(at_minutes(ada="pay@0 look@0"), "*", "pay") == (1, 1)


@pytest.mark.parametrize("order", ["ordered", "strict"])
def test_of_one_instant_step_after_step_takes_an_event(order):
    events = at_minutes(ada="a@0 a@0 b@0 c@1", bob="b@0 a@0", eve="a@0 b@1 a@1")
    assert told(events, "a", "b", "a", order=order) == (3, 3, 1)
    assert told(events, "a", "b", "a", "c", order=order) == (3, 3, 1, 1)


def test_an_event_that_is_of_use_later_is_left_for_then():
    where = [{"name": "*", "where": f"event_name~{letter}"} for letter in "abc"]
    assert told(at_minutes(ada="ab@0 ac@0"), *where) == (1, 1, 0)
    assert told(at_minutes(ada="ab@0 ac@0 c@1"), *where) == (1, 1, 1)


def test_strict_a_foreign_event_breaks_the_run():
    people = {"ada": "a b", "bob": "a x b", "eve": "a x a b"}
    assert counts("a", "b", options={"order": "strict"}, **people) == (3, 2)


def test_strict_a_repeat_of_the_step_just_reached_does_not():
    people = {"ada": "a a b b c", "bob": "a b a c"}
    assert counts("a", "b", "c", options={"order": "strict"}, **people) == (2, 2, 1)


def test_strict_a_step_out_of_turn_does():
    assert counts("a", "b", "c", options={"order": "strict"}, ada="a c b c") == (1, 0, 0)


def test_strict_only_what_is_named_can_break_it():
    people = {"ada": "a heartbeat b", "bob": "a x b"}
    options = {"order": "strict", "break_on": "event_name=x"}
    assert counts("a", "b", options=options, **people) == (2, 1)


def test_unordered_any_step_opens_and_row_n_means_n_of_them():
    people = {"ada": "c a b", "bob": "b x b", "eve": "c b"}
    assert counts("a", "b", "c", options={"order": "unordered"}, **people) == (3, 2, 1)


def test_unordered_they_must_lie_in_one_window():
    events = at_minutes(ada="b@0 a@10", bob="a@0 b@11 c@20")
    options = {"order": "unordered", "window": 10 * MINUTE}
    assert told(events, "a", "b", "c", **options) == (2, 2, 0)
    assert times(events, "a", "b", "c", **options) == {"ada": [0, 10], "bob": [11, 20]}


def test_who_did_what_is_excluded_leaves_the_funnel():
    assert counts("a", "b", options={"exclude": ("x",)}, ada="a x b", bob="a b", eve="x a b x") == (
        2,
        2,
    )


def test_a_clean_attempt_as_deep_saves_him_and_a_shallower_one_does_not():
    people = {"ada": "a x b a b", "bob": "a x b a"}
    assert counts("a", "b", options={"exclude": ("x",)}, **people) == (1, 1)


def test_what_is_excluded_counts_between_its_steps_alone():
    exclude = ({"name": "x", "after": 2, "before": 3},)
    people = {"ada": "a x b c", "bob": "a b x c", "eve": "a b c x"}
    assert counts("a", "b", "c", options={"exclude": exclude}, **people) == (2, 2, 2)


def test_what_is_excluded_counts_inside_the_window_alone():
    events = at_minutes(ada="a@0 x@10", bob="a@0 x@10.1")
    assert told(events, "a", "b", exclude=("x",), window=10 * MINUTE) == (1, 0)


def test_what_is_excluded_at_the_same_instant_does_nothing():
    events = at_minutes(ada="a@0 x@0 b@1", bob="a@0 b@1 x@1", eve="a@0 x@0.5 b@1")
    assert told(events, "a", "b", exclude=("x",)) == (2, 2)


def test_unordered_what_is_excluded_wipes_out_what_was_done_so_far():
    people = {"ada": "a x b", "bob": "a x b a"}
    options = {"order": "unordered", "exclude": ("x",)}
    assert counts("a", "b", options=options, **people) == (2, 1)


OPTIONAL = ({"name": "coupon", "optional": True},)


def test_an_optional_step_may_be_left_out():
    steps = ("cart", *OPTIONAL, "pay")
    found = asked(journeys(ada="cart coupon pay", bob="cart pay", eve="cart coupon"), *steps)
    assert [step["count"] for step in found["steps"]] == [3, 2, 2]
    assert [step["conversion_from_previous"] for step in found["steps"]] == [1, 2 / 3, 2 / 3]
    assert [step["drop_off"] for step in found["steps"]] == [0, 0, 1]


def test_an_optional_step_that_was_left_out_has_no_time():
    events = at_minutes(ada="cart@0 pay@3", bob="cart@0 coupon@1 pay@3")
    steps = ("cart", *OPTIONAL, "pay")
    assert times(events, *steps) == {"ada": [0, None, 3], "bob": [0, 1, 3]}
    assert asked(events, *steps)["steps"][2]["median_seconds"] == 150


def test_a_first_time_step_is_the_first_in_all_history():
    day = timedelta(days=1)
    rows = [
        {"event_name": name, "user_id": who, "event_time": NOON + days * day}
        for who, name, days in [
            ("ada", "login", -9),
            ("ada", "login", 0),
            ("bob", "login", 0.1),
            ("bob", "login", 0.2),
        ]
    ]
    login = {"name": "login", "first_time": True}
    assert times(events_of(rows), login) == {"bob": [144]}
    assert told(events_of(rows), "login") == (2,)


def test_a_first_time_step_with_a_filter_is_the_first_that_fits():
    events = at_minutes(ada="buy@0:free buy@1:pro buy@2:pro")
    step = {"name": "buy", "where": "plan=pro", "first_time": True}
    assert times(events, step) == {"ada": [1]}


def test_steps_have_filters():
    events = at_minutes(ada="buy@0:pro", bob="buy@0:free", eve="buy@0")
    assert told(events, {"name": "buy", "where": "plan=pro"}) == (1,)
    assert told(events, {"name": "*", "where": {"plan": {"$exists": True}}}) == (2,)


def test_an_attempt_begins_in_the_span_and_may_end_after_it():
    events = at_minutes(ada="a@59 b@61", bob="a@60 b@61", eve="a@-1 b@1")
    hour = TimeSpan(NOON, NOON + 60 * MINUTE)
    assert told(events, "a", "b", span=hour) == (1, 1)


def test_whose_window_is_open_is_no_drop_off():
    events = at_minutes(ada="a@0", bob="a@0 b@1", eve="a@50")
    found = asked(events, "a", "b", window=30 * MINUTE, as_of=NOON + 60 * MINUTE)
    last = found["steps"][1]
    assert (last["count"], last["drop_off"], last["still_possible"]) == (1, 1, 1)


def test_strict_what_was_broken_is_not_open():
    events = at_minutes(ada="a@0 x@1")
    asked_now = {"window": 30 * MINUTE, "as_of": NOON + 5 * MINUTE}
    assert asked(events, "a", "b", **asked_now)["steps"][1]["still_possible"] == 1
    strict = asked(events, "a", "b", order="strict", **asked_now)["steps"][1]
    assert (strict["still_possible"], strict["drop_off"]) == (0, 1)


def test_shares_of_nobody_are_nothing_and_no_error():
    found = asked(journeys(ada="x"), "a", "b")
    assert found["steps"][1] == {
        "step": "b",
        "count": 0,
        "conversion": 0.0,
        "conversion_from_previous": 0.0,
        "drop_off": 0,
        "still_possible": 0,
        "median_seconds": None,
        "mean_seconds": None,
        "of": 0,
        "conversion_interval": [0.0, 1.0],
    }


def test_shares_of_the_first_step_and_of_the_one_before_with_how_sure_they_are():
    found = asked(journeys(a="a b c", b="a b", c="a b", d="a"), "a", "b", "c")
    assert [step["conversion"] for step in found["steps"]] == [1, 0.75, 0.25]
    assert [step["conversion_from_previous"] for step in found["steps"]] == [1, 0.75, 1 / 3]
    assert [step["of"] for step in found["steps"]] == [4, 4, 3]
    # As statsmodels' proportion_confint(1, 4, method="wilson") has it.
    assert found["steps"][2]["conversion_interval"] == pytest.approx([0.0456, 0.6994], abs=1e-4)


def test_times_are_of_the_attempt_that_counts_median_and_mean():
    events = at_minutes(ada="a@0 b@1", bob="a@0 b@2", eve="a@0 b@9 a@10 b@11")
    step = asked(events, "a", "b")["steps"][1]
    assert (step["median_seconds"], step["mean_seconds"]) == (120, 240)


def test_attempts_do_not_overlap():
    events = at_minutes(ada="a@0 b@1 a@2 b@3 a@4", bob="a@0 a@1 b@2")
    assert told(events, "a", "b", count="attempts") == (4, 3)


def test_the_next_attempt_begins_after_the_last_one_expired():
    events = at_minutes(ada="a@0 a@5 a@10 a@10.5 b@12")
    assert told(events, "a", "b", count="attempts", window=10 * MINUTE) == (2, 1)


def test_events_without_the_attribute_belong_to_nobody():
    rows = [
        {"event_name": name, "user_id": "ada", "session_id": session}
        for name, session in [("a", "s"), ("b", "t"), ("a", "t"), ("b", "t"), ("a", None)]
    ]
    assert told(events_of(rows), "a", "b", per="session_id") == (2, 1)
    assert told(events_of(rows), "a", "b") == (1, 1)


def test_other_windows_show_whether_the_share_hangs_on_it():
    events = at_minutes(a="a@0 b@4", b="a@0 b@9", c="a@0 b@19", d="a@0 b@39")
    found = asked(events, "a", "b", window=10 * MINUTE, sensitivity=True)["sensitivity"]
    assert [(one["window_seconds"] / 60, one["conversion"]) for one in found] == [
        (5, 0.25),
        (10, 0.5),
        (20, 0.75),
        (40, 1),
    ]


def test_more_steps_than_fit_a_byte():
    names = [f"s{at}" for at in range(40)]
    assert counts(*names, ada=" ".join(names), bob=" ".join(names[:33]))[32:34] == (2, 1)
