"""Which clocks are believed, as a table."""

from datetime import timedelta

import pytest

from store.maintenance.believed import Belief, believed
from store.testing import NOON

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("ran", "held", "ahead", "expected", "then_held"),
    [
        (0 * HOUR, 0 * HOUR, 0 * DAY, 0 * DAY, 0 * HOUR),
        (1 * HOUR, 0 * HOUR, 1 * HOUR, 1 * HOUR, 0 * HOUR),
        (0 * HOUR, 0 * HOUR, 2 * DAY, 2 * DAY, 0 * HOUR),
        (1 * HOUR, 0 * HOUR, 3 * DAY, 1 * HOUR, 1 * HOUR),
        (1 * HOUR, 5 * HOUR, 900 * DAY, 1 * HOUR, 6 * HOUR),
        (1 * HOUR, 23 * HOUR, 900 * DAY, 900 * DAY, 0 * HOUR),
        (1 * HOUR, 5 * HOUR, 1 * HOUR, 1 * HOUR, 0 * HOUR),
        (30 * DAY, 0 * HOUR, 31 * DAY, 31 * DAY, 0 * HOUR),
        (-9 * DAY, 4 * HOUR, 5 * DAY, 0 * DAY, 4 * HOUR),
        (1 * HOUR, 0 * HOUR, -900 * DAY, -900 * DAY, 0 * HOUR),
    ],
)
def test_a_later_time_is_believed_once_it_has_lasted(ran, held, ahead, expected, then_held):
    before = Belief(NOON, 1e6, held)
    found = believed(before, NOON + ahead, 1e6 + ran.total_seconds(), NOON)
    assert found == Belief(NOON + expected, 1e6 + ran.total_seconds(), then_held)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [(None, NOON), (NOON - DAY, NOON), (NOON - 9 * DAY, NOON - 9 * DAY), (NOON + DAY, NOON)],
)
def test_the_first_round_believes_what_came_in(newest, expected):
    assert believed(None, NOON, 5.0, newest).time == expected


def test_a_belief_is_noted_and_read_again():
    belief = Belief(NOON, 12.5, 3 * HOUR)
    assert Belief.parse(belief.note()) == belief
    for other in (None, {}, [], {"time": "soon", "ticks": 1, "held": 2}, {"time": 3}):
        assert Belief.parse(other) is None
