"""Analyses: every question that there is, asked and shown from the same machinery."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.analytics.registry import ANALYSES
from store.event_store import EventStore
from tests.tui.decks import Clock, deck, press, text, until
from tui.view_state import View
from tui.widgets.big_table import BigTable

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)
DAY = timedelta(days=1)
LIST = View(screen="analyses", span=DAY)


@pytest.fixture(scope="module")
def sample():
    return EventStore(ROOT / "sample_data" / "store", now=lambda: NOW)


def asking(name, options="", **more):
    return replace(LIST.with_option("ask", name).with_option("with", options), **more)


def opened(store, view=LIST, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOW), **options)


async def answered(pilot):
    app = pilot.app
    await until(pilot, lambda: app.screen._drawn == app.view, seconds=60)


def rows(app):
    table = app.screen.query_one("#answer", BigTable)
    return [table.row(place) for place in range(table.total)]


async def test_the_list_says_of_each_analysis_what_it_tells(sample):
    async with opened(sample) as (app, pilot):
        shown = text(app)
        assert "Where people stop" in shown
        assert all(f" {each.name} " in shown for each in ANALYSES)
        await press(pilot, "end", "up", "enter")
        assert app.view.option("ask") == ANALYSES[-2].name
        await press(pilot, "escape")
        assert app.view == LIST


async def test_every_analysis_is_shown_at_80x24(sample):
    async with opened(sample, size=(80, 24)) as (app, pilot):
        for each in ANALYSES:
            app.look_at(asking(each.name))
            await answered(pilot)
            found = app.screen._found
            assert (found.fault, found.answer.analysis) == ("", each.name)
            assert max(map(len, text(app).splitlines())) <= 80
            assert "asks" in text(app)
        assert not app.failures
