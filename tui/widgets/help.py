"""The help: the keys that act on the focused panel, on this screen, and everywhere."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from tui.widgets.footer import key_name

Section = tuple[str, list[tuple[str, str]]]


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
            box.border_title = self._title
            box.border_subtitle = "esc closes"
            if self._about:
                yield Static(Content(self._about), classes="about")
            for name, keys in self._sections:
                yield Static(Content(name), classes="section")
                for key, does in keys:
                    yield Static(Content.assemble((f"{key:>11}  ", "$role-mark bold"), (does, "")))


def sections(bindings: dict[str, ActiveBinding], focused: Widget | None) -> list[Section]:
    """The active bindings that describe themselves: the focused panel's first, then the rest."""
    own: list[tuple[str, str]] = []
    rest: list[tuple[str, str]] = []
    for entry in _described(bindings):
        row = (
            entry.binding.key_display or key_name(entry.binding.key),
            entry.binding.description,
        )
        kept = own if entry.node is focused else rest
        if row[1] not in {does for _, does in kept}:
            kept.append(row)
    return [(name, rows) for name, rows in (("here", own), ("everywhere", rest)) if rows]


def _described(bindings: dict[str, ActiveBinding]) -> Iterator[ActiveBinding]:
    for entry in bindings.values():
        if entry.enabled and entry.binding.description and not entry.binding.system:
            yield entry
