"""Leaving the dashboard."""

import pytest
from textual import events

from tests.tui.decks import deck


@pytest.mark.parametrize("key", ["t", "question_mark", "slash", "2", "space"])
async def test_keys_typed_after_q_do_nothing(key):
    async with deck() as (app, pilot):
        app.post_message(events.Key("q", "q"))
        app.post_message(events.Key(key, None))
        await pilot.pause(0.1)
    assert app._exception is None
    assert app.return_code == 0
