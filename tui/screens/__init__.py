"""The screens, one a file; SCREENS gives them their keys, tabs and names in a view's text."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen


class Entry(NamedTuple):
    """A screen before it is shown: its module is read then, since reading all of them would
    delay the first picture by a tenth.
    """

    key: str
    """The number key that opens it."""
    label: str
    mode: str
    """Its name in the text of a view, and of its module."""
    type_name: str
    options: tuple[str, ...] = ()
    """The settings of its own that a view may hold, as names in the view's text."""

    def load(self) -> "Callable[..., Screen[Any]]":
        """What makes a DeckScreen out of its mode and the tabs."""
        found: Callable[..., Screen[Any]]
        found = getattr(import_module(f"{__name__}.{self.mode}"), self.type_name)
        return found


SCREENS: Final = (
    Entry("1", "Overview", "overview", "OverviewScreen"),
    Entry("2", "Explore", "explore", "ExploreScreen"),
    Entry(
        *("3", "Funnel", "funnel", "FunnelScreen"),
        ("steps", "window", "order", "per", "exclude", "count", "value", "who", "user", "why"),
    ),
    Entry(
        *("4", "Journeys", "journeys", "JourneysScreen"),
        ("start", "turn", "unfold", "show", "of"),
    ),
    Entry(
        *("5", "Retention", "retention", "RetentionScreen"),
        ("start", "back", "interval", "mode", "on", "clock", "least", "who"),
    ),
    Entry(
        *("6", "Sessions", "sessions", "SessionsScreen"),
        ("session", "user", "at", "way", "start", "turn", "of"),
    ),
    Entry("7", "Health", "health", "HealthScreen"),
    Entry("8", "Analyses", "analyses", "AnalysesScreen", ("ask", "with")),
)
