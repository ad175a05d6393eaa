"""A box to pick one thing of many, or to write it: spans, attributes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from store.errors import StoreError
from tui.formatting import clean
from tui.widgets.text_box import TextBox

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One line of a picker."""

    label: str
    value: T
    hint: str = ""
    hint_role: str = "dim"


class Picker(ModalScreen[T | None], Generic[T]):
    """Type to narrow the choices, `enter` takes the highlighted one; what matches none is read by
    `read`, whose UsageError is shown while typing. Dismisses with None on `esc`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "back", show=False),
        Binding("down", "move(1)", "next", show=False),
        Binding("up", "move(-1)", "previous", show=False),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice[T]],
        *,
        placeholder: str = "",
        read: Callable[[str], tuple[T, str]] | None = None,
    ) -> None:
        """`read` gives the value of a free text and what it means in words."""
        super().__init__()
        self._title = title
        self._choices = choices
        self._placeholder = placeholder
        self._read = read
        self._shown: list[Choice[T]] = list(choices)
        self._free: T | None = None
        self._label_width = max((len(choice.label) for choice in choices), default=0) + 3

    def compose(self) -> ComposeResult:
        with Vertical(id="picker") as box:
            box.border_title = Content(self._title)
            yield TextBox(self._placeholder)
            yield Static("", id="meaning", markup=False)
            yield OptionList(compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._fill("")

    def on_input_changed(self, message: Input.Changed) -> None:
        self._fill(message.value)

    def _fill(self, typed: str) -> None:
        wanted = typed.lower().split()
        self._shown = [choice for choice in self._choices if _holds(choice.label, wanted)]
        self._free, meaning = self._meant(typed)
        self.query_one("#meaning", Static).update(Content(clean(meaning)))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(_line(choice, self._label_width)) for choice in self._shown)
        options.highlighted = 0 if self._shown and self._free is None else None

    def _meant(self, typed: str) -> tuple[T | None, str]:
        if not self._read or not typed.strip():
            return None, ""
        try:
            return self._read(typed)
        except StoreError as error:
            return None, "" if self._shown else str(error)

    def action_move(self, by: int) -> None:
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def on_input_submitted(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and self._shown:
            self.dismiss(self._shown[highlighted].value)
        elif self._free is not None:
            self.dismiss(self._free)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[message.option_index].value)


def _holds(label: str, words: list[str]) -> bool:
    return all(word in label.lower() for word in words)


def _line(choice: Choice[T], width: int) -> Content:
    return Content.assemble(
        clean(choice.label).ljust(width), (clean(choice.hint), f"$role-{choice.hint_role}")
    )
