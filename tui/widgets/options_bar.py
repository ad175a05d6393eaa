"""The row in which the options of an analysis are written, as on the command line."""

from collections.abc import Callable
from typing import ClassVar

from textual.message import Message

from tui.messages import OptionsLeft, OptionsPicked, OptionsTyped
from tui.widgets.entry_bar import EntryBar


class OptionsBar(EntryBar):
    """Takes the place of the line that says them. Posts OptionsTyped, OptionsPicked, OptionsLeft;
    `fault_of` says what is wrong with a text.
    """

    sign: ClassVar[str] = "  options  "
    open_class: ClassVar[str] = "-asking"

    fault_of: Callable[[str], str] = staticmethod(lambda text: "")  # noqa: ARG005

    def typed(self, text: str, cursor: int) -> Message:
        return OptionsTyped(text, cursor)

    def picked(self, text: str) -> Message:
        return OptionsPicked(text)

    def left(self) -> Message:
        return OptionsLeft()

    def fault(self, text: str) -> str:
        return self.fault_of(text)
