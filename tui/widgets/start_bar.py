"""Where a tree starts, as a line that one can write in: names are completed while one types."""

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.messages import StartLeft, StartPicked, StartTyped
from tui.widgets.completions import Completions
from tui.widgets.text_box import TextBox

SIGN: Final = "  from "
OPTIONS_MAX: Final = 50
ROW: Final = 2
"""Of the screen, below which the list of names opens."""


class StartBar(Horizontal):
    """Posts StartTyped while it is open, then StartPicked or StartLeft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", id="start.complete"),
        Binding("escape", "leave", "leave", id="start.leave"),
        Binding("down", "move(1)", "next", show=False, system=True, id="start.next"),
        Binding("up", "move(-1)", "previous", show=False, system=True, id="start.previous"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._chosen = False
        self._names: Sequence[str] = ()
        self._came_from: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Static(SIGN, id="start-sign", markup=False)
        yield TextBox("where sessions start")
        yield Static("", id="start-note", markup=False)

    @property
    def is_open(self) -> bool:
        return self.screen.has_class("-starting")

    @property
    def completions(self) -> Completions:
        return self.screen.query_one(Completions)

    def open(self, name: str) -> None:
        """Shows the bar with the name that holds now, all of it marked: typing replaces it."""
        self._came_from = self.screen.focused
        self._chosen = False
        self.screen.add_class("-starting")
        box = self.query_one(Input)
        box.value = name
        box.focus()
        box.select_all()
        self.post_message(StartTyped(name))

    def offer(self, names: Sequence[str]) -> None:
        """The names that there are, the most frequent first."""
        self._names = names
        self._complete(self.query_one(Input).value)

    def _complete(self, typed: str) -> None:
        from store.analytics.filters import Completion

        if not self.is_open:
            return
        wanted = typed.lower().split()
        is_known = typed in self._names
        fitting = [
            name for name in self._names if is_known or all(w in name.lower() for w in wanted)
        ]
        listed = self.completions
        listed.styles.offset = (max(0, cell_len(SIGN) - 2), ROW + 1)
        listed.completion = Completion(0, len(typed), "value", tuple(fitting[:OPTIONS_MAX]))
        note = "" if fitting or not typed else "no event is named so in this time"
        self.query_one("#start-note", Static).update(Content.styled(note, "$role-warning"))

    def _close(self) -> None:
        self.completions.completion = None
        self.screen.remove_class("-starting")
        self.screen.set_focus(self._came_from)

    def action_leave(self) -> None:
        self._close()
        self.post_message(StartLeft())

    def action_move(self, by: int) -> None:
        if self._chosen:
            self.completions.move(by)
        elif by < 0:
            self.completions.move(-1)
        self._chosen = True

    def action_complete(self) -> None:
        if (option := self.completions.option) is not None:
            box = self.query_one(Input)
            box.value, box.cursor_position = option, len(option)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._chosen = False
        if self.is_open:
            self._complete(message.value)

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """The name that was gone to with the arrows; else what is written, or what it must mean."""
        message.stop()
        option, written = self.completions.option, message.value.strip()
        is_meant = option is not None and (self._chosen or (written and written not in self._names))
        self._close()
        self.post_message(StartPicked(option if option is not None and is_meant else written))
