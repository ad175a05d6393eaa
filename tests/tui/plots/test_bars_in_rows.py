"""Bars of one row: stretches of time, and shares of shares."""

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.reach import reach
from tui.plots.stretch import stretch
from tui.theme import DARK, look

LOOK = look(DARK)
SHARES = st.floats(0, 1)


def drawn(parts):
    return "".join(text for text, _ in parts)


def test_a_stretch_lies_where_its_time_is_in_halves_of_a_cell():
    assert drawn(stretch(0, 1, 4, LOOK, "info")) == "━━━━"
    assert drawn(stretch(0.5, 0.99, 4, LOOK, "info")) == "  ━━"
    assert drawn(stretch(0.125, 0.3, 4, LOOK, "info")) == "╺╸  "


def test_what_is_too_short_for_a_line_is_a_dot():
    assert drawn(stretch(0.5, 0.5, 4, LOOK, "info", rail="┈")) == "┈┈•┈"
    assert drawn(stretch(1, 1, 4, LOOK, "info")) == "   •"


def test_what_lies_outside_is_not_drawn():
    assert drawn(stretch(-2, -1, 4, LOOK, "info")) == "    "
    assert drawn(stretch(-1, 0.5, 4, LOOK, "info")).startswith("━")


@given(SHARES, SHARES, st.integers(0, 40))
def test_a_stretch_has_its_width(start, end, width):
    assert len(drawn(stretch(start, max(start, end), width, LOOK, "info"))) == width


def test_a_share_stands_before_what_it_is_of():
    (own, own_style), (rest, _), (blank, _) = reach(0.25, 0.75, 8, LOOK, "info")
    assert (own, rest, blank) == ("━━", "┈┈┈┈", "  ")
    assert own_style == LOOK.style("info")


def test_the_least_share_shows():
    assert drawn(reach(0.0001, 0, 8, LOOK, "info")).strip() == "╸"
    assert drawn(reach(0, 0.5, 8, LOOK, "info")) == "┈┈┈┈    "


@given(SHARES, SHARES, st.integers(0, 40))
def test_a_bar_has_its_width(share, of, width):
    assert len(drawn(reach(min(share, of), of, width, LOOK, "info"))) == width
