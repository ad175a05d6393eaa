"""The whole dashboard through the cell diff: the picture of stock Textual, cell by cell."""

from datetime import timedelta

from tests.tui.decks import Clock, settled, until
from tests.tui.fake_store import NOW, FakeStore
from tests.tui.terminals import TerminalDriver, on_terminal, settle
from tui.app import DeckApp

KEYS = (
    "down",
    "v",
    "left",
    "escape",
    "question_mark",
    "escape",
    "left_square_bracket",
    "slash",
    "a",
)


class Walk:
    """A dashboard on a clock that stands, walked through key by key."""

    def __init__(self, *, cell_diff):
        self.clock = Clock()
        self.app = DeckApp(FakeStore, clock=self.clock, driver_class=TerminalDriver, collector=None)
        self.app.cell_diff = cell_diff
        self.app.animation_level = "none"

    async def pictures(self, size=(80, 24)):
        return await on_terminal(self.app, self._steps, size)

    async def _steps(self, pilot):
        shown = []
        await until(pilot, lambda: self.app.stored is not None)
        await self._still(pilot, shown, "first")
        for second in (1, 2):
            self.clock.now = NOW + timedelta(seconds=second)
            await pilot.pause(0.3)
            await self._still(pilot, shown, f"second {second}")
        for key in KEYS:
            await pilot.press(key)
            await self._still(pilot, shown, key)
        self.app.theme = "eventdeck-light"
        await self._still(pilot, shown, "light")
        return shown

    async def _still(self, pilot, shown, name):
        await settled(pilot)
        # The blinking of a cursor is no part of the picture.
        for widget in self.app.screen.query("Input"):
            widget.cursor_blink = False
        await settle(pilot)
        shown.append((name, self.app._driver.cells()))


async def test_every_step_shows_the_cells_of_stock_textual(monkeypatch):
    # What was sent is shown in the header; that alone is to differ.
    monkeypatch.setattr("tui.meter.Meter.rate", lambda _: 0.0)
    ours = await Walk(cell_diff=True).pictures()
    stock = await Walk(cell_diff=False).pictures()
    for (name, mine), (_, theirs) in zip(ours, stock, strict=True):
        wrong = [
            (x, y, theirs[y][x], mine[y][x])
            for y in range(len(theirs))
            for x in range(len(theirs[y]))
            if theirs[y][x] != mine[y][x]
        ]
        assert not wrong, (name, len(wrong), wrong[:3])
