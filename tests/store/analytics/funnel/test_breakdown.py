"""Breakdowns: to whose numbers an attempt belongs."""

import pytest

from tests.store.analytics.funnel.asking import asked, at_minutes


def by_plan(events, *steps, by=("plan",), **options):
    found = asked(events, *steps, by=by, **options)
    return {
        (*group["key"].values(), *(["folded"] if "folded" in group else [])): tuple(
            step["count"] for step in group["steps"]
        )
        for group in found["breakdown"]
    }


EVENTS = at_minutes(
    ada="a@0 b@1:pro c@2:free",
    bob="a@0:free b@1:pro b@2:free",
    eve="a@0 b@1",
)


def test_the_first_value_that_is_not_empty_counts():
    assert by_plan(EVENTS, "a", "b", "c") == {
        ("",): (1, 1, 0),
        ("free",): (1, 1, 0),
        ("pro",): (1, 1, 1),
    }


def test_or_the_last():
    assert by_plan(EVENTS, "a", "b", "c", attribution="last") == {
        ("",): (1, 1, 0),
        ("free",): (2, 2, 1),
    }


def test_or_that_of_a_step_for_those_who_came_there_under_each_of_them():
    assert by_plan(EVENTS, "a", "b", "c", attribution="step:2") == {
        ("",): (1, 1, 0),
        ("free",): (1, 1, 0),
        ("pro",): (2, 2, 1),
    }
    assert by_plan(EVENTS, "a", "b", "c", attribution="step:3") == {("free",): (1, 1, 1)}


def test_or_each_value_is_a_funnel_of_its_own():
    assert by_plan(EVENTS, "a", "b", "c", attribution="all") == {
        ("",): (2, 1, 0),
        ("free",): (1, 1, 0),
    }


def test_with_a_value_of_its_own_what_is_excluded_spoils_only_that():
    events = at_minutes(ada="a@0:pro x@1:free b@2:pro", bob="a@0:pro x@1:pro b@2:pro")
    assert by_plan(events, "a", "b", exclude=("x",), attribution="all") == {("pro",): (1, 1)}


def test_of_one_instant_the_smaller_id_comes_first():
    events = at_minutes(ada="a@0:x a@0:b", bob="a@0:b a@0:x")
    assert by_plan(events, "a") == {("b",): (1,), ("x",): (1,)}


@pytest.mark.parametrize("attribution", ["first", "last", "step:1", "all"])
def test_values_past_the_limit_are_one_folded_row_by_who_began(attribution):
    people = {f"u{at}": "a@0:big b@1:big" for at in range(3)}
    people |= {"v": "a@0:other", "w": "a@0:small b@1:small", "x": "b@0:late b@1:late"}
    found = by_plan(at_minutes(**people), "a", "b", limit=1, attribution=attribution)
    assert found == {("big",): (3, 3), ("", "folded"): (2, 1)}


@pytest.mark.parametrize("attribution", ["step:1", "all"])
def test_who_is_under_several_folded_values_counts_once_with_his_best(attribution):
    events = at_minutes(a="a@0:p", b="a@0:p", ada="a@0:q a@1:r b@2:r")
    found = by_plan(events, "a", "b", limit=1, attribution=attribution)
    assert found == {("p",): (2, 0), ("", "folded"): (1, 1)}


def test_several_at_once():
    events = at_minutes(ada="a@0:pro b@1", bob="a@0")
    found = by_plan(events, "a", "b", by=("plan", "event_name"))
    assert found == {("pro", "a"): (1, 1), ("", "a"): (1, 0)}


def test_the_steps_of_all_stand_beside():
    found = asked(EVENTS, "a", "b", "c", by=("plan",), attribution="step:3")
    assert [step["count"] for step in found["steps"]] == [3, 3, 1]


def test_attempts_are_broken_down_as_well():
    events = at_minutes(ada="a@0:p b@1 a@2:q b@3", bob="a@0:q")
    options = {"count": "attempts", "attribution": "step:1"}
    assert by_plan(events, "a", "b", **options) == {("q",): (2, 1), ("p",): (1, 1)}
