"""`:` in Explore on a real store: a question in SQL over what is seen, read only."""

from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from tests.tui.decks import Clock, deck, press, settled, text
from tui.view_state import View
from tui.views.sql_answer import completion_of, shown
from tui.widgets.big_table import BigTable
from tui.widgets.sql_pane import SqlBar

EXPLORE = View(screen="explore", span=timedelta(hours=1))
BY_NAME = "SELECT event_name, count(*) AS n FROM events GROUP BY event_name ORDER BY n DESC"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("sql")
    rows = [
        {
            "event_time": NOON - timedelta(minutes=30 + 40 * (at % 3 == 2), seconds=at),
            "event_name": "pay\x1b[2J" if at % 2 else "view",
            "http.status": 200 + at,
            "plan": "pro" if at < 3 else None,
        }
        for at in range(9)
    ]
    write(path, events_of(rows))
    return EventStore(path, now=lambda: NOON)


def opened(store, view=EXPLORE, **options):
    return deck(store=store, view=view, clock=Clock(NOON), **options)


async def ask(pilot, statement):
    await press(pilot, "colon")
    box = pilot.app.focused
    box.value = statement
    box.cursor_position = len(statement)
    await settled(pilot)
    await press(pilot, "enter")


def answer(app):
    table = app.screen.query_one("#sql-rows", BigTable)
    return [table.row(place) for place in range(table.total)]


async def test_a_question_is_of_the_span_and_answered_as_a_table(store):
    async with opened(store) as (app, pilot):
        await ask(pilot, BY_NAME)
        assert [row["n"] for row in answer(app)] == [3, 3]
        assert "2 rows: SELECT event_name" in text(app)
        assert "\x1b" not in text(app)
        assert app.focused.id == "sql-rows"
        await press(pilot, "escape")
        assert app.focused.id == "rows"
        assert not app.screen.query_one("#sql").display


async def test_the_filter_holds_too(store):
    async with opened(store, View("explore", timedelta(hours=1), "plan=pro")) as (app, pilot):
        await ask(pilot, "SELECT count(*) AS n FROM events")
        assert [row["n"] for row in answer(app)] == [2]


@pytest.mark.parametrize("statement", ["DROP TABLE events", "SELECT * FROM read_csv('x')", ""])
async def test_what_is_no_question_is_said_while_it_can_still_be_changed(store, statement):
    async with opened(store) as (app, pilot):
        await ask(pilot, statement)
        assert app.screen.query_one(SqlBar).is_open
        assert app.screen.query_one("SqlBar .note").content.plain.startswith("sql")
        await press(pilot, "escape", "escape")
        assert app.focused.id == "rows"


async def test_a_mistake_is_a_sentence_in_place_of_the_answer_and_can_be_mended(store):
    async with opened(store, size=(80, 24)) as (app, pilot):
        await ask(pilot, "SELECT plam FROM events")
        assert "there is no column 'plam'" in text(app)
        assert "did you mean plan?" in text(app)
        await press(pilot, "colon")
        assert app.focused.value == "SELECT plam FROM events"


async def test_keys_of_the_events_do_nothing_while_the_pane_is_open(store):
    async with opened(store) as (app, pilot):
        await ask(pilot, BY_NAME)
        await press(pilot, "down", "enter", "n", "e", "i", "v", "tab", "s")
        assert app.view == EXPLORE
        assert app.is_running


async def test_esc_leaves_the_row_then_the_pane_and_not_the_screen(store):
    async with opened(store, View(span=timedelta(hours=1))) as (app, pilot):
        await press(pilot, "2", "colon")
        app.focused.insert_text_at_cursor("event_name FROM events")
        await settled(pilot)
        await press(pilot, "escape")
        assert app.view.screen == "explore"
        assert not app.screen.query_one(SqlBar).is_open
        await press(pilot, "escape")
        assert app.view.screen == "explore"
        assert not app.screen.query_one("#sql").display


async def test_more_rows_than_are_shown_are_said(store, monkeypatch):
    monkeypatch.setattr("tui.views.sql_answer.SHOWN_MAX", 4)
    async with opened(store) as (app, pilot):
        await ask(pilot, "SELECT * FROM events")
        assert len(answer(app)) == 4
        assert "the first 4 rows" in text(app)
        assert "eventdeck sql gives all rows" in text(app)


async def test_names_are_completed(store):
    async with opened(store, ascii_glyphs=True) as (app, pilot):
        await press(pilot, "colon")
        app.focused.insert_text_at_cursor("http")
        await settled(pilot)
        await press(pilot, "tab")
        assert app.focused.value == 'SELECT "http.status"'


def test_the_word_at_the_cursor_is_what_is_completed():
    names = ("events", "event_name", '"http.status"')
    assert completion_of("SELECT eve", 10, names).options == ("events", "event_name")
    assert completion_of('SELECT "ht', 10, names).options == ('"http.status"',)
    assert completion_of("SELECT ", 7, names).options == ()


def test_values_are_read_as_people_do():
    zone = NOON.tzinfo
    assert shown(None, zone) == ""
    assert shown(True, zone) == "true"
    assert shown(1234567, zone) == "1,234,567"
    assert shown(1 / 3, zone) == "0.333333"
    assert shown(float("nan"), zone) == "nan"
    assert shown(NOON, zone) == "2026-11-22 12:00:00.000"
