"""The line that says what is counted: what goes where there is no room for all of it."""

import pytest
from textual.geometry import Size

from tui.theme import DARK, look
from tui.widgets.definition_line import DefinitionLine, Said

OURS = (("within", "5m", "proposed"), ("", "in order"), ("per", "user"))


@pytest.mark.parametrize(
    ("width", "note", "shown"),
    [
        (80, "proposed", ["proposed", "within 5m proposed", "in order", "per user"]),
        (60, "proposed", ["proposed", "within 5m proposed", "in order"]),
        (40, "proposed", ["proposed", "within 5m"]),
        (30, "proposed", ["within 5m"]),
        (48, "", ["within 5m proposed", "in order"]),
        (37, "", ["within 5m proposed"]),
    ],
)
def test_settings_go_from_the_right_then_notes_and_the_window_stays(width, note, shown):
    panel = DefinitionLine()
    panel.set_reactive(DefinitionLine.said, Said("steps", ("a", "b"), OURS, note))
    (strip,) = panel.draw(Size(width, 1), look(DARK))
    assert strip.cell_length == width
    said = strip.text.split("b", 1)[1]
    assert [part.strip() for part in said.split("   ") if part.strip()] == shown
