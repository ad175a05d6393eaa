"""Retention on a real store: who comes back, and what counts as that."""

from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from store.timespan import TimeSpan
from tests.tui.decks import Clock, below_tabs, deck, press, settled, text
from tests.tui.screens.test_overview import check
from tui.glyphs import ASCII
from tui.plots.heat import Cell, Tile, largest
from tui.theme import look
from tui.view_state import View
from tui.views.matrix import after
from tui.views.returned import behind_of
from tui.widgets.big_table import BigTable
from tui.widgets.matrix_panel import MatrixPanel

DAY = timedelta(days=1)
RETENTION = View(screen="retention", span=timedelta(days=7))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Ten who begin each day, of whom one less comes back with each day; every second one pays."""
    path = tmp_path_factory.mktemp("retention")
    rows = [
        {
            "event_time": NOON - began * DAY + later * DAY - timedelta(minutes=who + 1),
            "event_name": "pay" if later % 2 else "view",
            "user_id": f"u{began}.{who}",
            "plan": "pro" if who % 2 else "free",
        }
        for began in range(6)
        for later in range(began + 1)
        for who in range(10 - later)
    ]
    write(path, events_of(rows))
    return EventStore(path, now=lambda: NOON)


def opened(store, view=RETENTION, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOON), **options)


def panel(app):
    return app.screen.query_one(MatrixPanel)


def shares(row):
    return [round(cell.share, 2) for cell in row.cells if cell]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_cohorts_stand_as_drawn(store, size):
    async with opened(store, size=size) as (app, _):
        check(f"retention-{size[0]}x{size[1]}", below_tabs(app))


async def test_without_colours_or_signs_the_numbers_say_it(store, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened(store, ascii_glyphs=True, size=(80, 24)) as (app, _):
        shown = below_tabs(app)
        assert shown.isascii()
        check("retention-80x24-ascii", shown)


async def test_a_cohort_is_a_row_and_the_running_day_is_marked_and_left_out_of_all(store):
    async with opened(store) as (app, _):
        matrix = panel(app).matrix
        begun = [row for row in matrix.rows if row.size]
        assert [row.size for row in begun] == [10] * 6
        assert shares(begun[0]) == [0.9, 0.8, 0.7, 0.6, 0.5]
        assert [cell.is_over for cell in begun[0].cells] == [True] * 4 + [False]
        assert shares(matrix.total)[:4] == [0.9, 0.8, 0.7, 0.6]
        assert not begun[-1].is_over


async def test_the_cell_under_the_cursor_is_said_in_full_and_lists_who_it_is(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "home", "down", "down", "down", "right")
        assert " of 10 came back" in panel(app).border_subtitle
        row, cell = panel(app).rows[3], panel(app).cell
        await press(pilot, "enter")
        table = app.screen.query_one(BigTable)
        assert app.focused is table
        assert not panel(app).display
        assert table.total == cell.count == 8
        assert str(table.border_title).startswith("8 of 10 users of")
        assert all(2 in table.row(place)["back"] for place in range(table.total))
        await press(pilot, "n")
        assert sorted(table.row(place)["user"][-1] for place in range(table.total)) == ["8", "9"]
        assert "were not back +2d" in text(app)
        await press(pilot, "enter")
        assert app.view.screen == "sessions"
        assert isinstance(app.view.span, TimeSpan)
        assert app.view.span.start == row.spans[0].start
        assert app.screen.query_one("#session-list", BigTable).total > 0
        await press(pilot, "escape", "escape")
        assert panel(app).has_focus


async def test_a_text_that_names_no_cell_opens_none(store):
    for who in ("back:0:2026-11-21T00:00:00Z", "back:x:y", "here:1:2026-11-21", "gone:1:noon-ish"):
        assert behind_of(who) is None
    async with opened(store, view=RETENTION.with_option("who", "gone:1:noon-ish")) as (app, _):
        assert panel(app).display


async def test_who_is_behind_a_cell_reads_in_ascii_on_a_small_screen(store):
    view = RETENTION.with_option("who", "back:1:2026-11-18T00:00:00Z")
    async with opened(store, view=view, size=(80, 24), ascii_glyphs=True) as (app, _):
        assert below_tabs(app).isascii()
        assert "9 of 10 users of 18 Nov 2026 were back +1d" in text(app)


async def test_what_counts_is_changed_with_keys_and_kept_in_the_view(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "o", "r", "c")
        assert app.view.options == (
            ("clock", "own"),
            ("mode", "recurring"),
            ("on", "on-or-after"),
        )
        assert "back then or later" in text(app)
        await press(pilot, "o", "r", "c")
        assert app.view == RETENTION
        await press(pilot, "i")
        app.focused.insert_text_at_cursor("2d")
        await press(pilot, "enter")
        assert app.view.option("interval") == "2d"
        assert panel(app).matrix.titles[0] == "+2d"


async def test_who_begins_and_who_is_back_are_written_in_place(store):
    async with opened(store) as (app, pilot):
        await press(pilot, "e")
        app.focused.insert_text_at_cursor("view where plan=pro, pa")
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert dict(app.view.options) == {"start": "view where plan=pro", "back": "pay"}
        oldest = next(row for row in panel(app).matrix.rows if row.size)
        assert (oldest.size, [cell.count for cell in oldest.cells]) == (5, [4, 0, 3, 0, 2])
        await press(pilot, "e")
        app.focused.insert_text_at_cursor(", third")
        await press(pilot, "enter")
        assert "two events at most" in text(app)


async def test_broken_down_each_value_is_a_row_of_all_its_cohorts_that_are_over(store):
    view = View(screen="retention", span=timedelta(days=7), by="plan")
    async with opened(store, view=view) as (app, _):
        matrix = panel(app).matrix
        assert {row.name: row.size for row in matrix.rows} == {"free": 25, "pro": 25}
        assert matrix.total is None


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [("mode", "sometimes", "'sometimes' is unknown"), ("least", "few", "'few' is no number")],
)
async def test_a_view_that_makes_no_sense_says_so(store, option, value, says):
    async with opened(store, view=RETENTION.with_option(option, value)) as (app, pilot):
        assert says in text(app)
        await press(pilot, "down", "enter", "end")
        assert app.is_running


async def test_where_nobody_began_it_says_what_to_do(store):
    async with opened(store, view=View(screen="retention", where="plan=none")) as (app, pilot):
        assert "nobody began in this time" in text(app)
        await press(pilot, "down", "right", "enter")
        assert app.is_running


async def test_those_who_began_only_just_stand_there_without_any_cell(store):
    view = View(screen="retention", span=timedelta(days=7), where="user_id~u0.")
    async with opened(store, view=view) as (app, pilot):
        assert panel(app).matrix.titles == []
        assert "22 Nov 2026       10…" in text(app)
        await press(pilot, "down", "right", "enter", "end")
        assert app.view == view


def test_the_strength_of_a_ground_goes_with_the_share():
    drawn = look()
    tile = Tile(9, 0.5, drawn)
    weak, strong = (
        tile.parts(Cell(share, 5, 10), "x")[0][1].bgcolor.get_truecolor() for share in (0.1, 0.5)
    )
    ground = drawn.palette["background"]
    assert weak != strong
    assert weak.hex != ground


def test_a_cell_of_a_running_period_is_marked_and_outside_the_scale():
    running = Cell(0.9, 9, 10, is_over=False)
    assert largest([[Cell(0.2, 2, 10), running, None]]) == 0.2
    assert Tile(8, 0.2, look()).parts(running, "90.0")[0][0] == "  90.0…"
    assert Tile(8, 0.2, look(glyphs=ASCII)).parts(running, "90.0")[0][0] == "  90.0~"


def test_columns_are_named_by_how_much_later():
    assert after(timedelta(hours=2), 3) == "+6h"
    assert after(DAY, 7) == "+7d"
