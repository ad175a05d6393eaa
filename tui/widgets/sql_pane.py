"""A question in SQL over what is seen, read only: a row to write in, and the answer below it."""

from collections.abc import Iterable
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from store.errors import StoreError
from tui.formatting import clean
from tui.messages import (
    PageWanted,
    RowOpened,
    RowReached,
    SortPicked,
    SqlClosed,
    SqlLeft,
    SqlPicked,
    SqlTyped,
)
from tui.views.sql_answer import SqlRows
from tui.widgets.big_table import BigTable
from tui.widgets.entry_bar import EntryBar

HELP: Final = (
    "The tables are events, metrics, spans and logs; a name with a dot stands in double quotes. "
    "Asked is the time and the filter on top. Nothing can be changed. : writes another question."
)


class SqlBar(EntryBar):
    """Posts SqlTyped, SqlPicked, SqlLeft."""

    sign: ClassVar[str] = "  sql  "
    open_class: ClassVar[str] = "-asking"

    def typed(self, text: str, cursor: int) -> Message:
        return SqlTyped(text, cursor)

    def picked(self, text: str) -> Message:
        return SqlPicked(text)

    def left(self) -> Message:
        return SqlLeft()

    def fault(self, text: str) -> str:
        from store.sql.statement import check_reads_only

        try:
            check_reads_only(text)
        except StoreError as error:
            return str(error)
        return ""


class SqlPane(Vertical):
    """Keeps the last question; posts SqlClosed on `esc`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "write", "another question", id="sql.write"),
        Binding("escape", "close", "close", id="sql.close"),
    ]

    def __init__(self) -> None:
        super().__init__(id="sql")
        self._text = ""

    def compose(self) -> Iterable[Widget]:
        yield SqlBar()
        yield BigTable(id="sql-rows", classes="panel")

    def on_mount(self) -> None:
        self.table.border_title = "sql"
        self.table.HELP = HELP  # type: ignore[misc]

    @property
    def bar(self) -> SqlBar:
        return self.query_one(SqlBar)

    @property
    def table(self) -> BigTable:
        return self.query_one(BigTable)

    def action_write(self) -> None:
        """The last question, ready to be changed."""
        self.bar.open(self._text or "SELECT ")

    def action_close(self) -> None:
        self.post_message(SqlClosed())

    def ask(self, text: str) -> None:
        """What stands there until the answer comes."""
        self._text = text
        self.table.border_title = clean(" ".join(text.split()))
        self.table.border_subtitle = ""
        self._empty("reading")

    def show(self, found: SqlRows) -> None:
        table = self.table
        table.columns = found.columns
        table.border_title = found.title()
        table.border_subtitle = f" {note} " if (note := found.note()) else ""
        table.advice = ("", "no row; : asks something else, esc closes")
        table.show(found, len(found.rows), dict(enumerate(found.rows)))

    def fail(self, sentence: str) -> None:
        self._empty(*clean(sentence).split("; "), "", ": changes the question, esc closes")

    def _empty(self, *lines: str) -> None:
        self.table.columns = ()
        self.table.advice = ("", *lines)
        self.table.show(None, 0, {})

    # The rows are no events: what is done with those is not done with these.

    def on_row_reached(self, message: RowReached) -> None:
        message.stop()

    def on_row_opened(self, message: RowOpened) -> None:
        message.stop()

    def on_page_wanted(self, message: PageWanted) -> None:
        message.stop()

    def on_sort_picked(self, message: SortPicked) -> None:
        message.stop()
