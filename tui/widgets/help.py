"""The help: the keys that act on the focused panel, on this screen, and everywhere."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.footer import key_name

Section = tuple[str, list[tuple[str, str, str]]]
"""Its name, and for each action the key, what it does, and the id that settings know it by."""
_PLACES = ("on this screen", "everywhere")


class Help(ModalScreen[None]):
    """What `?` opens."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss(None)", "back", show=False)
    ]

    def __init__(self, title: str, about: str, sections: list[Section]) -> None:
        super().__init__()
        self._title = title
        self._about = about
        self._sections = sections

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = "esc closes"
            if self._about:
                yield Static(Content(self._about), classes="about")
            for name, keys in self._sections:
                yield Static(Content(name), classes="section")
                for key, does, action in keys:
                    shown = (
                        (f"{key:>10}  ", "$role-mark bold"),
                        (does, ""),
                        (f"  {action}", "$role-dim"),
                    )
                    yield Static(Content.assemble(*shown))


def sections(bindings: Sequence[ActiveBinding], focused: Widget | None) -> list[Section]:
    """The keys of the focused panel, of the screen, of all screens, and to move about."""
    named: dict[str, list[tuple[str, str, str]]] = {
        name: [] for name in ("here", *_PLACES, "to move")
    }
    for entry in bindings:
        binding = entry.binding
        key = binding.key_display or key_name(binding.key)
        row = (key, binding.tooltip or binding.description, binding.id or "")
        if binding.system:
            named["to move"].append(row)
        elif entry.node is focused:
            named["here"].append(row)
        else:
            place = "on this screen" if isinstance(entry.node, Screen) else "everywhere"
            named[place].append(row)
    return [(name, rows) for name, rows in named.items() if rows]
