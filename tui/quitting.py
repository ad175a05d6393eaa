"""What ctrl+c does: elsewhere it ends a program, and whoever presses it twice means that."""

import math
import time
from typing import Final

from textual.app import App

QUIT_AGAIN_SECONDS: Final = 2.0


class Quitting(App[None]):
    """ctrl+c says how to quit; a second one soon after does it."""

    _quit_asked = -math.inf

    def action_help_quit(self) -> None:
        """In place of Textual's, which tells of ctrl+q alone."""
        before, self._quit_asked = self._quit_asked, time.monotonic()
        if self._quit_asked - before <= QUIT_AGAIN_SECONDS:
            self.exit()
            return
        keys = (key for key, each in self.active_bindings.items() if each.binding.id == "quit")
        said = f"ctrl+c again quits, as {next(keys, 'ctrl+q')} does"
        self.notify(said, markup=False, timeout=QUIT_AGAIN_SECONDS)
