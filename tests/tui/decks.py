"""Opens the dashboard on a made-up store, at a size, with a clock that stands."""

from contextlib import asynccontextmanager

from tests.tui.fake_store import NOW, FakeStore
from tui.app import DeckApp

COLLECTOR = "http://127.0.0.1:4318"


class Clock:
    """Goes on only when told to."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


@asynccontextmanager
async def deck(size=(120, 40), store=None, clock=None, **options):
    """The app with its pilot, once the first answers are on the screen."""
    store = store or FakeStore()
    options = {"collector": COLLECTOR, "clock": clock or Clock(), **options}
    app = DeckApp(lambda: store, **options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.stored is not None)
        await settled(pilot)
        yield app, pilot


async def until(pilot, condition, seconds=60.0):
    for _ in range(int(seconds / 0.02)):
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come about")


async def settled(pilot):
    """Until no question is open and every message was handled."""
    app = pilot.app
    await pilot.pause()
    await until(pilot, lambda: not app.runner.askers())
    await pilot.pause()


async def press(pilot, *keys):
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


def text(app):
    """What stands on the screen, a line a row."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in row).rstrip() for row in strips)


def below_tabs(app):
    """The same without the header: another screen must not change this one's golden."""
    return text(app).partition("\n")[2]
