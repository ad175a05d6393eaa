"""The last row: the keys that act here and now, out of the bindings themselves."""

from textual.binding import Binding
from textual.geometry import Size
from textual.strip import Strip
from textual.widgets import Input

from tui.theme import Look
from tui.widgets.drawn import Drawn
from tui.widgets.lines import Part, cells, line

_KEYS = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "space": "space",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
}


def key_name(key: str) -> str:
    """A key as people write it: the first of its alternatives."""
    first = key.split(",", maxsplit=1)[0]
    return _KEYS.get(first, first)


class Footer(Drawn):
    """Bindings that are shown, in the order focused panel, screen, app, as long as they fit."""

    also: frozenset[str] = frozenset()
    """Ids of bindings that are shown as well, such as those that a small screen needs."""

    def __init__(self) -> None:
        super().__init__(id="footer")

    def show_also(self, ids: frozenset[str]) -> None:
        self.also = ids
        self.redraw()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.redraw())

    def draw(self, size: Size, look: Look) -> list[Strip]:
        width = size.width
        end: list[Part] = [
            ("ctrl+p", look.style("mark", bold=True)),
            (" palette ", look.style("dim")),
        ]
        parts: list[Part] = [(" ", look.style("dim"))]
        for binding in self._shown():
            one = [
                (f" {binding.key_display or key_name(binding.key)}", look.style("mark", bold=True)),
                (f" {binding.description}  ", look.style("dim")),
            ]
            if cells([*parts, *one]) > width:
                break
            parts += one
        return [line(parts, width, end if cells([*parts, *end]) <= width else ())]

    def _shown(self) -> list[Binding]:
        active = self.screen.active_bindings.values()
        enabled = [entry.binding for entry in active if entry.enabled]
        shown = [each for each in enabled if each.show or each.id in self.also]
        if isinstance(self.screen.focused, Input):
            # What one types goes into the input: single letters do not act.
            shown = [b for b in shown if b.key in ("enter", "escape", "tab")]
        unique = {binding.action: binding for binding in reversed(shown)}
        order = {binding.action: index for index, binding in enumerate(shown)}
        return sorted(unique.values(), key=lambda binding: _rank(binding, order))


def _rank(binding: Binding, order: dict[str, int]) -> tuple[int, int]:
    """Keys of the focused panel stand after the filter and the span, which act everywhere."""
    first = {"filter": 0, "span": 1}.get(binding.id or "", 2)
    last = 3 if binding.id == "help" else first
    return last, order[binding.action]
