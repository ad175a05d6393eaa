"""Who took longer than some time through a funnel."""

from datetime import timedelta

import pytest

from store.errors import UsageError
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes

PEOPLE = {"ada": "a@0 b@5 c@10", "bob": "a@0 b@5 c@10.001", "eve": "a@0 b@20", "zoe": "a@0"}


def slower(minutes, *steps, people=PEOPLE, **options):
    found = asked(at_minutes(**people), *steps, users=True, slower_than=minutes * MINUTE, **options)
    return set(found["users"]), [step["count"] for step in found["steps"]]


def test_it_is_the_time_from_the_first_step_to_the_last_that_was_reached():
    assert slower(10, "a", "b", "c")[0] == {"bob", "eve"}


def test_as_long_as_that_is_not_slower():
    assert slower(20, "a", "b", "c")[0] == set()


def test_who_came_to_one_step_alone_took_no_time_at_all():
    assert slower(0, "a", "b", "c")[0] == {"ada", "bob", "eve"}


def test_the_numbers_stay_those_of_everybody():
    assert slower(10, "a", "b", "c")[1] == [4, 3, 2]


def test_it_is_the_attempt_that_counts():
    assert slower(3, "a", "b", people={"ada": "a@0 a@9 b@10"})[0] == set()


def test_a_step_that_was_left_out_does_not_matter():
    coupon = {"name": "c", "optional": True}
    assert slower(3, "a", coupon, "b", people={"ada": "a@0 b@5", "bob": "a@0 b@1"})[0] == {"ada"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"users": True, "slower_than": -MINUTE}, "less than no time"),
        ({"slower_than": timedelta(minutes=1)}, "add --users"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(options, says):
    from store.analytics.funnel.analysis import Funnel, FunnelAnalysis

    with pytest.raises(UsageError, match=says):
        FunnelAnalysis().horizon(Funnel(steps=("a", "b"), **options))
