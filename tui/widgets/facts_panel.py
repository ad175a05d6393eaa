"""Named numbers under headings: what Health is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import fit
from tui.theme import Look
from tui.told import Told, told_of
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, blank, cells, line


@dataclass(frozen=True, slots=True)
class Fact:
    """A line: what it is, and how much of it; all text is ready to be read but for `label`."""

    label: str
    number: str = ""
    unit: str = ""
    role: str = "text"
    """Of the label; the number is bright."""
    rest: str = ""
    """What follows the label, in the colour of what can be pasted."""
    bar: float | None = None
    """A share of one, drawn as a bar before the number."""
    bar_role: str = "info"


@dataclass(frozen=True, slots=True)
class Heading:
    """A line over facts."""

    text: str


Facts = Sequence[Fact | Heading]
BAR_AT: Final = 14
BAR_WIDTH_MIN: Final = 6
BAR_NUMBER_WIDTH: Final = 10


class FactsPanel(Drawn, can_focus=True):
    """Shows its facts from the top; what does not fit is scrolled to."""

    facts: reactive[Facts] = reactive((), repaint=False)
    note: reactive[str] = reactive("", repaint=False)

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes="panel")
        self.border_title = title
        self._top = 0

    def watch_facts(self) -> None:
        self.redraw()

    def watch_note(self) -> None:
        self.border_subtitle = f" {self.note} " if self.note else ""

    def told(self) -> Told:
        return told_of(
            {"what": fact.label.strip(), "number": fact.number, "unit": fact.unit}
            for fact in self.facts
            if isinstance(fact, Fact)
        )

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width, height = size
        self._top = max(0, min(self._top, len(self.facts) - height))
        shown = self.facts[self._top : self._top + height]
        return [_drawn(fact, width, look) for fact in shown]

    def key_down(self) -> None:
        self._scroll(1)

    def key_up(self) -> None:
        self._scroll(-1)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(1)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-1)

    def _scroll(self, by: int) -> None:
        self._top = max(0, self._top + by)
        self.redraw()


def _drawn(fact: Fact | Heading, width: int, look: Look) -> Strip:
    if isinstance(fact, Heading):
        return line([(fact.text, look.style("dim"))], width) if fact.text else blank(width)
    end: list[Part] = [(fact.number, look.style("bright", bold=True))]
    if fact.number == "0" and not fact.unit:
        end = [(look.glyphs.nothing, look.style("dim"))]
    if fact.unit:
        end.append((f" {fact.unit}", look.style("dim")))
    if not fact.number:
        end = []
    ellipsis = look.glyphs.ellipsis
    if fact.rest:
        command = fit(fact.rest, max(0, width - len(fact.label)), ellipsis=ellipsis)
        return line([(fact.label, look.style(fact.role)), (command, look.style("primary"))], width)
    room = max(0, width - cells(end) - 2) if end else width
    label = fit(fact.label, room, ellipsis=ellipsis)
    parts: list[Part] = [(label.rstrip(), look.style(fact.role))]
    if fact.bar is not None:
        parts = _with_bar(parts, fact, width, cells(end), look)
    return line(parts, width, end)


def _with_bar(parts: list[Part], fact: Fact, width: int, end: int, look: Look) -> list[Part]:
    """The bar stands in the same column in every line, and is as long as there is room."""
    room = width - BAR_AT - max(end, BAR_NUMBER_WIDTH) - 2
    if room < BAR_WIDTH_MIN or fact.bar is None:
        return parts
    if not fact.bar:
        return parts
    full = max(1, round(fact.bar * room))
    gap = " " * max(1, BAR_AT - cells(parts))
    return [
        *parts,
        (gap, look.style("dim")),
        (look.glyphs.line * full, look.style(fact.bar_role)),
        (look.glyphs.line * (room - full), look.style("faint")),
    ]
