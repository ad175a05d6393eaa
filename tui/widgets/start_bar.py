"""Where a tree starts, as a row to write in: names are completed while one types."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.message import Message
from textual.widgets import Input

from tui.messages import StartLeft, StartPicked, StartTyped
from tui.widgets.entry_bar import EntryBar

OPTIONS_MAX: Final = 50


class StartBar(EntryBar):
    """Stands over the tree. Posts StartTyped, StartPicked (an empty text is where sessions start),
    StartLeft; is told the names that there are.
    """

    sign: ClassVar[str] = "  from "
    open_class: ClassVar[str] = "-starting"

    def __init__(self) -> None:
        super().__init__()
        self._names: Sequence[str] = ()
        self._meant = ""

    def typed(self, text: str, cursor: int) -> Message:  # noqa: ARG002 - all of it is one name
        return StartTyped(text)

    def picked(self, text: str) -> Message:
        """A part of a name stands for the first one that has it."""
        is_part = text and text not in self._names
        return StartPicked(self._meant or text if is_part else text)

    def left(self) -> Message:
        return StartLeft()

    def fault(self, text: str) -> str:  # noqa: ARG002 - any text may be a name
        self._meant = self.completions.option or ""
        return ""

    def open(self, text: str) -> None:
        """All of the name is marked: typing replaces it."""
        self._names = ()
        super().open(text)
        self.query_one(Input).select_all()

    @property
    def knows_names(self) -> bool:
        """Whether it was told names since it was opened."""
        return bool(self._names)

    def offer(self, names: Sequence[str]) -> None:
        """The names that there are, the most frequent first."""
        self._names = names
        self.complete(self.query_one(Input).value)

    def complete(self, text: str) -> None:
        """Shows the names that have all words of the text; all of them beside a whole one."""
        from store.analytics.filters import Completion

        words = () if text in self._names else text.lower().split()
        fitting = [name for name in self._names if all(w in name.lower() for w in words)]
        self.say("" if fitting or not text else "no event is named so in this time")
        self.show_completion(Completion(0, len(text), "value", tuple(fitting[:OPTIONS_MAX])))
