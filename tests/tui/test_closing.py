"""Leaving the dashboard."""

import pytest
from textual import events

from tests.tui.decks import deck
from tui.messages import StoreChanged
from tui.screens.overview import OverviewScreen
from tui.widgets.names_table import NamesTable


@pytest.mark.parametrize("key", ["t", "question_mark", "slash", "2", "space"])
async def test_keys_typed_after_q_do_nothing(key):
    async with deck() as (app, pilot):
        app.post_message(events.Key("q", "q"))
        app.post_message(events.Key(key, None))
        await pilot.pause(0.1)
    assert app._exception is None
    assert app.return_code == 0


async def test_news_of_the_store_while_the_screens_close_changes_nothing(monkeypatch):
    told = []
    async with deck() as (app, pilot):
        await pilot.pause(0.1)
        assert app.deck_screen is app.screen

        def news(screen):
            assert not screen.query(NamesTable), "its widgets have gone"
            app.on_store_changed(StoreChanged("2", 1, 100, 1, None, []))
            told.append(app.deck_screen)

        monkeypatch.setattr(OverviewScreen, "on_unmount", news, raising=False)
    assert app._exception is None
    assert told == [None]
