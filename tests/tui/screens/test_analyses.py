"""Analyses: every question that there is, asked and shown from the same machinery."""

from argparse import Namespace
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.analytics.plugins import known_analyses
from store.analytics.registry import ANALYSES
from store.errors import UsageError
from store.event_store import EventStore
from store.settings import Settings
from tests.tui.decks import Clock, deck, press, text, until
from tests.tui.fake_store import FakeStore
from tui.commands.dashboard import analyses_of, open_store
from tui.formatting import count, percent
from tui.theme import look_of
from tui.view_state import View
from tui.views.answer_units import Cell
from tui.widgets.big_table import BigTable
from tui.widgets.chart_panel import ChartPanel
from tui.widgets.options_bar import OptionsBar

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 11, 22, 14, tzinfo=UTC)
DAY = timedelta(days=1)
LIST = View(screen="analyses", span=DAY)


@pytest.fixture(scope="module")
def sample():
    return EventStore(ROOT / "sample_data" / "store", now=lambda: NOW)


def asking(name, options="", **more):
    return replace(LIST.with_option("ask", name).with_option("with", options), **more)


def opened(store, view=LIST, size=(120, 40), **options):
    return deck(size, store=store, view=view, clock=Clock(NOW), **options)


async def answered(pilot):
    app = pilot.app
    await until(pilot, lambda: app.screen._drawn == app.view, seconds=60)


def rows(app):
    table = app.screen.query_one("#answer", BigTable)
    return [table.row(place) for place in range(table.total)]


async def test_the_list_says_of_each_analysis_what_it_tells(sample):
    async with opened(sample) as (app, pilot):
        shown = text(app)
        assert "Where people stop" in shown
        assert all(f" {each.name} " in shown for each in ANALYSES)
        await press(pilot, "end", "up", "enter")
        assert app.view.option("ask") == ANALYSES[-2].name
        await press(pilot, "escape")
        assert app.view == LIST


async def test_every_analysis_is_shown_at_80x24(sample):
    async with opened(sample, size=(80, 24)) as (app, pilot):
        for each in ANALYSES:
            app.look_at(asking(each.name))
            await answered(pilot)
            found = app.screen._found
            assert (found.fault, found.answer.analysis) == ("", each.name)
            assert max(map(len, text(app).splitlines())) <= 80
            assert "asks" in text(app)
        assert not app.failures


async def test_an_answer_in_time_is_a_chart_above_its_table_the_newest_on_top(sample):
    async with opened(sample, asking("lifecycle", "--interval 1h")) as (app, _):
        course = app.screen.query_one(ChartPanel)
        assert [layer.role for layer in course.picture.below] == ["p99"]
        assert max(course.picture.below[0].values) > 0
        times = [row["time"].value for row in rows(app)]
        assert times == sorted(times, reverse=True)
        assert len(times) == 24


async def test_an_answer_of_one_row_without_a_key_is_a_line_for_each_value(sample):
    async with opened(sample, asking("reach")) as (app, _):
        told = {row["what"].text: row["value"].text for row in rows(app)}
        (row,) = app.screen._found.answer.result.rows
        assert told["users"] == count(row.values["users"])
        assert told["events"] == count(row.values["events"])
        assert not app.screen.has_class("-course")


async def test_numbers_are_shown_in_the_unit_that_their_name_says(sample):
    async with opened(sample, asking("percentiles", "--by event_name")) as (app, _):
        assert {row["p95"].unit for row in rows(app)} <= {"ms", "s", "m", ""}
        assert rows(app)[0]["count"].unit == ""
    async with opened(sample, asking("transitions")) as (app, _):
        first, told = rows(app)[0], app.screen._found.answer.result.rows[0]
        share = percent(told.values["share"], digits=1)
        assert (first["share"].text, first["share"].unit) == (share, "%")


async def test_rolling_windows_are_named_and_opened_as_a_whole(sample):
    view = asking("trends", "--rolling 7d --measure users")
    async with opened(sample, view) as (app, pilot):
        assert app.screen.query_one(ChartPanel).border_title.strip() == "users of 1w"
        assert "too few" not in text(app)
        assert rows(app)[0]["users"].value > 0
        await press(pilot, "enter")
        assert app.view.screen == "explore"
        assert app.view.length >= 6 * DAY


async def test_differences_are_told_in_points_and_sorted_as_numbers(sample):
    view = asking("funnel", "--step page_view --step purchase --compare previous", span=DAY / 4)
    async with opened(sample, view, size=(200, 40)) as (app, _):
        cells = [row["difference"] for row in rows(app)]
        assert cells[0].text == ""
        assert isinstance(cells[1].value, float)
        assert " points (" in cells[1].text
        assert cells[1].text in text(app) or not cells[1].value


async def test_adoption_before_and_after_a_release_is_asked_with_its_version_completed(sample):
    async with opened(sample, asking("adoption", "--interval 1m"), size=(200, 40)) as (app, pilot):
        await press(pilot, "e")
        for typed in (" --rele", "2.4."):
            app.focused.insert_text_at_cursor(typed)
            await until(pilot, lambda: app.screen.query_one(OptionsBar).completions.option, 60)
            await press(pilot, "tab")
        assert app.focused.value == "--interval 1m --release 2.4.0"
        await press(pilot, "enter")
        await answered(pilot)
        told = app.screen._found.answer.result
        assert told.summary["release"] == "2.4.0"
        assert told.summary["at"] == "2026-11-22T13:49:00Z"
        differences = {row["difference"].text for row in rows(app)} - {""}
        assert differences
        assert all(" points (" in each for each in differences)
        assert "2.4.0" in text(app)


async def test_a_percentile_of_too_few_values_is_marked(sample):
    async with opened(sample, asking("percentiles", "--by user_id --limit 500")) as (app, _):
        told = app.screen._found.answer.result.rows
        few = {row.key["user_id"] for row in told if "p99" in row.few}
        shown = rows(app)
        assert few
        assert few >= {row.key["user_id"] for row in told if row.values["count"] < 100}
        marked = {row["user_id"].text for row in shown if row["p99"].text.startswith("*")}
        assert marked == {name or "(none)" for name in few}
        assert "* on too few values" in text(app)


async def test_the_step_matrix_has_a_ground_for_each_share_the_largest_the_strongest(sample):
    async with opened(sample, asking("step-matrix", "--depth 3")) as (app, _):
        table = app.screen.query_one("#answer", BigTable)
        (second,) = (column for column in table.columns if column.name == "share_2")
        assert second.title.strip() == "2"
        look = look_of(app)
        shares = [row["share_2"].share for row in rows(app)]
        grounds = [second.cell(row, second.width, look)[0][1].bgcolor for row in rows(app)]
        assert sum(shares) == pytest.approx(1)
        assert all(
            (share > 0) == (ground is not None)
            for share, ground in zip(shares, grounds, strict=True)
        )
        assert len(set(grounds)) > 2


async def test_a_row_that_is_no_event_opens_none(sample):
    async with opened(sample, asking("step-matrix", "--depth 3")) as (app, pilot):
        assert rows(app)[-1]["event_name"].text == "path_end"
        await press(pilot, "end", "enter")
        assert app.view.screen == "analyses"
        await press(pilot, "home", "enter")
        assert (app.view.screen, app.view.where) == ("explore", "event_name=session_start")


async def test_a_column_sorts_and_the_view_keeps_it(sample):
    async with opened(sample, asking("components")) as (app, pilot):
        await press(pilot, "s")
        assert app.view.sort == "component"
        names = [row["component"].text for row in rows(app)]
        assert names == sorted(names)
        app.look_at(replace(app.view, sort="users", reverse=True))
        await answered(pilot)
        users = [row["users"].value for row in rows(app)]
        assert users == sorted(users)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("components", "component={component}"),
        ("drop-off", "event_name={event_name}"),
        ("transitions", "event_name={from},{to}"),
        ("adoption", "event_name={feature}"),
        ("top", "event_name={event_name}"),
    ],
)
async def test_enter_opens_the_events_behind_a_row(sample, name, where):
    view = asking(name, where="-user_id=x or user_id=*")
    async with opened(sample, view) as (app, pilot):
        told = {n: cell.text for n, cell in rows(app)[0].items() if isinstance(cell, Cell)}
        await press(pilot, "enter")
        assert app.view.screen == "explore"
        assert app.view.where == f"(-user_id=x or user_id=*) {where.format(**told)}"


async def test_enter_on_a_point_opens_its_time(sample):
    async with opened(sample, asking("lifecycle", "--interval 1h")) as (app, pilot):
        await press(pilot, "down", "enter")
        assert app.view.span.length == timedelta(hours=1)
        assert app.view.span.start == NOW - timedelta(hours=2)


async def test_options_are_written_in_place_completed_and_refused_with_their_name(sample):
    async with opened(sample, asking("lifecycle")) as (app, pilot):
        await press(pilot, "e")
        for typed in ("--ev", "purch"):
            app.focused.insert_text_at_cursor(typed)
            await until(pilot, lambda: app.screen.query_one(OptionsBar).completions.option, 60)
            await press(pilot, "tab")
        assert app.focused.value == "--event purchase"
        await press(pilot, "enter")
        await answered(pilot)
        assert app.view.option("with") == "--event purchase"
        assert app.screen._found.answer.query.event == "purchase"
        assert "event purchase" in text(app)
        await press(pilot, "e")
        app.focused.insert_text_at_cursor(" --evnt x")
        await press(pilot, "enter")
        assert "there is no option --evnt; did you mean --event?" in text(app)
        await press(pilot, "escape", "alt+left")
        assert app.view.option("with") == ""


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("lifecycle", "--interval soon", "soon"),
        ("lifecycle", "--event 'no end", "close the quotes"),
        ("percentiles", "--of event_name", "event_name"),
        ("lifecicle", "", "did you mean lifecycle?"),
        ("funnel", "--step pay --order wild", "--order"),
    ],
)
async def test_a_question_that_makes_no_sense_is_a_sentence(sample, name, options, says):
    async with opened(sample, asking(name, options)) as (app, pilot):
        assert says in app.screen._found.fault
        assert says in text(app)
        await press(pilot, "down", "enter", "s")
        assert not app.failures


async def test_steps_that_nobody_wrote_are_proposed_and_copied(sample):
    async with opened(sample, asking("funnel-trend")) as (app, _):
        steps = app.screen._found.steps
        assert len(steps) >= 2
        assert f"{' ▸ '.join(steps)} proposed" in text(app)
        assert app.view.option("with") == ""
        copied = View.parse(app.view_to_copy().text(), now=NOW)
        assert copied.option("with") == " ".join(f"--step {step}" for step in steps)


async def test_where_nobody_can_be_followed_it_says_how_to_write_the_steps(sample):
    async with opened(sample, asking("drivers", where="event_name=deploy_finished")) as (app, _):
        assert "e writes them: --step signup --step pay" in text(app)


async def test_the_filter_and_the_breakdown_of_the_deck_are_part_of_the_question(sample):
    view = asking("trends", "--where severity>=error", where="service_name=shop", by="component")
    async with opened(sample, view) as (app, _):
        query = app.screen._found.answer.query
        assert (query.where, query.by) == ("service_name=shop severity>=error", ("component",))


PLUGIN = '''
from dataclasses import dataclass
import polars as pl
from store.analytics.query import Query, option
from store.analytics.shapes import Finished, Row, Table
from store.schema import PART

@dataclass(frozen=True, kw_only=True, slots=True)
class Odd(Query):
    """What is odd."""
    analysis = "odd"
    how: str = option("mild", "how odd", choices=("mild", "broken"))

class OddAnalysis:
    name, version, query_type = "odd", 1, Odd
    def horizon(self, query): return query.span
    def columns(self, query): return ["event_time"]
    def numbers(self, query): return []
    def partial(self, events, query, cut): return events.group_by(PART).agg(n=pl.len())
    def combine(self, partials, query): return partials.select(pl.col("n").sum())
    def finish(self, combined, query, links):
        if query.how == "broken":
            raise ZeroDivisionError("by nothing")
        row = Row({"\\x1b[31mred[/b]\\u202e": "\\x1b]0;x\\x07"}, {"odd_share": 0.25, "took_ms": 1500, "any": {"a": [1, {2}]}})
        return Finished(Table(["odd_share", "took_ms", "any"], [row]), events=1)
    def as_json(self, result): return {}

ANALYSES = (OddAnalysis(),)
'''


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugins") / "odd.py"
    file.write_text(PLUGIN)
    known = known_analyses([str(file)])
    return EventStore(ROOT / "sample_data" / "store", now=lambda: NOW, analyses=known)


async def test_an_analysis_from_outside_is_listed_and_shown_without_code_of_ours(extended):
    async with opened(extended, size=(80, 24)) as (app, pilot):
        await press(pilot, "end")
        assert "What is odd" in text(app)
        await press(pilot, "enter")
        await answered(pilot)
        (row,) = rows(app)
        assert (row["odd_share"].text, row["odd_share"].unit) == ("25", "%")
        assert (row["took_ms"].text, row["took_ms"].unit) == ("1.5", "s")
        assert not {"\x1b", "\x07", "\u202e"} & set(text(app))
        await press(pilot, "enter")
        assert app.view.screen == "analyses"


async def test_one_that_fails_is_a_sentence_and_its_traceback_is_kept(extended):
    async with opened(extended, asking("odd", "--how broken")) as (app, pilot):
        assert "odd fails: ZeroDivisionError: by nothing" in text(app)
        assert "Traceback" not in text(app)
        assert "Traceback" in app.failures[-1][2]
        app.look_at(asking("odd"))
        await answered(pilot)
        assert len(rows(app)) == 1


async def test_a_slow_answer_is_cancelled_and_the_last_one_stays(sample):
    store, clock = FakeStore(), Clock()
    view = View(screen="analyses").with_option("ask", "top")
    async with deck(store=store, clock=clock, view=view) as (app, pilot):
        assert "render_frame" in text(app)
        store.gate.clear()
        app.look_at(view.with_option("with", "--measure users"))
        await until(pilot, lambda: app.runner.busy("analyses"), 60)
        await pilot.press("escape")
        await until(pilot, lambda: app.view == view, 60)
        assert "render_frame" in text(app)
        store.gate.set()


@pytest.mark.parametrize("ascii_glyphs", [False, True])
async def test_few_colours_and_signs_do(sample, monkeypatch, ascii_glyphs):
    monkeypatch.setenv("NO_COLOR", "1")
    view = asking("lifecycle", "--interval 1h")
    async with opened(sample, view, (80, 24), ascii_glyphs=ascii_glyphs) as (app, pilot):
        assert text(app).isascii() == ascii_glyphs
        for name in ("transitions", "names", "performance", "paths", "funnel-trend"):
            app.look_at(asking(name))
            await answered(pilot)
            assert text(app).isascii() == ascii_glyphs


async def test_a_list_beside_the_rows_has_a_panel_of_its_own(sample):
    async with opened(sample, asking("paths"), (80, 24)) as (app, pilot):
        also = app.screen.query_one("#also", BigTable)
        assert also.row(0)["path"].text.startswith("session_start ▸ ")
        assert rows(app)[0]["from"].text == "session_start"
        await press(pilot, "tab")
        assert app.focused is also
        await press(pilot, "enter")
        assert app.view.screen == "analyses"
        app.look_at(asking("top"))
        await answered(pilot)
        assert app.focused is app.screen.panels.rows


async def test_nothing_found_is_said_with_what_to_do(sample):
    async with opened(sample, asking("histogram")) as (app, pilot):
        assert "nothing of that kind among" in text(app)
        app.look_at(asking("top", where="event_name=nowhere"))
        await answered(pilot)
        assert "no event matches; / changes the filter" in text(app)


async def test_an_answer_is_told_in_full_for_a_file(sample):
    async with opened(sample, asking("transitions")) as (app, _):
        told = app.focused.told()
        result = app.screen._found.answer.result
        assert told.columns == ["from", "to", "count", "users", "share"]
        assert [row[2] for row in told.rows] == [row.values["count"] for row in result.rows]


def test_the_text_of_a_view_keeps_the_options_as_they_were_written():
    view = asking("funnel", "--step 'pay & go where plan=\"pro, team\"' --window 7d")
    assert View.parse(view.text(), now=NOW) == view


def test_a_file_of_analyses_is_read_before_anything_is_drawn(tmp_path):
    good, bad = tmp_path / "odd.py", tmp_path / "none.py"
    good.write_text(PLUGIN)
    bad.write_text("x = 1")
    known = analyses_of(Namespace(plugin=[str(good)]))
    store = open_store(Settings(store=tmp_path / "store"), known)
    assert [each.name for each in store.analyses] == [*(e.name for e in ANALYSES), "odd"]
    assert analyses_of(Namespace(plugin=None)) is None
    with pytest.raises(UsageError, match="it has no ANALYSES"):
        analyses_of(Namespace(plugin=[str(bad)]))


def test_a_package_that_is_broken_takes_no_other_analysis_with_it(tmp_path, monkeypatch):
    (tmp_path / "torn.py").write_text("1/0")
    info = tmp_path / "torn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torn\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eventdeck.analyses]\ntorn = torn\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    told = []
    store = open_store(Settings(store=tmp_path / "store"), tell=told.append)
    assert [each.name for each in store.analyses] == [each.name for each in ANALYSES]
    assert "ZeroDivisionError" in told[0]
