"""One row that says what a screen counts: names joined by signs, and its settings."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from tui.formatting import clean
from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, cells, line


@dataclass(frozen=True, slots=True)
class Said:
    """What stands on the line; texts are as they were written, and cleaned here."""

    title: str
    names: Sequence[str]
    settings: Sequence[tuple[str, str]] = ()
    """A dim word and what it is set to; from the right, what there is no room for goes."""
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
        settings = [_setting(word, value, look) for word, value in said.settings]
        end = [part for parts_of_one in settings for part in parts_of_one]
        while settings and cells([*parts, *end]) > width and len(settings) > 1:
            settings.pop()
            end = [part for parts_of_one in settings for part in parts_of_one]
        if said.note and cells([*parts, *end]) + len(said.note) + 3 <= width:
            parts.append((f"   {said.note}", look.style("mark")))
        return [line(parts, width, [*end, ("  ", dim)], ellipsis=glyphs.ellipsis)]


def _setting(word: str, value: str, look: Look) -> list[Part]:
    return [
        (f"   {word} " if word else "   ", look.style("dim")),
        (clean(value, ascii_only=not look.glyphs.braille), look.style("text")),
    ]
