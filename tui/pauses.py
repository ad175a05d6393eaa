"""Keeps the pauses short that Python itself makes in the event loop."""

import gc
import sys
from typing import Any, Final

from textual.app import App

# A query in Python holds the interpreter for 5 ms each time the loop wants it back, which is
# several times a key.
SWITCH_SECONDS: Final = 0.001
# By then the widgets, the stylesheet and Polars are there to stay.
SETTLED_SECONDS: Final = 4.0
# Few collections, and of the oldest hardly any: an answer makes ten thousand objects that go again.
THRESHOLDS: Final = (10_000, 20, 50)


def keep_pauses_short(app: App[Any]) -> None:
    """For the process of a dashboard on a real terminal, once, when its first frame is out.

    A collection of all generations took 90 ms in the middle of a frame: what has been made by
    then is made exempt from later ones.
    """
    if app.is_headless:
        return
    sys.setswitchinterval(SWITCH_SECONDS)
    app.set_timer(SETTLED_SECONDS, _exempt_what_stands)


def _exempt_what_stands() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
