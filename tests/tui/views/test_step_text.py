import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.analytics.funnel.steps import step_of_text
from tui.views.step_text import joined, piece_at, pieces, split_steps, step_text


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("page_view,signup , pay", ("page_view", "signup", "pay")),
        ("page_view ▸ signup ▸ pay", ("page_view", "signup", "pay")),
        ("a,,b,", ("a", "b")),
        ("signup where plan=pro,team, pay", ("signup where plan=pro,team", "pay")),
        ("a where (x=1 or y=2, z=3), b", ("a where (x=1 or y=2, z=3)", "b")),
        ('"a, b" where c="d, e", f', ('"a, b" where c="d, e"', "f")),
        ("ada's cart, pay optional", ("ada's cart", "pay optional")),
        ("", ()),
    ],
)
def test_a_comma_ends_a_step_unless_it_belongs_to_it(text, steps):
    assert split_steps(text) == steps


@pytest.mark.parametrize("steps", [("a", "b"), ("a where p=1,2", "b optional", "c first-time")])
def test_steps_that_were_joined_come_apart_again(steps):
    assert split_steps(joined(steps)) == steps


# The command line takes the blanks around a name away, whatever stands in quotes.
event_names = st.text(min_size=1).map(str.strip).filter(bool)


@given(st.lists(event_names, min_size=1, max_size=4))
@example(["(", "0"])
def test_any_name_survives_being_written_as_a_step(names):
    steps = split_steps(joined(map(step_text, names)))
    assert [step_of_text(step) for step in steps] == names


def test_the_step_under_the_cursor_knows_where_its_filter_begins():
    text = "page_view, signup where plan=pro"
    found = pieces(text)
    assert piece_at(found, 4).text == "page_view"
    assert piece_at(found, 4).filter_at is None
    assert text[piece_at(found, 20).filter_at :] == "plan=pro"
    assert piece_at(found, len(text)) == found[-1]
