"""Explore on a real store: journeys from a spike to one event and what it belongs to."""

from datetime import timedelta

import polars as pl
import pytest

from store.event_store import EventStore
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED
from store.tally import Tally
from tests.tui.decks import Clock, deck, press, settled, text, until
from tests.tui.fake_store import NOW
from tui.messages import SortPicked, ValueOpened
from tui.view_state import View
from tui.widgets.big_table import BigTable
from tui.widgets.event_detail import EventDetail

SECOND = timedelta(seconds=1)
HOSTILE = "\x1b]0;owned\x07\x1b[2J \u202egnp \x9b31m [red]x[/red] 日本語"
EXPLORE = View(screen="explore")


class Shelf:
    """A store on disk, written to a line at a time."""

    def __init__(self, path):
        self.path = path
        folder = StoreFolder.open(path, create=True)
        self.writer = PartWriter(folder, now=lambda: NOW, writer="w")
        self.count = 0

    def write(self, *rows):
        """Rows are columns by name; `ago` is seconds before NOW."""
        self.count += len(rows)
        events = [
            {
                "event_id": f"e{self.count - n:05}",
                "event_time": NOW - row.get("ago", 1) * SECOND,
                "event_type": "log",
                "event_name": "visit",
                **{name: value for name, value in row.items() if name != "ago"},
            }
            for n, row in enumerate(rows)
        ]
        types = {name: FIXED[name] for name in FIXED if any(name in event for event in events)}
        frame = pl.DataFrame(events, schema_overrides=types, infer_schema_length=None)
        self.writer.commit(frame, Tally())

    def open(self):
        return EventStore(self.path, now=lambda: NOW)


@pytest.fixture
def shelf(tmp_path):
    shelf = Shelf(tmp_path / "store")
    shelf.write(
        *({"ago": 20 + n, "event_name": "page_view", "user_id": f"u{n % 3}"} for n in range(200)),
        {"ago": 300, "event_name": "login", "session_id": "s1", "user_id": "ada"},
        {
            "ago": 10,
            "event_name": "tool_error",
            "severity": 17,
            "session_id": "s1",
            "user_id": "ada",
            "message": "EACCES: permission denied",
            "tokens": 29_874,
            "retry": True,
        },
        {"ago": 120, "event_name": "slow", "duration_ms": 9_000.0, "severity": 13},
        {"ago": 130, "event_name": "crash", "severity": 21, "message": HOSTILE, HOSTILE: HOSTILE},
    )
    return shelf


def exploring(shelf, size=(120, 40), **options):
    return deck(size, store=shelf.open(), view=EXPLORE, **options)


def rows_of(app):
    """What the table shows, without its head and its scroll bar."""
    table = app.screen.query_one(BigTable)
    lines = [table.render_line(y).text[:-2].rstrip() for y in range(1, table.size.height)]
    return [line for line in lines if line]


def row_at(app):
    table = app.screen.query_one(BigTable)
    return table.row(table.cursor)


def detail_of(app):
    detail = app.screen.query_one(EventDetail)
    return "\n".join(detail.render_line(y).text for y in range(detail.size.height))


async def use(pilot, attribute, value, label):
    """Opens the value, types what to do with it, and takes it."""
    pilot.app.screen.post_message(ValueOpened(attribute, value))
    await settled(pilot)
    typed = "without" if "without" in label else label.split()[0]
    await press(pilot, *typed, "enter")


async def test_the_newest_event_stands_on_top_and_in_full_beside_the_table(shelf):
    async with exploring(shelf) as (app, pilot):
        await settled(pilot)
        assert "tool_error" in rows_of(app)[0]
        assert "EACCES: permiss" in rows_of(app)[0]
        assert app.screen.query_one(BigTable).border_title == "204 events"
        pane = detail_of(app)
        assert "● error" in pane
        assert "29,874" in pane
        assert "true" in pane


async def test_the_pane_follows_the_cursor(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "down", "down")
        assert row_at(app)["event_name"] == "page_view"
        assert app.screen.query_one(EventDetail).border_title == "page_view"


async def test_enter_on_a_value_keeps_only_events_with_it_and_the_cursor_on_the_event(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "enter")
        assert app.focused.id == "detail"
        detail = app.focused
        await until(pilot, detail._names)
        while detail._attribute != "user_id":
            await press(pilot, "down")
        await press(pilot, "enter", "enter")
        await settled(pilot)
        assert app.view.where == "user_id=ada"
        assert len(rows_of(app)) == 2
        assert row_at(app)["event_name"] == "tool_error"
        await press(pilot, "alt+left")
        assert app.view.where == ""


async def test_a_value_can_be_excluded_and_broken_down_by(shelf):
    async with exploring(shelf) as (app, pilot):
        await use(pilot, "event_name", "page_view", "events without it")
        await settled(pilot)
        assert len(rows_of(app)) == 4
        await use(pilot, "severity", "error", "break down by it")
        assert app.view.by == "severity_class"


async def test_a_session_is_one_key_away_with_all_its_events_however_long_ago(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "i")
        await settled(pilot)
        assert app.view.where == "session_id=s1"
        assert [row.split()[2] for row in rows_of(app)] == ["tool_error", "login"]
        assert not app.view.live
        await press(pilot, "down", "u")
        await settled(pilot)
        assert app.view.where == "user_id=ada"
        assert row_at(app)["event_name"] == "login"


async def test_an_event_without_a_trace_says_so(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "c")
        assert app.view == EXPLORE
        assert any("no trace_id" in note.message for note in app._notifications)


async def test_neighbours_are_everything_around_the_event(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "e", "e")
        await settled(pilot)
        assert row_at(app)["event_name"] == "crash"
        await press(pilot, "n")
        await settled(pilot)
        assert row_at(app)["event_name"] == "crash"
        names = {row["event_name"] for row in app.screen.query_one(BigTable)._rows_held.values()}
        assert names == {"page_view", "slow", "crash"}


async def test_e_goes_back_to_the_error_before_and_shift_e_forth(shelf):
    async with exploring(shelf) as (app, pilot):
        await press(pilot, "down", "e")
        await settled(pilot)
        assert row_at(app)["event_name"] == "crash"
        await press(pilot, "E")
        await settled(pilot)
        assert row_at(app)["event_name"] == "tool_error"
        await press(pilot, "E")
        await settled(pilot)
        assert row_at(app)["event_name"] == "tool_error"
        assert any("no further error" in note.message for note in app._notifications)


async def test_at_the_top_new_events_show_as_they_come_elsewhere_nothing_moves(shelf):
    clock = Clock()
    async with exploring(shelf, clock=clock) as (app, pilot):
        before = app.generation
        shelf.write({"ago": 0.5, "event_name": "fresh"})
        await until(pilot, lambda: app.generation != before)
        clock.now = NOW + 2 * SECOND
        await until(pilot, lambda: "fresh" in rows_of(app)[0])
        await press(pilot, "down", "down", "down")
        under = row_at(app)["event_time"]
        seen = rows_of(app)[3:8]
        before = app.generation
        shelf.write(*({"ago": 0.1, "event_name": "later"} for _ in range(3)))
        await until(pilot, lambda: app.generation != before)
        clock.now = NOW + 4 * SECOND
        await until(pilot, lambda: app.screen.query_one(BigTable).total == 208)
        await settled(pilot)
        assert row_at(app)["event_time"] == under
        assert rows_of(app)[3:8] == seen


async def test_any_column_sorts(shelf):
    async with exploring(shelf) as (app, pilot):
        app.post_message(SortPicked("duration_ms", reverse=False))
        await settled(pilot)
        await until(pilot, lambda: "slow" in rows_of(app)[0])
        app.post_message(SortPicked("severity", reverse=False))
        await until(pilot, lambda: "crash" in rows_of(app)[0])
        app.post_message(SortPicked("event_name", reverse=True))
        await until(pilot, lambda: "tool_error" in rows_of(app)[0])
        app.post_message(SortPicked("no such column", reverse=False))
        await settled(pilot)
        assert "tool_error" in rows_of(app)[0]


async def test_scrolling_to_the_end_fetches_what_is_seen(shelf):
    async with exploring(shelf, size=(120, 30)) as (app, pilot):
        await press(pilot, "end")
        await until(pilot, lambda: "login" in rows_of(app)[-1])
        assert row_at(app)["event_name"] == "login"
        await press(pilot, "home")
        assert "tool_error" in rows_of(app)[0]


async def test_where_there_is_no_room_the_event_lies_over_the_table_until_esc(shelf):
    async with exploring(shelf, size=(80, 24)) as (app, pilot):
        detail, table = app.screen.query_one(EventDetail), app.screen.query_one(BigTable)
        assert not detail.display
        await press(pilot, "enter")
        await settled(pilot)
        assert detail.display
        assert not table.display
        assert detail.outer_size.height == 24 - 3
        assert "EACCES" in text(app)
        await press(pilot, "escape")
        assert table.display
        assert app.focused is table


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 16), (200, 50)])
async def test_hostile_text_is_shown_and_never_obeyed(shelf, size):
    async with exploring(shelf, size=size) as (app, pilot):
        await use(pilot, "event_name", "crash", "only events with it")
        await settled(pilot)
        await press(pilot, "enter")
        await settled(pilot)
        shown = text(app)
        assert "␛]0;owned␇" in shown
        controls = [c for c in shown if (ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0]
        assert not controls
        assert "\u202e" not in shown
        assert "[red]x[/red]" in shown


async def test_nothing_found_is_said_and_does_not_break(shelf):
    async with exploring(shelf) as (app, pilot):
        app.look_at(View(screen="explore", where="event_name=nobody"))
        await settled(pilot)
        assert "no event matches" in text(app)
        await press(pilot, "down", "enter", "i", "n", "e", "end")


async def test_an_empty_store_says_how_to_send_the_first_event(tmp_path):
    shelf = Shelf(tmp_path / "empty")
    async with exploring(shelf) as (app, pilot):
        await settled(pilot)
        assert "curl" in text(app)
