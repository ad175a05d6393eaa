"""Funnel on a real store: from a number to those it counts, and to what one of them did."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from tests.tui.decks import Clock, below_tabs, deck, press, settled, text
from tests.tui.screens.test_overview import check
from tui.view_state import View
from tui.widgets.big_table import BigTable
from tui.widgets.steps_panel import StepsPanel

FUNNEL = View(screen="funnel", span=timedelta(hours=1))
STEPS = FUNNEL.with_option("steps", "view,cart,pay").with_option("window", "10m")


@pytest.fixture
def store(tmp_path):
    """Forty who look, twenty of them who fill a cart, eight who pay; the last half is still open."""
    rows = []
    for who in range(40):
        began = NOON - timedelta(minutes=50 if who % 2 else 5, seconds=who)
        visit = ["view", "search", *(["cart"] if who < 20 else ["view"])]
        visit += ["pay"] if who < 8 else []
        rows += [
            {
                "event_time": began + timedelta(seconds=20 * at),
                "event_type": "behavioral",
                "event_name": name,
                "user_id": f"u{who:02}",
                "plan": "pro" if who % 4 == 0 else "free",
            }
            for at, name in enumerate(visit)
        ]
    write(tmp_path, events_of(rows))
    return EventStore(tmp_path, now=lambda: NOON)


def opened(store, view=STEPS, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOON), **options)


async def typed(pilot, words, *keys):
    """As if typed in one go, and then these keys."""
    pilot.app.focused.insert_text_at_cursor(words)
    await settled(pilot)
    await press(pilot, *keys)


def panel(app):
    return app.screen.query_one(StepsPanel)


def titles(app):
    return [p.border_title for p in app.screen.query(".panel") if p.display]


def listed(app, name):
    table = app.screen.query_one(f"#{name}", BigTable)
    return [table.row(place) for place in range(table.total)]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_the_funnel_stands_as_drawn(store, size):
    async with opened(store, size=size) as (app, _):
        check(f"funnel-{size[0]}x{size[1]}", below_tabs(app))


async def test_it_reads_without_colours_and_in_ascii(store, monkeypatch):
    async with opened(store, ascii_glyphs=True) as (app, _):
        shown = below_tabs(app)
        assert shown.isascii()
        check("funnel-120x40-ascii", shown)
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(store, size=(80, 24)) as (app, _):
        check("funnel-80x24-no-color", below_tabs(app))


async def test_steps_are_proposed_where_nobody_wrote_any(store):
    async with opened(store, view=FUNNEL) as (app, pilot):
        assert [step.name for step in panel(app).steps.steps] == ["view", "search", "cart", "pay"]
        assert "proposed" in text(app)
        await press(pilot, "y")
        assert app.clipboard.startswith(
            "eventdeck open 'funnel?last=1h&steps=view,search,cart,pay&"
        )


async def test_a_window_that_nobody_set_is_a_proposal_and_one_that_was_set_is_not(store):
    steps = FUNNEL.with_option("steps", "view,search,cart,pay")
    async with opened(store, view=steps, size=(80, 24)) as (app, pilot):
        assert text(app).count("proposed") == 1
        assert "within 15m proposed" in text(app)
        app.look_at(steps.with_option("window", "7m"))
        await settled(pilot)
        assert "within 7m" in text(app)
        assert "proposed" not in text(app)


async def test_what_was_lost_opens_and_its_numbers_are_those_of_the_funnel(store):
    async with opened(store) as (app, pilot):
        lost = panel(app).steps.steps[1]
        await press(pilot, "down", "enter")
        assert app.view.option("who") == "gone:2"
        states = [row["state"] for row in listed(app, "people")]
        assert states.count("gone") == lost.drop_off == 10
        assert states.count("open") == lost.still_possible == 10
        assert states[0] == "gone"
        assert "20 users did not come to cart" in titles(app)
        assert {row["then"] for row in listed(app, "people")} == {"search"}
        assert "then search 100 %" in app.screen.query_one("#people").border_subtitle
        assert app.focused.id == "people"


async def test_a_user_opens_as_what_they_did_and_esc_leads_back(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "down", "enter", "down", "enter")
        user = app.view.option("user")
        assert user == listed(app, "people")[1]["user"]
        rows = listed(app, "journey")
        assert [row["event"]["event_name"] for row in rows] == ["view", "search", "view"]
        assert [row["step"] for row in rows] == [1, None, None]
        assert f"{user}: stopped after 1 of 3" in titles(app)
        await press(pilot, "escape")
        assert not app.view.option("user")
        assert app.focused.id == "people"
        people = app.screen.query_one("#people", BigTable)
        assert people.row(people.cursor)["user"] == user
        await press(pilot, "escape")
        assert app.focused is panel(app)
        assert "conversion by when they began, %" in titles(app)


async def test_who_came_to_a_step_says_how_far_they_went(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "down", "down", "enter")
        assert app.view.option("who") == "here:2"
        states = [row["state"] for row in listed(app, "people")]
        assert (states.count("on"), len(states)) == (8, 20)


async def test_from_a_journey_on_to_the_events_themselves(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "enter", "enter", "enter")
        assert app.view.screen == "explore"
        assert app.view.where.startswith("user_id=u")
        assert app.view.options == ()


async def test_steps_are_written_in_place_with_names_completed(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "e")
        await typed(pilot, ",se", "tab")
        assert app.focused.value == "view,cart,pay,search"
        await press(pilot, "enter")
        assert app.view.option("steps") == "view,cart,pay,search"
        assert app.focused is panel(app)
        assert panel(app).steps.steps[3].count == 0


async def test_a_step_takes_a_filter_whose_values_are_completed_too(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "e")
        await typed(pilot, " where pla", "tab")
        await typed(pilot, "=pr", "tab", "enter")
        assert app.view.option("steps") == "view,cart,pay where plan=pro"
        assert panel(app).steps.steps[2].count == 2


async def test_steps_that_make_no_sense_are_said_while_they_can_still_be_changed(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "e", "home")
        await typed(pilot, "x optional,", "enter")
        assert "first one cannot be optional" in text(app)
        await press(pilot, "escape")
        assert app.view == STEPS


async def test_a_view_that_makes_no_sense_says_so_where_the_picture_would_be(store):
    async with opened(store, view=STEPS.with_option("order", "sideways")) as (app, _):
        assert "'sideways' is none" in text(app)


async def test_window_order_and_whose_steps_are_picked(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "l")
        await typed(pilot, "20s", "enter")
        assert app.view.option("window") == "20s"
        assert panel(app).steps.steps[1].count == 0
        await press(pilot, "o")
        await typed(pilot, "any", "enter")
        assert app.view.option("order") == "unordered"
        assert panel(app).steps.steps[0].name == "1 of 3"
        await press(pilot, "u")
        await typed(pilot, "plan", "enter")
        assert app.view.option("per") == "plan"
        assert "per plan" in text(app)


async def test_a_breakdown_stands_below_and_a_value_of_it_narrows_the_funnel(store):
    async with opened(store) as (app, pilot):
        app.look_at(replace(app.view, by="plan"))
        await settled(pilot)
        rows = listed(app, "groups")
        assert [(r["value"], r["group"].steps[0].count) for r in rows] == [
            ("free", 30),
            ("pro", 10),
        ]
        await press(pilot, "tab", "enter")
        assert (app.view.where, app.view.by) == ("plan=free", "")
        assert panel(app).steps.steps[0].count == 30


async def test_a_screen_that_was_left_is_come_back_to_with_its_steps(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "1", "3")
        assert app.view.options == STEPS.options


async def test_where_nobody_is_known_it_says_what_to_do(tmp_path):
    write(tmp_path, events_of([{"event_name": "tick", "event_time": NOON - timedelta(minutes=1)}]))
    store = EventStore(tmp_path, now=lambda: NOON)
    async with opened(store, view=FUNNEL) as (app, pilot):
        assert "nobody can be followed" in text(app)
        await press(pilot, "down", "enter", "tab", "end")
        assert app.is_running


async def test_an_empty_store_says_how_to_send_the_first_event(tmp_path):
    write(tmp_path, events_of([]))
    async with opened(EventStore(tmp_path, now=lambda: NOON)) as (app, pilot):
        assert "curl" in text(app)
        await press(pilot, "e", "l", "o", "u")
        assert app.view == STEPS


async def test_on_a_tiny_screen_the_steps_have_all_the_room(store):
    async with opened(store, size=(40, 10), ascii_glyphs=True) as (app, pilot):
        assert not app.screen.query_one("#trend").display
        assert panel(app).outer_size.height == 10 - 4
        assert text(app).isascii()
        await press(pilot, "enter")
        assert not panel(app).display


async def test_w_says_what_sets_those_who_came_to_a_step_apart(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "down", "down", "down", "down", "w")
        assert app.view.option("why") == "3"
        # The last half is decided of nobody but those who paid.
        assert "why pay: 8 came from cart, 6 did not" in titles(app)
        rows = listed(app, "why")
        assert [(row["what"], row["did"]) for row in rows] == [
            ("plan=free", False),
            ("plan=pro", False),
        ]
        assert "conversion by when they began, %" not in titles(app)
        assert app.focused.id == "why"
        await press(pilot, "escape")
        assert app.focused is panel(app)


async def test_a_reason_narrows_the_funnel_or_opens_its_events(store):
    async with opened(store, view=STEPS.with_option("steps", "view,cart")) as (app, pilot):
        await press(pilot, "w")
        assert "why cart: 20 came from view, 10 did not" in titles(app)
        await press(pilot, "enter")
        assert app.view.where in ("plan=pro", "plan=free")
        assert not app.view.option("why")
    steps = STEPS.with_option("steps", "view,pay").with_option("why", "2")
    async with opened(store, view=steps) as (app, pilot):
        table = app.screen.query_one("#why", BigTable)
        place = next(p for p in range(table.total) if table.row(p)["what"] == "cart")
        table.place_cursor(place)
        await press(pilot, "enter")
        assert (app.view.screen, app.view.where) == ("explore", "event_name=cart")


async def test_a_step_alone_has_no_why(store):
    async with opened(store, view=STEPS.with_option("steps", "view")) as (app, pilot):
        await press(pilot, "w")
        assert "one step alone" in text(app)
        assert not app.view.option("why")


async def test_what_must_not_happen_is_written_with_names_and_places_completed(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "X")
        await typed(pilot, "sea", "tab")
        assert app.focused.value == "search"
        await press(pilot, "down", "enter")
        assert app.focused.value == "search between 1 2"
        await press(pilot, "enter")
        assert app.view.option("exclude") == "search between 1 2"
        assert panel(app).steps.steps[1].count == 0
        assert "without search between 1 2" in text(app)


async def test_an_exclusion_that_makes_no_sense_is_said_while_it_can_still_be_changed(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "X")
        await typed(pilot, "search between 3 9", "enter")
        assert app.screen.has_class("-excluding")
        assert "between" in app.screen.query_one("ExcludeBar .note").content.plain
        await press(pilot, "escape")
        assert app.view == STEPS


async def test_attempts_are_counted_and_still_list_who_made_them(store):
    async with opened(store, view=STEPS.with_option("window", "30s")) as (app, pilot):
        await press(pilot, "c")
        await typed(pilot, "all", "enter")
        assert app.view.option("count") == "attempts"
        assert panel(app).steps.steps[0].count == 60
        assert "attempts" in text(app)
        await press(pilot, "enter")
        assert panel(app).steps.steps[0].count == 60
        assert "40 users came to view" in titles(app)


async def test_a_breakdown_is_by_the_value_of_the_step_that_is_picked(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "a")
        await typed(pilot, "at 2", "enter")
        assert app.view.option("value") == "step:2"
        assert "step:2" in text(app)


async def test_a_title_that_is_cut_in_the_border_is_cut_with_the_sign_of_the_house(store):
    steps = STEPS.with_option("steps", f"view,{'x' * 90}").with_option("who", "here:2")
    async with opened(store, view=steps, size=(80, 24), ascii_glyphs=True) as (app, _):
        assert "came to xxx" in text(app)
        assert text(app).isascii()
    async with opened(store, view=steps, size=(80, 24)) as (app, _):
        assert "xx… " in text(app)


async def test_few_people_are_told_one_by_one_and_open(store):
    few = replace(STEPS, where="user_id=u00,u01,u09,u21", by="plan")
    async with opened(store, view=few) as (app, pilot):
        shown = text(app)
        assert "4 users, one by one" in titles(app)
        assert "3 of 4" in shown
        assert "%" not in shown.split("95 %")[1]
        rows = listed(app, "few")
        assert [row["user"] for row in rows] == ["u01", "u00", "u09", "u21"]
        assert rows[0]["way"] == "view ▸ +40s cart ▸ +1m pay"
        assert [row["outcome"] for row in rows] == ["converted", "converted", "stopped", "stopped"]
        assert rows[3]["key"] == {"plan": "free"}
        assert rows[3]["then"] == "search"
        app.screen.query_one("#few", BigTable).focus()
        await press(pilot, "down", "enter")
        assert "u00: converted" in titles(app)


async def test_many_people_are_not(store):
    async with opened(store) as (app, _):
        assert listed(app, "few") == []
        assert "few" not in {each.id for each in app.screen.query(".panel") if each.display}


async def test_equal_steps_say_how_many_times(store):
    async with opened(store, view=STEPS.with_option("steps", "view,view,cart")) as (app, _):
        assert "view (2 times)" in text(app)


async def test_other_windows_tell_whether_the_share_hangs_on_it(store):
    view = STEPS.with_option("window", "40s")
    async with opened(store, view=view) as (app, _):
        assert (
            panel(app).border_subtitle
            == " to the last within 20s 0 %, 40s 0 %, 1m 20s 20 %, 2m 40s 20 % "
        )
    async with opened(store, view=STEPS.with_option("window", "none")) as (app, _):
        assert panel(app).border_subtitle == ""


async def test_a_journey_says_until_when_the_next_step_had_to_come(store):
    view = STEPS.with_option("steps", "view,cart,pay within 30s").with_option("who", "gone:3")
    async with opened(store, view=view.with_option("user", "u09")) as (app, _):
        table = app.screen.query_one("#journey", BigTable)
        assert "next step until 11:11:01, window until" in table.border_subtitle
