"""The filter bar: what is typed is completed, and counted while one types."""

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store.errors import StoreError
from tui.formatting import clean, count, percent
from tui.messages import FilterLeft, FilterPicked, FilterTyped
from tui.widgets.completions import Completions
from tui.widgets.text_box import TextBox

if TYPE_CHECKING:
    from store.analytics.filters import Completion

SIGN: Final = "  / "
LIST_WIDTH: Final = 44


class FilterBar(Horizontal):
    """Takes the place of the span row. Posts FilterTyped, FilterPicked, FilterLeft; is told what
    matches and what could come next.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "complete", id="filter.complete"),
        Binding("escape", "leave", "leave", id="filter.leave"),
        Binding("down", "move(1)", "next", show=False, system=True, id="filter.next"),
        Binding("up", "move(-1)", "previous", show=False, system=True, id="filter.previous"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._chosen = False
        self._came_from: Widget | None = None

    def compose(self) -> ComposeResult:
        yield Static(SIGN, id="sign", markup=False)
        yield TextBox()
        yield Static("", id="matches", markup=False)

    @property
    def is_open(self) -> bool:
        return self.screen.has_class("-filtering")

    @property
    def completions(self) -> Completions:
        return self.screen.query_one(Completions)

    def open(self, where: str) -> None:
        """Shows the bar with the filter that holds now, ready to be changed."""
        self._came_from = self.screen.focused
        self.screen.add_class("-filtering")
        box = self.query_one(Input)
        box.value = where
        box.cursor_position = len(where)
        box.focus()
        self.post_message(FilterTyped(where, len(where)))

    def show_matches(self, found: int, total: int) -> None:
        share = percent(found / total, digits=1) if total else "0"
        text = f"{count(found)} of {count(total)} match, {share} %"
        self.query_one("#matches", Static).update(Content(text))

    def show_fault(self, sentence: str) -> None:
        """A filter that cannot be read yet, or at all."""
        room = max(20, self.size.width // 2)
        text = clean(sentence)
        text = text if cell_len(text) <= room else text[: room - 1] + "…"
        self.query_one("#matches", Static).update(Content.styled(text, "$role-warning"))

    def show_completion(self, completion: "Completion") -> None:
        box = self.query_one(Input)
        self._chosen = False
        if not self.is_open or (completion.end > len(box.value)):
            return
        at = len(SIGN) + cell_len(clean(box.value[: completion.start])) - 2
        listed = self.completions
        listed.styles.offset = (max(0, min(at, self.size.width - LIST_WIDTH)), 2)
        listed.completion = completion

    def _close(self) -> None:
        self.completions.completion = None
        self.screen.remove_class("-filtering")
        self.screen.set_focus(self._came_from)
        self.post_message(FilterLeft())

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
            self.post_message(FilterTyped(message.value, message.input.cursor_position))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """An option that was gone to with the arrows is taken first."""
        message.stop()
        if self._chosen and self.completions.option is not None:
            self._chosen = False
            self.action_complete()
            return
        if fault := unreadable(message.value):
            self.show_fault(fault)
            return
        self._close()
        self.post_message(FilterPicked(message.value.strip()))


def unreadable(where: str) -> str:
    """What is wrong with a filter, with the character; empty when it can be read."""
    from store.analytics.filters import parse_filter

    try:
        parse_filter(where or None)
    except StoreError as error:
        return str(error)
    return ""
