"""Health."""

from collections.abc import Iterable, Mapping

from textual.widget import Widget

from store.analytics.query import Query
from tui.screens.deck_screen import Answers, DeckScreen, Seen
from tui.widgets.empty_state import EmptyState


class HealthScreen(DeckScreen):
    """What became of every event, and how the collector does."""

    mode = "health"
    key = "7"
    label = "Health"

    def body(self) -> Iterable[Widget]:
        yield EmptyState()

    def questions(self, seen: Seen) -> Mapping[str, Query]:  # noqa: ARG002
        return {}

    def show(self, seen: Seen, answers: Answers) -> None:
        pass
