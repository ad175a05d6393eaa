"""Sessions on a real store: from the list to one session, and to one event of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from store.timespan import iso
from tests.tui.decks import Clock, deck, press, settled, text, until
from tests.tui.screens.test_overview import check
from tui.view_state import View
from tui.views.journey_text import text_of_names
from tui.widgets.big_table import BigTable
from tui.widgets.event_detail import EventDetail
from tui.widgets.lanes import Lanes

SECOND = timedelta(seconds=1)
SESSIONS = View(screen="sessions", span=timedelta(hours=1))
HOSTILE = "\x1b]2;title\x07\x1b[31m[red]x[/b]\u202ebidi"


def visit(who, ago, *names, step=20, **more):
    """What somebody did, an event every `step` seconds, the first so long ago."""
    return [
        {
            "event_time": NOON - (ago - at * step) * SECOND,
            "event_type": "behavioral",
            "event_name": name,
            "user_id": who,
            "component": "web",
            **more,
        }
        for at, name in enumerate(names)
    ]


@pytest.fixture
def root(tmp_path):
    rows = [
        *visit("ada", 3000, "view", "search", "cart", "pay", session_id="s-ada"),
        *visit("bob", 2000, "view", "search", session_id="s-bob"),
        *visit(None, 1000, "view", install_id="phone"),
        *visit("eve", 980, "login", "view", install_id="phone"),
        *(
            {**row, "severity": 9, "duration_ms": 4000.0, "component": "api"}
            for row in visit("max", 700, "request", "request", session_id="s-max")
        ),
        {
            **visit("max", 640, "crash", session_id="s-max")[0],
            "severity": 17,
            "message": "EACCES: permission denied",
        },
        {"event_time": NOON - 60 * SECOND, "event_name": "nobody's"},
    ]
    write(tmp_path / "s", events_of(rows))
    return tmp_path / "s"


@pytest.fixture
def store(root):
    return EventStore(root, now=lambda: NOON)


def looking(store, view=SESSIONS, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOON), **options)


def table(app, which="session-list"):
    return app.screen.query_one(f"#{which}", BigTable)


def rows_of(app, which="session-list"):
    shown = table(app, which)
    lines = [shown.render_line(y).text[:-2].rstrip() for y in range(1, shown.size.height)]
    return [line for line in lines if line]


def users(app):
    shown = table(app)
    return [shown.row(place)["user_id"] for place in range(shown.total)]


def names(app):
    timeline = table(app, "timeline")
    return [timeline.row(place)["event_name"] for place in range(timeline.total)]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_the_list_and_a_session_stand_as_drawn(store, size):
    async with looking(store, size=size) as (app, pilot):
        check(f"sessions-{size[0]}x{size[1]}", text(app))
        await press(pilot, "enter", "down", "down")
        check(f"session-{size[0]}x{size[1]}", text(app))
        await press(pilot, "enter")
        check(f"session-event-{size[0]}x{size[1]}", text(app))


async def test_in_ascii_there_is_nothing_else(store):
    async with looking(store, ascii_glyphs=True) as (app, pilot):
        assert text(app).isascii()
        await press(pilot, "enter")
        assert text(app).isascii()


async def test_an_opened_session_is_compared_with_nothing_and_says_so(store):
    async with looking(store) as (app, pilot):
        assert "vs previous" in text(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "vs previous" not in text(app))
        await press(pilot, "escape")
        await until(pilot, lambda: "vs previous" in text(app))


async def test_sessions_are_listed_the_newest_first_with_what_they_hold(store):
    async with looking(store) as (app, _):
        assert users(app) == ["max", "eve", "bob", "ada"]
        first = rows_of(app)[0].split()
        assert first[:6] == ["11:48:20", "1m", "3", "1", "3", "2"]
        assert table(app).border_title == "4 sessions"
        assert "EACCES" not in text(app)


async def test_they_sort_by_any_column_and_back(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "s", "s")
        assert app.view.sort == "events"
        assert users(app)[0] == "ada"
        await press(pilot, "S")
        assert users(app)[0] == "bob"
        assert "▴events" in text(app)


async def test_enter_opens_a_session_event_by_event_and_escape_leads_back_step_by_step(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "down", "down", "down", "enter")
        assert app.view.option("session") == "s-ada"
        assert names(app) == ["view", "search", "cart", "pay"]
        offsets = [line.split()[0] for line in rows_of(app, "timeline")]
        assert offsets == ["0:00.000", "0:20.000", "0:40.000", "1:00.000"]
        await press(pilot, "down", "enter")
        assert app.focused is app.screen.query_one(EventDetail)
        assert app.focused.event["event_name"] == "search"
        await press(pilot, "escape")
        assert app.focused.id == "timeline"
        await press(pilot, "escape")
        assert app.focused.id == "session-list"
        assert app.view == SESSIONS
        assert table(app).cursor == 3


async def test_help_says_what_a_session_is(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "question_mark")
        assert "silence of 30 minutes" in " ".join(text(app).split())


async def test_severity_is_told_by_word_and_what_went_wrong_by_lane(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "enter")
        assert "● error" in rows_of(app, "timeline")[2]
        assert "■ info" in rows_of(app, "timeline")[0]
        lanes = app.screen.query_one(Lanes)
        assert [lane.name for lane in lanes.shown.lanes] == ["api", "web"]
        assert "error" in lanes.shown.lanes[1].roles
        assert "max" in lanes.border_title
        assert "1 error" in lanes.border_title


async def test_without_an_id_a_session_is_what_a_user_and_the_linked_device_did(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "down", "enter")
        assert app.view.option("user") == "eve"
        assert names(app) == ["view", "login", "view"]


async def test_a_filter_narrows_the_list_and_an_opened_session_is_whole(store):
    view = replace(SESSIONS, where="event_name=search")
    async with looking(store, view) as (app, pilot):
        assert users(app) == ["bob", "ada"]
        await press(pilot, "enter")
        assert names(app) == ["view", "search"]


async def test_a_session_opens_from_the_text_of_a_view(store):
    text_of_view = f"sessions?last=1h&session=s-bob&at={iso(NOON - 1990 * SECOND)}"
    async with looking(store, View.parse(text_of_view, now=NOON)) as (app, pilot):
        await settled(pilot)
        assert names(app) == ["view", "search"]
        assert View.parse(app.view.text(), now=NOON) == app.view


async def test_a_session_that_is_not_stored_says_so_and_leaves_the_list(store):
    view = SESSIONS.with_option("session", "s-gone").with_option("at", iso(NOON))
    async with looking(store, view) as (app, pilot):
        await settled(pilot)
        assert app.view == SESSIONS
        assert any("not stored" in note.message for note in app._notifications)


async def test_from_explore_l_opens_the_session_of_the_event_and_escape_returns(store):
    explore = replace(SESSIONS, screen="explore", where="event_name=cart")
    async with looking(store, explore) as (app, pilot):
        await press(pilot, "l")
        await settled(pilot)
        assert app.view.screen == "sessions"
        assert names(app) == ["view", "search", "cart", "pay"]
        await press(pilot, "escape")
        assert app.view == explore


async def test_the_events_of_a_session_and_its_user_are_one_key_away(store):
    async with looking(store) as (app, pilot):
        await press(pilot, "u")
        assert app.view.where == "user_id=max"
        await press(pilot, "enter", "o")
        assert app.view.screen == "explore"
        assert app.view.where == "session_id=s-max"


async def test_only_the_sessions_of_a_branch_are_listed_where_one_asks_for_them(store):
    view = SESSIONS.with_option("start", "view").with_option("way", text_of_names(["search"]))
    async with looking(store, view.with_option("of", "all")) as (app, _):
        assert users(app) == ["bob", "ada"]
        assert table(app).border_title == "2 sessions that went from view ▸ search"


async def test_new_sessions_come_in_on_top_and_elsewhere_nothing_moves(root, store):
    clock = Clock(NOON)
    async with deck(store=store, view=SESSIONS, clock=clock) as (app, pilot):
        await press(pilot, "down")
        generation = app.generation
        fresh = [{**row, "event_id": "new"} for row in visit("zoe", 1, "view", session_id="s-zoe")]
        write(root, events_of(fresh))
        clock.now = NOON + 2 * SECOND
        await until(pilot, lambda: app.generation != generation)
        await settled(pilot)
        await until(pilot, lambda: users(app)[0] == "zoe")
        assert table(app).row(table(app).cursor)["user_id"] == "eve"


async def test_no_session_says_what_makes_one(tmp_path):
    write(tmp_path, events_of([{"event_time": NOON - SECOND, "event_name": "x"}]))
    async with looking(EventStore(tmp_path, now=lambda: NOON)) as (app, _):
        seen = text(app)
        assert "no session starts in this time" in seen
        assert "session_id" in seen
        assert "user_id or install_id" in seen


async def test_hostile_names_are_shown_and_not_obeyed(tmp_path):
    rows = visit(HOSTILE, 50, HOSTILE, HOSTILE, session_id=HOSTILE, component=HOSTILE)
    write(tmp_path, events_of(rows))
    async with looking(EventStore(tmp_path, now=lambda: NOON)) as (app, pilot):
        seen = text(app)
        await press(pilot, "enter")
        seen += text(app)
        await press(pilot, "enter")
        seen += text(app)
        assert "␛]2;title" in seen
        assert "\x1b" not in seen
        assert "\u202e" not in seen


async def test_many_sessions_are_read_in_pages(tmp_path):
    rows = [row for n in range(1500) for row in visit(f"u{n:04}", 3500 - n, "view")]
    write(tmp_path, events_of(rows))
    async with looking(EventStore(tmp_path, now=lambda: NOON)) as (app, pilot):
        shown = table(app)
        assert shown.total == 1500
        assert shown.row(1400) is None
        await press(pilot, "end")
        await until(pilot, lambda: shown.row(1499) is not None)
        assert shown.row(1499)["user_id"] == "u0000"


async def test_on_a_tiny_screen_an_opened_session_says_when_and_what(store):
    async with looking(store, size=(40, 10)) as (app, pilot):
        await press(pilot, "enter")
        shown = rows_of(app, "timeline")
        assert all(name[:7] in line for name, line in zip(names(app), shown, strict=False))
        assert "0:00.000" in shown[0]
