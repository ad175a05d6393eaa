"""The table of millions: it holds few rows, asks for what it lacks, and keeps its place."""

import pytest
from textual.app import App

from tui.formatting import fit
from tui.messages import PageWanted, RowOpened, SortPicked
from tui.theme import DARK, look
from tui.widgets.big_table import ROWS_HELD_MAX, BigTable
from tui.widgets.columns import Column, fitting


def text_cell(name):
    def cell(row, width, drawn_for):
        return [(fit(str(row[name]), width), drawn_for.style("text"))]

    return cell


COLUMNS = (
    Column("time", "time", 8, text_cell("time")),
    Column("name", "name", 10, text_cell("name"), rank=1),
    Column("message", "message", 10, text_cell("message"), rank=2, grows=True),
)


def rows(places, shift=0):
    return {
        n: {"time": n - shift, "name": f"name {n - shift}", "message": "日本" * 9} for n in places
    }


class TableApp(App):
    CSS = "BigTable { height: 1fr; }"

    def __init__(self):
        super().__init__()
        self.heard = []

    def compose(self):
        yield BigTable(id="table")

    def on_mount(self):
        table = self.query_one(BigTable)
        table.columns = COLUMNS
        table.focus()

    def hear(self, message):
        self.heard.append(message)

    on_page_wanted = on_row_opened = on_row_reached = on_sort_picked = hear

    def last(self, kind):
        return next(m for m in reversed(self.heard) if isinstance(m, kind))


@pytest.fixture
async def shown():
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.pause()
        table = app.query_one(BigTable)
        table.show("v1", 5_000_000, rows(range(40)))
        await pilot.pause()
        yield app, pilot, table


def lines_of(table):
    return [table.render_line(y).text for y in range(table.size.height)]


async def test_what_is_seen_is_drawn_and_nothing_asked_that_is_here(shown):
    app, _, table = shown
    assert lines_of(table)[0].startswith("time      name")
    assert lines_of(table)[1].startswith("0         name 0")
    assert not [m for m in app.heard if isinstance(m, PageWanted)]


async def test_rows_that_are_not_here_are_asked_for_once_with_those_around(shown):
    app, pilot, table = shown
    await pilot.press("end")
    await pilot.press("up")
    wanted = [m for m in app.heard if isinstance(m, PageWanted)]
    assert len(wanted) == 1
    assert wanted[0].version == "v1"
    assert wanted[0].places.stop == 5_000_000
    assert set(table.seen) <= set(wanted[0].places)
    assert "···" in lines_of(table)[3]
    table.fill("v1", rows(wanted[0].places))
    assert lines_of(table)[11].startswith("4999999")


async def test_rows_of_an_older_version_are_of_no_use(shown):
    _, pilot, table = shown
    await pilot.press("end")
    table.fill("v0", rows(range(4_999_900, 5_000_000)))
    assert table.row(4_999_999) is None


async def test_at_the_top_new_rows_show_as_they_come(shown):
    _, _, table = shown
    table.show("v2", 5_000_003, rows(range(3), shift=3), above=3)
    assert lines_of(table)[1].startswith("-3")
    assert table.cursor == 0
    assert table.row(3)["name"] == "name 0"


async def test_further_down_new_rows_move_nothing_that_is_seen(shown):
    _, pilot, table = shown
    await pilot.press("down", "down", "down")
    before = [line[:30] for line in lines_of(table)]
    table.show("v2", 5_000_003, {}, above=3)
    await pilot.pause()
    assert [line[:30] for line in lines_of(table)] == before
    assert table.cursor == 6


async def test_other_rows_altogether_begin_at_the_top(shown):
    _, pilot, table = shown
    await pilot.press("pagedown")
    table.show("v2", 2, rows(range(2)))
    assert table.cursor == 0
    assert table.follows


async def test_scrolling_through_everything_holds_few_rows(shown):
    _, _, table = shown
    for start in range(0, 10_000, 400):
        table.place_cursor(start)
        table.fill("v1", rows(range(start, start + 400)))
    assert len(table._rows_held) <= ROWS_HELD_MAX


async def test_enter_opens_and_titles_sort(shown):
    app, pilot, table = shown
    await pilot.press("down", "enter")
    await pilot.pause()
    assert app.last(RowOpened).place == 1
    await pilot.press("s")
    await pilot.pause()
    assert (app.last(SortPicked).column, app.last(SortPicked).reverse) == ("time", False)
    table.sort = "time"
    await pilot.press("S")
    await pilot.pause()
    assert (app.last(SortPicked).column, app.last(SortPicked).reverse) == ("time", True)
    await pilot.click(BigTable, offset=(11, 0))
    await pilot.pause()
    assert app.last(SortPicked).column == "name"


async def test_a_click_moves_the_cursor_and_the_wheel_the_view(shown):
    _, pilot, table = shown
    await pilot.click(BigTable, offset=(4, 5))
    assert table.cursor == 4
    for _ in range(4):
        table.on_mouse_scroll_down()
    assert table.seen.start == 12
    assert table.cursor == 12


def test_columns_go_by_rank_where_there_is_no_room_and_one_takes_what_is_left():
    def names(width):
        return [(column.name, size) for column, size in fitting(COLUMNS, width)]

    assert names(60) == [("time", 8), ("name", 10), ("message", 38)]
    assert names(31) == [("time", 8), ("name", 10)]
    assert names(8) == [("time", 8)]
    assert names(3) == [("time", 8)]


@pytest.mark.parametrize("colour", ["full", "16", "none"])
async def test_every_line_has_the_width_of_the_table_and_the_cursor_stands_out(shown, colour):
    _, _, table = shown
    drawn = table.draw(table.size, look(DARK, colour))
    assert {strip.cell_length for strip in drawn} == {60}
    selected, other = next(iter(drawn[1])).style, next(iter(drawn[2])).style
    assert (selected.bgcolor, selected.reverse) != (other.bgcolor, other.reverse)
