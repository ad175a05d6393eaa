from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui.formatting import clean
from tui.widgets.lines import line

PLAIN = Style()
texts = st.lists(st.text(max_size=12).map(clean), max_size=4)


@given(texts, texts, st.integers(0, 60))
def test_a_line_has_exactly_its_width(left, right, width):
    strip = line([(t, PLAIN) for t in left], width, [(t, PLAIN) for t in right])
    assert cell_len(strip.text) == strip.cell_length == width


def test_the_number_at_the_end_is_never_cut():
    assert line([("a long name", PLAIN)], 10, [("1,234", PLAIN)]).text == "a lo…1,234"
    assert line([("name", PLAIN)], 4, [("1,234", PLAIN)]).text == "name"
