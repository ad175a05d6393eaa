"""One row that says what a screen counts: names joined by signs, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import clean
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, cells, line

END_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Said:
    """What stands on the line; texts are as they were written, and cleaned here."""

    title: str
    names: Sequence[str]
    settings: Sequence[tuple[str, ...]] = ()
    """A dim word and what it is set to, and maybe a note as of the names; from the right, what
    there is no room for goes.
    """
    note: str = ""
    """A word about the names, such as that they are a proposal."""


class DefinitionLine(Drawn):
    """Shows what is counted."""

    said: reactive[Said | None] = reactive(None, repaint=False)

    def watch_said(self) -> None:
        self.redraw()

    def draw(self, size: Size, look: Look) -> list[Strip]:
        said, width = self.said, size.width
        if said is None:
            return []
        dim, glyphs = look.style("dim"), look.glyphs
        parts: list[Part] = [(f"  {said.title}  ", dim)]
        for at, name in enumerate(said.names):
            sign = [(f" {glyphs.folded} ", look.style("mark"))] if at else []
            parts += [*sign, (clean(name, ascii_only=not glyphs.braille), look.style("bright"))]
        note = [(f"   {said.note}", look.style("mark"))] if said.note else []
        room = width - END_GAP - cells(parts)
        end = _settings(said.settings, room - cells(note), look)
        if cells([*note, *end]) > room:
            note, end = [], _settings(said.settings, room, look)
        end = [*end, (" " * END_GAP, dim)]
        return [line([*parts, *note], width, end, ellipsis=glyphs.ellipsis)]


def _settings(settings: Sequence[tuple[str, ...]], room: int, look: Look) -> list[Part]:
    """As many as there is room for, from the left; the first one always, if without its note."""
    shown: list[Part] = []
    for at, setting in enumerate(settings):
        wider = [*shown, *_setting(*setting, look=look)]
        if cells(wider) > room:
            return shown if at else _setting(*setting[:2], look=look)
        shown = wider
    return shown


def _setting(word: str, value: str, note: str = "", *, look: Look) -> list[Part]:
    return [
        (f"   {word} " if word else "   ", look.style("dim")),
        (clean(value, ascii_only=not look.glyphs.braille), look.style("text")),
        (f" {note}" if note else "", look.style("mark")),
    ]
