import os
from dataclasses import replace
from pathlib import Path

import pytest

from store.timespan import TimeSpan
from tests.tui.decks import Clock, deck, press, settled, text, until
from tests.tui.fake_store import NAMES, NOW, FakeStore
from tui.view_state import View
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.empty_state import EmptyState
from tui.widgets.findings_panel import FindingsPanel
from tui.widgets.names_table import NamesTable
from tui.widgets.stat_panel import StatPanel

GOLDENS = Path(__file__).parent.parent / "goldens"


def check(name, shown):
    """Compares with the golden file; `EVENTDECK_GOLDENS=write` renews it."""
    path = GOLDENS / f"{name}.txt"
    if os.environ.get("EVENTDECK_GOLDENS") == "write":
        path.write_text(shown + "\n", encoding="utf-8")
    assert shown + "\n" == path.read_text(encoding="utf-8")


def titles(app):
    return [p.stat.title for p in app.screen.query(StatPanel) if p.display]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_the_overview_stands_as_drawn(size):
    async with deck(size) as (app, _):
        check(f"overview-{size[0]}x{size[1]}", text(app))


async def test_a_theme_changes_colours_only():
    async with deck(theme="eventdeck-light") as (app, pilot):
        check("overview-120x40", text(app))
        for theme in ("ansi-dark", "ansi-light", "textual-dark"):
            app.theme = theme
            await settled(pilot)
            check("overview-120x40", text(app))


async def test_without_colours_the_stack_is_told_by_its_filling(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with deck() as (app, _):
        check("overview-120x40-no-color", text(app))


async def test_ascii_glyphs_leave_nothing_that_is_not_ascii():
    async with deck(ascii_glyphs=True) as (app, _):
        shown = text(app)
        check("overview-120x40-ascii", shown)
        assert shown.isascii()


async def test_what_the_store_does_not_hold_has_no_panel():
    store = FakeStore(empty_of=("users", "durations", "severities"))
    async with deck(store=store) as (app, _):
        assert titles(app) == ["events", "sessions"]
        assert not app.screen.query_one("#duration").display
        assert "p95" not in text(app).replace("p95 llm_request", "")


async def test_eighty_columns_have_the_four_most_telling_numbers():
    async with deck((80, 24)) as (app, _):
        assert titles(app) == ["events", "errors", "p95 duration", "users"]


async def test_tab_brings_the_next_chart_where_there_is_room_for_one():
    async with deck((80, 24)) as (app, pilot):
        seen = []
        for _ in range(4):
            await press(pilot, "tab")
            seen.append((app.focused.id, app.screen.query_one("#duration").display))
        shown = [("rate", False), ("duration", True), ("findings", False), ("names", False)]
        assert seen == shown


async def test_nothing_is_cut_in_the_middle_of_a_number():
    async with deck((80, 24)) as (app, _):
        for row in text(app).splitlines():
            assert "…" not in row.partition("render_frame")[2]


async def test_a_row_opens_as_the_events_of_that_name():
    async with deck() as (app, pilot):
        await press(pilot, "down", "enter")
        assert app.view.where == "event_name=http.server.request"


async def test_s_sorts_by_the_next_column_and_capital_s_turns_it():
    async with deck() as (app, pilot):
        table = app.screen.query_one(NamesTable)
        await press(pilot, "s")
        assert app.view.sort == "rate"
        await press(pilot, "s", "S")
        assert (app.view.sort, app.view.reverse) == ("error_share", True)
        shares = [row.error_share for row in table.names.ordered()]
        assert shares == sorted(shares)


async def test_the_cursor_stays_on_its_name_when_the_order_changes():
    store, clock = FakeStore(names=dict(NAMES)), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        await press(pilot, "down", "down", "down")
        table = app.screen.query_one(NamesTable)
        assert table.current.name == "db.query"
        count, *rest = store.names["db.query"]
        store.names["db.query"] = (count * 100, *rest)
        store.events += 1
        clock.now = NOW.replace(second=35)
        await until(pilot, lambda: table.names.ordered()[0].name == "db.query")
        assert table.current.name == "db.query"


async def test_a_brush_zooms_to_its_span():
    async with deck() as (app, pilot):
        await press(pilot, "v", "left", "left", "o", "left", "enter")
        span = app.view.span
        assert isinstance(span, TimeSpan)
        chart = app.screen.query_one("#rate", ChartPanel)
        assert chart.brush is None
        assert app.view.at(NOW).length < View().length / 4


async def test_escape_leaves_the_brush_and_changes_nothing():
    async with deck() as (app, pilot):
        await press(pilot, "v", "left", "escape")
        assert app.screen.query_one("#rate", ChartPanel).brush is None
        assert app.view == View()


async def test_dragging_the_mouse_over_a_chart_zooms():
    async with deck() as (app, pilot):
        await pilot.mouse_down("#rate", offset=(20, 5))
        await pilot.hover("#rate", offset=(30, 5))
        await pilot.mouse_up("#rate", offset=(30, 5))
        await settled(pilot)
        frame = app.history.before[-1], app.view
        assert frame[0] == View()
        assert app.view.length.total_seconds() == pytest.approx(900 * 11 / 48, rel=0.1)


async def test_a_click_alone_brushes_nothing():
    async with deck() as (app, pilot):
        await pilot.click("#rate", offset=(20, 5))
        await settled(pilot)
        assert app.view == View()


async def test_without_comparison_nothing_speaks_of_before():
    async with deck() as (app, pilot):
        await press(pilot, "p")
        shown = text(app)
        assert "before" not in shown
        assert "▲ 4 %" not in shown
        assert not app.screen.query_one(FindingsPanel).display


async def test_a_breakdown_splits_the_chart_and_the_table():
    async with deck(view=View(by="service_name")) as (app, _):
        legend = [word for _, word, _ in app.screen.query_one("#rate", ChartPanel).picture.legend]
        assert legend == ["api", "web", "agent"]
        assert app.screen.query_one(NamesTable).border_title == "events by service_name"


async def test_an_empty_store_says_how_to_send_the_first_event():
    async with deck(store=FakeStore(events=0)) as (app, _):
        line = 'curl http://127.0.0.1:4318/v1/events -d \'{"event_name": "hello"}\''
        assert line in text(app)
        check("overview-120x40-empty", text(app))


async def test_the_first_event_takes_the_place_of_the_advice():
    store, clock = FakeStore(events=0), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        store.events = 1
        clock.now = NOW.replace(second=30)
        await until(pilot, lambda: not app.screen.query_one(EmptyState).display)
        await until(pilot, lambda: titles(app)[:1] == ["events"])
        assert app.focused is app.screen.query_one(NamesTable)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("", "no events in this time; the newest is from 14:03; - looks at more"),
        ("x=1", "no event matches; / changes the filter"),
    ],
)
async def test_where_nothing_is_found_it_says_what_to_do(where, said):
    async with deck(store=FakeStore(names={}), view=View(where=where)) as (app, _):
        assert said in text(app)


async def test_hostile_names_are_shown_and_never_obeyed():
    hostile = "\x1b[31mred\x1b]0;title\x07 [bold]x[/] \u202eevil\x00"
    store = FakeStore(names={hostile: (10, 1.0, 1, 2, 3)})
    async with deck(store=store) as (app, _):
        shown = text(app)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\x00" not in shown
        assert "[31mred" in shown


async def test_an_answer_of_an_older_view_never_overwrites_a_newer_one():
    store = FakeStore()
    async with deck(store=store) as (app, pilot):
        store.gate.clear()
        await pilot.press("b")  # asks for the attributes, held back
        await pilot.press("escape")
        app.look_at(replace(app.view, by="service_name"))
        await pilot.pause(0.05)
        app.look_at(replace(app.view, by=""))
        await pilot.pause(0.05)
        store.gate.set()
        await settled(pilot)
        assert app.screen.query_one(NamesTable).names.attribute == "event_name"


async def test_the_last_good_answer_stays_dimmed_until_the_new_one_comes():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        table = app.screen.query_one(NamesTable)
        store.gate.clear()
        app.look_at(replace(app.view, where="x=1"))
        await pilot.pause(0.3)
        clock.now = NOW.replace(second=31)
        await until(pilot, lambda: table.stale)
        assert "render_frame" in text(app)
        assert "asking 2s" in text(app)
        store.gate.set()
        await until(pilot, lambda: not table.stale)


async def test_escape_cancels_a_long_question():
    store, clock = FakeStore(), Clock()
    async with deck(store=store, clock=clock) as (app, pilot):
        store.gate.clear()
        app.look_at(replace(app.view, where="x=1"))
        await until(pilot, lambda: app.runner.busy("overview"))
        await pilot.press("escape")
        await until(pilot, lambda: app.view == View())
        store.gate.set()
        await settled(pilot)
        assert not app.screen.waiting


async def test_resizing_keeps_the_place():
    async with deck() as (app, pilot):
        await press(pilot, "down", "down")
        await pilot.resize_terminal(80, 24)
        await settled(pilot)
        table = app.screen.query_one(NamesTable)
        assert table.current.name == "page_view"
        assert "page_view" in text(app)
        await pilot.resize_terminal(120, 40)
        await settled(pilot)
        check("overview-120x40-resized", text(app))


async def test_maximised_one_panel_has_the_screen():
    async with deck() as (app, pilot):
        await press(pilot, "f")
        await until(pilot, lambda: "deploy_finished  " in text(app))
        assert "events per second" not in text(app)
        assert "1 Overview" in text(app)
        await press(pilot, "f")
        await until(pilot, lambda: "events per second" in text(app))


async def test_any_size_is_drawn_without_a_fault():
    async with deck((40, 10)) as (app, pilot):
        for size in ((60, 15), (20, 5), (1, 1), (200, 60)):
            await pilot.resize_terminal(*size)
            await press(pilot, "tab", "v", "left", "enter", "7", "1")
            assert app.is_running


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
async def test_a_percentile_of_too_few_durations_is_marked_and_the_mark_explained(size):
    async with deck(size) as (app, pilot):
        table = app.screen.query_one(NamesTable)
        assert "too few" not in text(app)
        rows = [replace(row, few=("p99",) * (row.name == "db.query")) for row in table.names.rows]
        table.names = replace(table.names, rows=rows)
        await settled(pilot)
        (line,) = (line for line in text(app).splitlines() if " db.query " in line)
        assert " 18ms" in line
        assert "*77ms" in line
        assert "* on too few durations" in text(app)


async def test_a_number_of_too_few_is_marked_on_its_panel():
    async with deck() as (app, pilot):
        panel = next(p for p in app.screen.query(StatPanel) if p.stat.title == "p95 duration")
        assert "*" not in panel.stat.number
        assert not panel.border_subtitle
        panel.stat = replace(panel.stat, number="*7.4", note="* of too few")
        await settled(pilot)
        assert "*7.4 ms" in text(app)
        assert "* of too few" in text(app)
