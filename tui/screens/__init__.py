"""The screens, one a file; SCREENS gives them their keys, tabs and names in a view's text."""

from typing import Final

from tui.screens.deck_screen import DeckScreen
from tui.screens.explore import ExploreScreen
from tui.screens.health import HealthScreen
from tui.screens.overview import OverviewScreen

SCREENS: Final[tuple[type[DeckScreen], ...]] = (OverviewScreen, ExploreScreen, HealthScreen)
