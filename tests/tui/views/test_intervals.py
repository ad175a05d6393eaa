from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from store.timespan import TimeSpan
from tui.view_state import LENGTHS
from tui.views.intervals import interval_for, points_of

NOW = datetime(2026, 11, 22, 14, 3, 29, tzinfo=UTC)


@given(st.sampled_from(LENGTHS), st.integers(20, 300))
def test_there_are_never_more_points_than_columns_and_not_far_fewer(length, columns):
    points = length / interval_for(length, columns)
    assert points <= columns
    assert points > columns / 3 or length / columns < timedelta(milliseconds=1)


@given(st.sampled_from(LENGTHS), st.integers(0, 86_400))
def test_the_number_of_points_stays_as_time_goes_on(length, second):
    interval = interval_for(length, 52)
    end = NOW + timedelta(seconds=second)
    assert points_of(TimeSpan(end - length, end), interval) == round(length / interval)


def test_a_quarter_of_an_hour_is_cut_at_round_seconds():
    assert interval_for(timedelta(minutes=15), 52) == timedelta(seconds=20)
    assert interval_for(timedelta(minutes=15), 72) == timedelta(seconds=15)
