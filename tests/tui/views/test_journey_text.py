"""Ways in the text of a view."""

from hypothesis import given
from hypothesis import strategies as st

from tui.views.journey_text import names_of_text, text_of_names, text_of_ways, ways_of_text

NAMES = st.text(st.sampled_from("ab>|\\ é"), min_size=1, max_size=5)
WAY = st.lists(NAMES, min_size=1, max_size=4).map(tuple)


@given(WAY)
def test_any_names_survive_being_written(names):
    assert names_of_text(text_of_names(names)) == names


@given(st.sets(WAY, max_size=4))
def test_any_ways_survive_being_written(ways):
    assert ways_of_text(text_of_ways(ways)) == ways


def test_plain_names_stand_as_they_are():
    assert text_of_ways([("search", "sign up"), ("pay",)]) == "pay|search>sign up"
    assert names_of_text("") == ()
    assert ways_of_text("|") == frozenset()
