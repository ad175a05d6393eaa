"""The half of Explore that asks in SQL: `:` opens a pane over the events."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.messages import QueryFailed, ResultReady, SqlClosed, SqlLeft, SqlPicked, SqlTyped
from tui.screens.deck_screen import DeckScreen
from tui.views.sql_answer import completion_of, names_work, sql_work
from tui.widgets.sql_pane import SqlPane


class AskingSql(DeckScreen):
    """Has the class `-sql` while the pane is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "sql", "sql", show=False, tooltip="a question in SQL", id="explore.sql"),
    ]
    _names: Sequence[str] = ()

    @property
    def sql(self) -> SqlPane:
        return self.query_one(SqlPane)

    async def action_sql(self) -> None:
        """The pane is made when it is wanted first."""
        if not self.query(SqlPane):
            await self.mount(SqlPane(), after="#explore")
        self.add_class("-sql")
        self.deck.runner.ask("sql.names", names_work, self)
        self.sql.action_write()

    def on_sql_typed(self, message: SqlTyped) -> None:
        completion = completion_of(message.text, message.cursor, self._names)
        self.sql.bar.show_completion(completion)

    def on_sql_picked(self, message: SqlPicked) -> None:
        self.sql.ask(message.text)
        self.deck.runner.ask("sql.answer", sql_work(message.text, self.deck.seen()), self)

    def on_sql_left(self, message: SqlLeft) -> None:
        """To the answer: what had the focus before may lie under the pane."""
        message.stop()
        self.sql.table.focus()

    def on_sql_closed(self, message: SqlClosed) -> None:
        """Back to the events; nobody waits for the answer."""
        message.stop()
        self.deck.runner.cancel("sql.answer")
        self.remove_class("-sql")
        self.query_one("#rows").focus()

    def key_escape(self) -> None:
        """The pane is closed first."""
        if not self.has_class("-sql"):
            super().key_escape()

    def on_result_ready(self, message: ResultReady) -> None:
        match message.asker:
            case "sql.names":
                self._names = message.result
            case "sql.answer":
                self.sql.show(message.result)

    def on_query_failed(self, message: QueryFailed) -> None:
        if message.asker == "sql.answer":
            self.sql.fail(message.sentence)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is done with events is not done while the pane lies over them."""
        events = action in ("brush", "whole", "timeline", "user", "neighbours", "error", "panel")
        if self.has_class("-sql") and (events or action in ("sql", "back")):
            return False
        return super().check_action(action, parameters)
