"""What stands on a screen before its first answer, and after that was cancelled."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.timespan import TimeSpan
from tests.tui.decks import COLLECTOR, Clock, deck, press, settled, text, until
from tests.tui.fake_store import NOW, FakeStore
from tui.app import DeckApp
from tui.screens import SCREENS
from tui.view_state import View
from tui.widgets.drawn import Drawn

# Health asks nothing, and the list of analyses only what there is to be asked.
MODES = [entry.mode for entry in SCREENS if entry.mode not in ("health", "analyses")]
LATER = timedelta(milliseconds=600)


async def held_back(pilot, app, mode):
    """On a screen whose first question is not answered."""
    await pilot.press(next(entry.key for entry in SCREENS if entry.mode == mode))
    await until(pilot, lambda: app.screen.mode == mode and app.runner.busy(mode))


@pytest.mark.parametrize("mode", MODES[1:])
async def test_a_first_answer_that_takes_long_is_said_in_one_panel(mode):
    store, clock = FakeStore(), Clock()
    async with deck((80, 24), store, clock) as (app, pilot):
        store.gate.clear()
        await held_back(pilot, app, mode)
        await pilot.pause(0.3)
        assert "reading" not in text(app)
        clock.now += LATER
        await until(pilot, lambda: "reading 15m of 1,300,000 events …" in text(app))
        assert text(app).count("reading") == 1
        assert "esc cancels" in text(app)
        store.gate.set()
        app.runner.cancel(mode)


async def test_the_first_screen_says_it_too_and_the_answer_takes_its_place():
    store, clock = FakeStore(), Clock()
    store.gate.clear()
    app = DeckApp(lambda: store, collector=COLLECTOR, clock=clock)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.stored is not None and app.runner.busy("overview"))
        assert not any(panel.instead for panel in app.screen.query(Drawn))
        clock.now += LATER
        await until(pilot, lambda: "reading 15m of 1,300,000 events …" in text(app))
        store.gate.set()
        await settled(pilot)
        await until(pilot, lambda: "reading" not in text(app))
        assert "render_frame" in text(app)


async def test_what_is_said_stays_the_same_while_events_come_in():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        store.gate.clear()
        await held_back(pilot, app, "explore")
        clock.now += LATER
        await until(pilot, lambda: "of 1,300,000 events" in text(app))
        store.events += 1000
        await until(pilot, lambda: app.stored.events == store.events)
        clock.now += LATER
        await pilot.pause(0.3)
        assert "of 1,300,000 events" in text(app)
        store.gate.set()


async def test_all_that_is_stored_is_read_without_saying_of_what():
    store, clock = FakeStore(), Clock()
    view = View(span=TimeSpan(NOW - timedelta(days=2), NOW + timedelta(days=1)))
    async with deck(store=store, clock=clock, view=view) as (app, pilot):
        store.gate.clear()
        await held_back(pilot, app, "explore")
        clock.now += LATER
        await until(pilot, lambda: "reading 1,300,000 events …" in text(app))
        store.gate.set()


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(minutes=15), "space reads it after all"),
        (TimeSpan(NOW - timedelta(hours=1), NOW), "t looks at another time"),
    ],
)
async def test_escape_cancels_the_first_question_too_and_it_is_not_asked_again(span, said):
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock, view=View(span=span)) as (app, pilot):
        store.gate.clear()
        await held_back(pilot, app, "explore")
        clock.now += LATER
        await until(pilot, lambda: "reading" in text(app))
        await pilot.press("escape")
        await until(pilot, lambda: said in text(app))
        assert app.view.span == span
        asked = len(store.asked)
        clock.now += timedelta(seconds=3)
        await pilot.pause(0.6)
        assert not app.runner.busy("explore")
        assert len(store.asked) == asked
        store.gate.set()
        app.look_at(replace(app.view, span=timedelta(hours=1), paused=False))
        await until(pilot, lambda: "nothing was read" not in text(app))
        await settled(pilot)
        assert app.screen._drawn == app.view


async def test_a_quick_first_answer_says_nothing(monkeypatch):
    said = []
    monkeypatch.setattr(Drawn, "say_instead", lambda self, advice: said.append(advice))
    async with deck() as (_, pilot):
        await press(pilot, "1")
    assert not any(said)
