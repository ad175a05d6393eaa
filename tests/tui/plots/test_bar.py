import pytest

from tui.glyphs import ASCII
from tui.plots.bar import Segment, bar
from tui.theme import look

BOTH = [Segment("info", 0.5), Segment("muted", 0.25, shade=1), Segment("faint", 0.25, shade=0)]


def test_a_bar_is_as_long_as_its_share_in_eighths():
    assert bar([Segment("info", 0.53)], 10, look()).text == "█████▎    "


@pytest.mark.parametrize("share", [1e-9, 0.001])
def test_what_is_more_than_nothing_is_seen(share):
    assert bar([Segment("info", share)], 10, look()).text == "▏         "
    assert bar([Segment("info", 0.0)], 10, look()).text == " " * 10


def test_segments_stand_end_to_end_in_their_colours():
    drawn = look()
    strip = bar(BOTH, 8, drawn)
    assert strip.text == "█" * 8
    widths = [(part.style.color.name, len(part.text)) for part in strip]
    assert widths == [
        (drawn.palette["info"], 4),
        (drawn.palette["muted"], 2),
        (drawn.palette["faint"], 2),
    ]


def test_without_colours_or_signs_segments_are_told_by_their_filling():
    assert bar(BOTH, 8, look(colour="none")).text == "████▒▒░░"
    assert bar(BOTH, 8, look(glyphs=ASCII)).text == "####::.."


@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_bar_is_never_wider_than_its_room(width):
    assert bar([*BOTH, Segment("error", 5.0)], width, look()).cell_length == width


@pytest.mark.parametrize("colour", ["16", "none"])
def test_with_few_colours_segments_are_told_apart_by_their_filling(colour):
    parts = [Segment("info", 0.5), Segment("muted", 0.25, shade=1), Segment("faint", 0.25, shade=0)]
    assert bar(parts, 8, look(colour=colour)).text == "████▒▒░░"
