"""A role has a style under any theme and on any terminal."""

import pytest
from textual.strip import Segment, Strip
from textual.theme import BUILTIN_THEMES

from tui.glyphs import ASCII, FULL
from tui.theme import DARK, LIGHT, ROLES, css_variables, look, role_colours


@pytest.mark.parametrize("theme", [DARK, LIGHT, *BUILTIN_THEMES.values()], ids=lambda t: t.name)
def test_every_theme_has_every_role(theme):
    assert set(role_colours(theme)) == set(ROLES)
    assert set(css_variables(theme)) == {f"role-{role}" for role in ROLES}
    for role in ROLES:
        look(theme).style(role)


def test_without_colour_no_style_has_one():
    plain = look(DARK, "none")
    for role in ROLES:
        for style in (plain.style(role), plain.shade(role, 0.5), plain.solid(plain.style(role))):
            assert style.color is None
            assert style.bgcolor is None


def test_sixteen_colours_are_the_terminals_own():
    few = look(DARK, "16")
    used = (few.style(role).color for role in ROLES)
    assert all(colour.number < 16 for colour in used if colour is not None)


def test_the_same_theme_gives_the_same_look_so_that_it_can_key_caches():
    assert look(DARK) is look(DARK)
    assert look(DARK) is not look(LIGHT)


def test_a_selected_row_is_one_run_where_colours_are_few():
    strip = Strip([Segment("a", look(DARK).style("error")), Segment("b", look(DARK).style("dim"))])
    assert len(list(look(DARK, "none").select(strip))) == 1
    assert [part.style.color for part in look(DARK).select(strip)] == [p.style.color for p in strip]


def test_the_ascii_set_is_ascii_and_every_sign_one_cell_wide():
    for name in FULL.__dataclass_fields__:
        full, plain = getattr(FULL, name), getattr(ASCII, name)
        if isinstance(full, dict):
            assert full.keys() == plain.keys()
            assert all(sign.isascii() and len(sign) == 1 for sign in plain.values())
        elif isinstance(full, str):
            assert plain.isascii()
            assert name in {"name", "border"} or len(full) == len(plain)
