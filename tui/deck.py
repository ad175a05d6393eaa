"""The app as its screens see it: they need not know it, nor it their kinds."""

from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, Protocol

from tui.messages import StoreChanged
from tui.query_runner import QueryRunner
from tui.store_door import Store
from tui.view_state import History, Seen, View


class Deck(Protocol):
    """What a screen may ask of the app that shows it; tui.app has it."""

    runner: QueryRunner
    history: History
    zone: tzinfo
    stored: StoreChanged | None
    """What the store was last known to hold; None until it is open."""

    @property
    def collector(self) -> str | None:
        """The address of the collector that serves this store."""

    @property
    def failures(self) -> Iterable[tuple[datetime, str, str]]:
        """When something failed, in a sentence and in full, the latest last."""

    @property
    def generation(self) -> str:
        """Changes when what is stored does."""

    @property
    def view(self) -> View:
        """What is looked at now."""

    @property
    def store(self) -> Store | None:
        """The store once it is open; ask it through `runner` only."""

    def now(self) -> datetime:
        """The instant that the view takes for now."""

    def seen(self) -> Seen:
        """The view with its span as of now."""

    def look_at(self, view: View) -> None:
        """Shows another view; the one before is a step back."""

    def on_screen(self, mode: str, view: View) -> View:
        """The view on another screen."""

    def ask(self, *, forced: bool) -> None:
        """Lets the current screen ask what it needs; `forced`, also while it still waits."""

    def failed(self, sentence: str, detail: str = "") -> None:
        """Tells it, and keeps it for Health."""

    def copy_text(self, text: str) -> None:
        """To the clipboard of whoever looks."""

    def notify(self, message: str, *, timeout: float | None = None) -> Any:
        """A toast."""

    def action_pause(self) -> None:
        """Holds the view, or lets it follow again."""

    def action_undo(self) -> None:
        """Back to the view before."""
