"""The front buffer: few bytes, and the picture that a terminal then shows is the one meant."""

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.front_buffer import FrontBuffer

WIDTH, HEIGHT = 12, 4
STYLES = [
    *(Style(), Style(bold=True), Style(dim=True), Style(bold=True, dim=True)),
    *(Style(color="#ff0000"), Style(color="#ff0000", bgcolor="#001122"), Style(reverse=True)),
    *(Style(underline=True, italic=True), Style(bgcolor="#001122", bold=True), Style(color="red")),
]


def strip(*parts):
    return Strip([Segment(text, style) for text, style in parts])


def row(text, style=STYLES[0]):
    return strip((text.ljust(WIDTH)[:WIDTH], style))


class Terminal:
    """pyte with a front buffer's bytes fed to it."""

    def __init__(self, width=WIDTH, height=HEIGHT, system=ColorSystem.TRUECOLOR):
        self.screen = pyte.Screen(width, height)
        self.stream = pyte.Stream(self.screen)
        self.front = FrontBuffer(width, height, system)

    def show(self, *placed):
        sent = self.front.update(placed)
        self.stream.feed(sent)
        return sent

    def cells(self):
        return [
            [self.screen.buffer[y][x] for x in range(self.screen.columns)]
            for y in range(self.screen.lines)
        ]


def test_the_same_picture_again_costs_nothing():
    terminal = Terminal()
    picture = [(0, y, row(f"row {y}", STYLES[y + 4])) for y in range(HEIGHT)]
    assert terminal.show(*picture)
    assert terminal.show(*picture) == ""


def test_one_changed_digit_costs_its_cell_and_the_way_there():
    terminal = Terminal()
    terminal.show((0, 1, row("14:03:27")))
    assert terminal.show((0, 1, row("14:03:28"))) == "\x1b[2;8H8"


def test_only_the_attributes_that_differ_are_sent():
    terminal = Terminal()
    terminal.show((0, 0, row(" " * 12)))
    red, lit = Style(color="#ff0000"), Style(color="#ff0000", bgcolor="#001122")
    sent = terminal.show((0, 0, strip(("ab", red), ("cd", lit), (" " * 8, Style()))))
    assert sent == "\x1b[1H\x1b[38;2;255;0;0mab\x1b[48;2;0;17;34mcd\x1b[m"


def test_bold_that_stays_when_dim_goes_is_switched_on_again():
    terminal = Terminal()
    both, bold = Style(bold=True, dim=True, color="#123456"), Style(bold=True, color="#123456")
    terminal.show((0, 0, strip(("a", both), ("b", bold), (" " * 10, Style()))))
    assert terminal.screen.buffer[0][1].bold


def test_no_colour_means_no_colour_code_at_all():
    terminal = Terminal(system=None)
    sent = terminal.show((0, 0, strip(("a", Style(color="red", bgcolor="#001122", bold=True)))))
    assert sent == "\x1b[1H\x1b[1ma\x1b[m"


def test_control_characters_never_leave_even_when_a_widget_forgot_to_clean():
    sent = Terminal().show((0, 0, strip(("a\x1b]0;x\x07\x9b2J\rb", Style()))))
    assert "\x07" not in sent
    assert "\x9b" not in sent
    assert sent.count("\x1b") == 1


def test_a_strip_beyond_the_screen_is_cropped():
    terminal = Terminal()
    terminal.show((10, 0, row("abcdef")), (-2, 1, row("abcdef")), (0, 99, row("x")))
    assert terminal.screen.display[0].endswith("ab")
    assert terminal.screen.display[1].startswith("cdef")


WORDS = st.text(st.sampled_from("ab ─█⣿漢字エ👩"), min_size=WIDTH, max_size=WIDTH)
PARTS = st.lists(st.tuples(WORDS, st.sampled_from(STYLES)), min_size=1, max_size=4)


def fitted(parts):
    """The parts in exactly WIDTH cells; a wide character that does not fit becomes a blank."""
    return strip(*parts).crop(0, WIDTH).adjust_cell_length(WIDTH)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.lists(PARTS, min_size=HEIGHT, max_size=HEIGHT), min_size=1, max_size=5))
def test_any_sequence_of_pictures_ends_in_the_same_cells_as_drawing_the_last_alone(pictures):
    stepwise = Terminal()
    for picture in pictures:
        stepwise.show(*((0, y, fitted(parts)) for y, parts in enumerate(picture)))
    at_once = Terminal()
    at_once.show(*((0, y, fitted(parts)) for y, parts in enumerate(pictures[-1])))
    assert stepwise.cells() == at_once.cells()
