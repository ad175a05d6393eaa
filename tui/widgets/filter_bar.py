"""The filter bar: what is typed is completed, and counted while one types."""

from typing import ClassVar

from textual.message import Message

from store.errors import StoreError
from tui.formatting import count, percent
from tui.messages import FilterLeft, FilterPicked, FilterTyped
from tui.widgets.entry_bar import EntryBar


class FilterBar(EntryBar):
    """Takes the place of the span row. Posts FilterTyped, FilterPicked, FilterLeft; is told what
    matches and what could come next.
    """

    sign: ClassVar[str] = "  / "
    open_class: ClassVar[str] = "-filtering"

    def typed(self, text: str, cursor: int) -> Message:
        return FilterTyped(text, cursor)

    def picked(self, text: str) -> Message:
        return FilterPicked(text)

    def left(self) -> Message:
        return FilterLeft()

    def fault(self, text: str) -> str:
        return unreadable(text)

    def show_matches(self, found: int, total: int) -> None:
        share = percent(found / total, digits=1) if total else "0"
        self.say(f"{count(found)} of {count(total)} match, {share} %")


def unreadable(where: str) -> str:
    """What is wrong with a filter, with the character; empty when it can be read."""
    from store.analytics.filters import parse_filter

    try:
        parse_filter(where or None)
    except StoreError as error:
        return str(error)
    return ""
