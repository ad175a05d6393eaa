"""A row to write in, in place of another row: what is typed is completed while one types."""

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from tui.formatting import clean
from tui.theme import look_of
from tui.widgets.completions import Completions
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from store.analytics.filters import Completion

LIST_WIDTH: Final = 44


class EntryBar(Horizontal):
    """A subclass says what stands before the input, which messages tell of it, and what is wrong
    with a text. The screen has the class `open_class` while the bar is open, and `-writing`.
    """

    sign: ClassVar[str]
    open_class: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", id="filter.complete"),
        Binding("escape", "leave", "leave", id="filter.leave"),
        Binding("down", "move(1)", "next", show=False, system=True, id="filter.next"),
        Binding("up", "move(-1)", "previous", show=False, system=True, id="filter.previous"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._chosen = False
        self._came_from: Widget | None = None

    def typed(self, text: str, cursor: int) -> Message:
        """Tells that the text is another; `cursor` is a character offset."""
        raise NotImplementedError

    def picked(self, text: str) -> Message:
        """Tells that this text was chosen."""
        raise NotImplementedError

    def left(self) -> Message:
        """Tells that the bar was closed, with or without a choice."""
        raise NotImplementedError

    def fault(self, text: str) -> str:
        """What is wrong with a text that was chosen; empty when it can be read."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield Static(self.sign, classes="sign", markup=False)
        yield TextBox()
        yield Static("", classes="note", markup=False)

    @property
    def is_open(self) -> bool:
        return self.screen.has_class(self.open_class)

    @property
    def completions(self) -> Completions:
        return self.screen.query_one(Completions)

    def open(self, text: str) -> None:
        """Shows the bar with the text that holds now, ready to be changed."""
        self._came_from = self.screen.focused
        self.screen.add_class(self.open_class, "-writing")
        box = self.query_one(Input)
        box.value = text
        box.cursor_position = len(text)
        box.focus()
        self.post_message(self.typed(text, len(text)))

    def say(self, text: str) -> None:
        """Says something beside what is typed."""
        self.query_one(".note", Static).update(Content(text))

    def show_fault(self, sentence: str) -> None:
        """What cannot be read yet, or at all."""
        room = max(20, self.size.width // 2)
        text = clean(sentence)
        cut = look_of(self.app).glyphs.ellipsis
        text = text if cell_len(text) <= room else text[: room - 1] + cut
        self.query_one(".note", Static).update(Content.styled(text, "$role-warning"))

    def show_completion(self, completion: "Completion") -> None:
        box = self.query_one(Input)
        self._chosen = False
        if not self.is_open or (completion.end > len(box.value)):
            return
        at = len(self.sign) + cell_len(clean(box.value[: completion.start])) - 2
        listed = self.completions
        room = self.screen.size.width - LIST_WIDTH
        listed.styles.offset = (max(0, min(self.region.x + at, room)), self.region.bottom or 2)
        listed.completion = completion

    def _close(self) -> None:
        self.completions.completion = None
        self.screen.remove_class(self.open_class, "-writing")
        self.screen.set_focus(self._came_from)
        self.post_message(self.left())

    def action_leave(self) -> None:
        self._close()

    def action_move(self, by: int) -> None:
        self._chosen = True
        self.completions.move(by)

    def action_complete(self) -> None:
        """Takes the marked option; the cursor goes behind it."""
        completion, option = self.completions.completion, self.completions.option
        if completion is None or option is None:
            return
        box = self.query_one(Input)
        box.value, box.cursor_position = completion.applied(box.value, option)

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        if self.is_open:
            self.post_message(self.typed(message.value, message.input.cursor_position))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """An option that was gone to with the arrows is taken first."""
        message.stop()
        if self._chosen and self.completions.option is not None:
            self._chosen = False
            self.action_complete()
            return
        if fault := self.fault(message.value):
            self.show_fault(fault)
            return
        self._close()
        self.post_message(self.picked(message.value.strip()))
