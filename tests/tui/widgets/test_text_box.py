from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.text_box import visible


@given(st.text())
def test_what_is_shown_is_as_long_and_printable(text):
    assert len(visible(text)) == len(text)
    assert visible(text).isprintable()


def test_printable_text_is_as_it_is():
    assert visible('name="李娜" ≥ é ü 🙂') == 'name="李娜" ≥ é ü 🙂'


def test_what_a_terminal_would_obey_is_a_sign():
    assert visible("\x1b[31m\x00\x9b\u202e\x7f") == "␛[31m␀��␡"
