"""Which theme a terminal gets."""

import pytest

from tui.commands.dashboard import theme_for


@pytest.mark.parametrize(
    ("term", "colorterm", "theme"),
    [
        ("linux", "", "ansi-dark"),
        ("xterm-16color", "", "ansi-dark"),
        ("xterm-256color", "", "eventdeck-dark"),
        ("xterm", "truecolor", "eventdeck-dark"),
    ],
)
def test_a_terminal_of_sixteen_colours_is_drawn_in_its_own(term, colorterm, theme, monkeypatch):
    monkeypatch.setattr("textual.constants.COLOR_SYSTEM", "auto")
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colorterm)
    assert theme_for("dark") == theme
