import pytest

from store.errors import UsageError
from tests.tui.decks import deck, press
from tui.commands.dashboard import checked_keys
from tui.keys import binding_ids
from tui.view_state import View
from tui.widgets.help import Help


async def test_a_key_of_the_settings_acts_instead_of_the_actions_own():
    async with deck(keys={"screen.explore": "x"}) as (app, pilot):
        await press(pilot, "2")
        assert app.view == View()
        await press(pilot, "x")
        assert app.view.screen == "explore"


async def test_the_help_names_the_actions_that_keys_can_be_given_to():
    async with deck() as (app, pilot):
        await press(pilot, "question_mark")
        assert isinstance(app.screen, Help)
        named = {name for _, rows in app.screen._sections for _, _, name in rows if name}
        assert named
        assert named <= binding_ids()


def test_an_action_that_there_is_not_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match=r"no action is called 'chart\.brus'.*chart\.brush"):
        checked_keys({"chart.brus": "B"})
