"""The filter bar: what is typed is counted live and completed."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from tui.messages import FilterLeft, FilterPicked, FilterTyped


class FilterBar(Horizontal):
    """Takes the place of the span row. Posts FilterTyped, FilterPicked, FilterLeft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", id="filter.leave"),
    ]

    def compose(self) -> ComposeResult:
        yield Static("  / ", id="sign", markup=False)
        yield Input(compact=True, select_on_focus=False)
        yield Static("", id="matches", markup=False)

    def open(self, where: str) -> None:
        """Shows the bar with the filter that holds now, ready to be changed."""
        self.screen.add_class("-filtering")
        box = self.query_one(Input)
        box.value = where
        box.cursor_position = len(where)
        box.focus()

    def _close(self) -> None:
        self.screen.remove_class("-filtering")
        self.query_one(Input).blur()
        self.post_message(FilterLeft())

    def action_leave(self) -> None:
        self._close()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(FilterTyped(message.value, message.input.cursor_position))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._close()
        self.post_message(FilterPicked(message.value.strip()))
