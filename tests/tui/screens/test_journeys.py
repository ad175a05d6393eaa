"""Journeys on a real store: a tree that unfolds, turns round, and leads to its sessions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from tests.tui.decks import Clock, deck, press, settled, text
from tests.tui.screens.test_overview import check
from tests.tui.screens.test_sessions import HOSTILE, users, visit
from tui.screens.journeys import JourneysScreen
from tui.theme import look_of
from tui.view_state import View
from tui.widgets.journey_tree import JourneyTree
from tui.widgets.start_bar import StartBar

JOURNEYS = View(screen="journeys", span=timedelta(hours=1))
WAYS = (
    *["view search cart pay"] * 8,
    *["view search"] * 20,
    *["view cart"] * 9,
    *["login view"] * 3,
    *["view help"],
)


@pytest.fixture
def store(tmp_path):
    rows = []
    for who, way in enumerate(WAYS):
        rows += visit(f"u{who:02}", 3000 - 9 * who, *way.split(), session_id=f"s{who:02}")
        rows += [
            {**row, "event_type": "span", "event_name": "request"}
            for row in visit(f"u{who:02}", 2990 - 9 * who, "x", session_id=f"s{who:02}")
        ]
    write(tmp_path, events_of(rows))
    return EventStore(tmp_path, now=lambda: NOON)


def looking(store, view=JOURNEYS, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOON), **options)


def tree(app):
    return app.screen.query_one(JourneyTree)


def lines(app):
    """(depth, name, share, sessions) of each branch."""
    return [
        (len(branch.way), branch.name, round(branch.share * 100), branch.count)
        for branch in tree(app).tree_shown.branches
    ]


def cursor_name(app):
    return tree(app).current.name


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_the_tree_stands_as_drawn(store, size):
    async with looking(store, size=size) as (app, pilot):
        await press(pilot, "down")
        check(f"journeys-{size[0]}x{size[1]}", text(app))


async def test_in_ascii_there_is_nothing_else(store):
    async with looking(store, ascii_glyphs=True) as (app, _):
        assert text(app).isascii()


async def test_from_session_starts_the_ways_that_many_go_are_unfolded(store):
    async with looking(store) as (app, _):
        assert lines(app) == [
            (0, "", 100, 41),
            (1, "view", 93, 38),
            (2, "search", 74, 28),
            (3, "cart", 29, 8),
            (4, "pay", 100, 8),
            (3, "… end", 71, 20),
            (2, "cart", 24, 9),
            (3, "… end", 100, 9),
            (2, "help", 3, 1),
            (3, "… end", 100, 1),
            (1, "login", 7, 3),
            (2, "view", 100, 3),
            (3, "… end", 100, 3),
        ]
        assert tree(app).border_title == "what people do next"


async def test_every_branch_adds_up_to_what_came_in(store):
    async with looking(store) as (app, _):
        branches = tree(app).tree_shown.branches
        for branch in branches:
            below = [each.count for each in branches if each.way[:-1] == branch.way and each.way]
            assert not below or sum(below) == branch.count


async def test_enter_folds_and_unfolds_a_level_at_once_and_the_view_remembers(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "down", "enter")
        assert [name for _, name, *_ in lines(app)] == ["", "view", "login", "view", "… end"]
        assert cursor_name(app) == "view"
        await press(pilot, "right")
        assert [name for depth, name, *_ in lines(app) if depth == 2][:3] == [
            *("search", "cart", "help"),
        ]
        assert View.parse(app.view.text(), now=NOON) == app.view
        await press(pilot, "alt+left")
        assert [name for _, name, *_ in lines(app)] == ["", "view", "login", "view", "… end"]


async def test_right_goes_into_a_branch_and_left_out_of_it(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "right", "right", "right")
        assert tree(app).current.way == ("view", "search", "cart")
        await press(pilot, "left")
        await press(pilot, "left")
        assert tree(app).current.way == ("view", "search")
        await press(pilot, "left", "left", "left", "left", "left")
        assert tree(app).current.way == ()


async def test_everything_can_be_folded(store):
    async with looking(store, JOURNEYS.with_option("unfold", "view")) as (app, pilot):
        await press(pilot, "down", "left")
        assert [name for _, name, *_ in lines(app)] == ["", "view", "login"]
        assert not any(branch.unfolded for branch in tree(app).tree_shown.branches[1:])


async def test_the_start_is_written_in_place_with_completion(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "a")
        assert app.screen.query_one(StartBar).is_open
        await press(pilot, "c", "a")
        assert app.screen.query_one(StartBar).completions.option == "cart"
        await press(pilot, "tab", "enter")
        assert app.view.option("start") == "cart"
        assert lines(app)[:2] == [(0, "", 100, 17), (1, "pay", 47, 8)]
        assert tree(app).border_title == "what people do after the first cart"
        assert "17 of 41 sessions" in tree(app).border_subtitle
        await press(pilot, "a", "delete", "enter")
        assert app.view.option("start") == ""


async def test_a_start_that_nobody_came_to_says_what_to_do(store):
    async with looking(store, JOURNEYS.with_option("start", "nowhere")) as (app, _):
        assert "none of 41 sessions has nowhere" in text(app)
        assert "a starts from another event" in text(app)


async def test_r_turns_the_tree_round(store):
    async with looking(store, JOURNEYS.with_option("start", "cart")) as (app, pilot):
        await press(pilot, "r")
        assert lines(app)[1:3] == [(1, "view", 53, 9), (2, "… start", 100, 9)]
        assert (1, "search", 47, 8) in lines(app)
        assert "began here" in text(app)
        assert tree(app).border_title == "what people did before the first cart"
        await press(pilot, "r")
        assert "ended here" in text(app)


async def test_c_counts_all_events_and_without_acts_they_count_anyway(store, tmp_path):
    async with looking(store) as (app, pilot):
        await press(pilot, "c")
        assert tree(app).border_title == "what comes next"
        assert "request" in text(app)
    rows = [{**row, "event_type": "log"} for row in visit("ada", 60, "boot", "ready")]
    write(tmp_path / "logs", events_of(rows))
    async with looking(EventStore(tmp_path / "logs", now=lambda: NOON)) as (app, _):
        assert [name for _, name, *_ in lines(app)] == ["", "boot", "ready", "… end"]


async def test_a_tree_that_took_long_rests_before_it_is_asked_for_again(store, monkeypatch):
    monkeypatch.setattr("tui.screens.deck_screen.LONG_SECONDS", 0.0)
    monkeypatch.setattr(JourneysScreen, "rests", 1_000_000)
    clock = Clock(NOON)
    async with deck(store=store, view=JOURNEYS, clock=clock) as (app, pilot):
        span = app.screen._seen.span
        clock.now += timedelta(minutes=5)
        app.ask(forced=False)
        await settled(pilot)
        assert app.screen._seen.span == span
        await press(pilot, "minus")
        assert app.screen._seen.span != span


async def test_rarer_names_are_one_row_that_opens_more_of_them(tmp_path):
    rows = [
        row
        for n in range(40)
        for row in visit(f"u{n}", 3000 - n, "view", f"page{n % 12:02}", session_id=f"s{n}")
    ]
    write(tmp_path, events_of(rows))
    view = JOURNEYS.with_option("unfold", "view")
    async with looking(EventStore(tmp_path, now=lambda: NOON), view) as (app, pilot):
        assert "4 other names" in text(app)
        await press(pilot, "end", "enter")
        assert "other names" not in text(app)
        assert "page11" in text(app)


async def test_i_lists_the_sessions_behind_a_branch_and_escape_returns(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "down", "down", "down", "down", "i")
        await settled(pilot)
        assert app.view.screen == "sessions"
        assert users(app) == [f"u{n:02}" for n in range(7, -1, -1)]
        assert "8 sessions that went from their start ▸ view ▸ search ▸ cart ▸ pay" in text(app)
        await press(pilot, "enter", "escape")
        assert app.view.screen == "sessions"
        await press(pilot, "escape")
        assert app.view == JOURNEYS


async def test_enter_on_an_end_lists_those_who_ended_there(store):
    async with looking(store) as (app, pilot):
        await press(pilot, *["down"] * 5, "enter")
        await settled(pilot)
        assert app.view.screen == "sessions"
        assert len(users(app)) == 20


async def test_no_session_says_what_makes_one(tmp_path):
    write(tmp_path, events_of([{"event_time": NOON, "event_name": "x"}]))
    view = replace(JOURNEYS, span=timedelta(days=2))
    async with looking(EventStore(tmp_path, now=lambda: NOON), view) as (app, _):
        assert "no session starts in this time" in text(app)


async def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    write(tmp_path, events_of(visit("ada", 50, HOSTILE, f"{HOSTILE}>|\\", "view")))
    async with looking(EventStore(tmp_path, now=lambda: NOON)) as (app, pilot):
        await press(pilot, "down", "down", "enter", "enter")
        seen = text(app)
        assert "␛]2;title" in seen
        assert "\x1b" not in seen
        assert "\u202e" not in seen
        assert [name for _, name, *_ in lines(app)][2:] == [f"{HOSTILE}>|\\", "view"]


async def test_a_tree_longer_than_its_panel_shows_where_in_it_one_is(store):
    async with looking(store, size=(80, 16)) as (app, pilot):
        thumb, rail = look_of(app).glyphs.thumb, look_of(app).glyphs.rail

        def bar():
            return [tree(app).render_line(y).text[-1] for y in range(1, tree(app).size.height)]

        assert bar()[0] == thumb
        assert bar()[-1] == rail
        await press(pilot, "end")
        assert bar()[0] == rail
        assert bar()[-1] == thumb
        width = tree(app).size.width
        await pilot.click(JourneyTree, offset=(width + 1, 2))
        assert tree(app).current.way == ()
        await pilot.resize_terminal(80, 40)
        await settled(pilot)
        assert not {thumb, rail} & set(bar())


async def test_on_a_tiny_screen_no_number_is_cut(store):
    async with looking(store, size=(40, 10), ascii_glyphs=True) as (app, _):
        assert text(app).isascii()
        head = tree(app).render_line(0).text
        assert head[:-2].rstrip().endswith("share")
