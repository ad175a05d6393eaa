"""Health: what became of every event, how the collector does, what the store holds."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from store.analytics.query import Query
from tui.collector_watch import own_memory_bytes, read_stats
from tui.messages import ResultReady, StatsRead, StoreChanged
from tui.screens.deck_screen import Answers, DeckScreen
from tui.view_state import Seen
from tui.views.health import (
    breakdown_facts,
    collector_facts,
    failure_facts,
    sending_facts,
    store_facts,
    sum_note,
    tally_facts,
)
from tui.widgets.facts_panel import FactsPanel
from tui.widgets.header import Tab

TALLY: Final = "health.tally"


class HealthScreen(DeckScreen):
    """Asks the collector once a second while it is looked at; without one, the store's parts."""

    scope = "all that was ever received"
    AUTO_FOCUS = "FactsPanel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "maximise", "maximise", id="health.maximise"),
        Binding("tab", "app.focus_next", "next panel", show=False, id="health.next"),
    ]

    def body(self) -> Iterable[Widget]:
        yield Horizontal(
            Vertical(
                FactsPanel("what became of every event", id="fates"),
                FactsPanel("by intake and reason", id="reasons"),
            ),
            Vertical(FactsPanel("collector", id="collector"), FactsPanel("store", id="store")),
            id="health",
        )
        yield FactsPanel("failures of this dashboard", id="failures")
        yield FactsPanel("how to send events here", id="sending")

    def __init__(self, mode: str, tabs: tuple[Tab, ...]) -> None:
        super().__init__(mode, tabs)
        self._reading = False
        self._stats: Mapping[str, Any] | None = None

    def on_mount(self) -> None:
        self._show_all()

    def questions(self, seen: Seen) -> Mapping[str, Query]:  # noqa: ARG002
        return {}

    def show(self, seen: Seen, answers: Answers) -> None:
        """It asks nothing by the view: its numbers are of all that was ever received."""

    def store_changed(self, change: StoreChanged) -> None:  # noqa: ARG002
        self._show_all()

    def ticked(self, seen: Seen) -> None:  # noqa: ARG002
        self._show_all()
        url = self.deck.collector
        if not url:
            self._ask_the_parts()
        elif not self._reading:
            self._reading = True
            self.run_worker(partial(self._read, url), thread=True, exit_on_error=False)

    def _read(self, url: str) -> None:
        """In a thread: a collector that hangs never holds up a key."""
        self.post_message(read_stats(url))

    def on_stats_read(self, message: StatsRead) -> None:
        self._reading = False
        self._stats = message.stats
        if message.tally is None:
            self._ask_the_parts()
        else:
            self._show_tally(message.tally)
        self._show_all()

    def _ask_the_parts(self) -> None:
        """Without a collector the footers of the parts have the tally."""
        if self.deck.store:
            self.deck.runner.ask(TALLY, lambda store, _: store.tally().as_json(), self)

    def on_result_ready(self, message: ResultReady) -> None:
        if message.asker == TALLY:
            message.stop()
            self._show_tally(message.result)
        else:
            super().on_result_ready(message)

    def _show_tally(self, tally: Mapping[str, Any]) -> None:
        fates = self._panel("fates")
        fates.facts = tally_facts(tally)
        fates.note = sum_note(tally)
        self._panel("reasons").facts = breakdown_facts(tally)

    def _show_all(self) -> None:
        deck = self.deck
        self._panel("collector").facts = collector_facts(deck.collector, self._stats)
        self._panel("store").facts = store_facts(
            deck.stored, now=deck.now(), zone=deck.zone, memory=own_memory_bytes()
        )
        self._panel("failures").facts = failure_facts(list(deck.failures), deck.zone)
        self._panel("failures").display = bool(deck.failures)
        self._panel("sending").facts = sending_facts(deck.collector)

    def _panel(self, name: str) -> FactsPanel:
        return self.query_one(f"#{name}", FactsPanel)
