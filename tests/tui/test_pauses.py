"""The dashboard's process is tuned; a process that only tests it is not."""

import gc
import sys

from textual.app import App

from tests.tui.terminals import TerminalDriver, on_terminal
from tui import pauses


async def test_on_a_terminal_what_stands_is_exempt_from_later_collections(monkeypatch):
    frozen = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    monkeypatch.setattr(sys, "setswitchinterval", frozen.append)
    monkeypatch.setattr(pauses, "SETTLED_SECONDS", 0.01)

    async def steps(pilot):
        pauses.keep_pauses_short(pilot.app)
        await pilot.pause(0.1)

    await on_terminal(App(driver_class=TerminalDriver), steps)
    assert frozen == [pauses.SWITCH_SECONDS, True]


async def test_a_test_run_keeps_its_own_settings(monkeypatch):
    changed = []
    monkeypatch.setattr(sys, "setswitchinterval", changed.append)
    async with App().run_test() as pilot:
        pauses.keep_pauses_short(pilot.app)
    assert not changed
