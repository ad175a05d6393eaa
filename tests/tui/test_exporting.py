"""`x` on real panels: what they show is in the file, and nothing is ever overwritten."""

import json
from datetime import timedelta

import polars as pl
import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from tests.tui.decks import Clock, deck, press, settled, text
from tui.exporting import content_of
from tui.told import Told, told_of
from tui.view_state import View

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Eight who look, four of whom pay; one event's name is a formula to a spreadsheet."""
    rows = [
        {
            "event_time": NOON - timedelta(minutes=30, seconds=who - 20 * at),
            "event_type": "behavioral",
            "event_name": name,
            "user_id": f"u{who}",
        }
        for who in range(8)
        for at, name in enumerate(["=view()", *(["pay"] if who < 4 else [])])
    ]
    write(tmp_path / "store", events_of(rows))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return EventStore(tmp_path / "store", now=lambda: NOON)


def opened(store, view, **options):
    return deck(store=store, view=view, clock=Clock(NOON), **options)


async def export(pilot, how):
    await press(pilot, "x")
    pilot.app.focused.insert_text_at_cursor(how)
    await settled(pilot)
    await press(pilot, "enter")


def files(tmp_path):
    return sorted((tmp_path / "here").iterdir())


FUNNEL = View(screen="funnel", span=HOUR).with_option("steps", '"=view()",pay')


async def test_the_steps_of_a_funnel_are_rows_of_csv_that_no_spreadsheet_runs(store, tmp_path):
    async with opened(store, FUNNEL) as (app, pilot):
        await export(pilot, "csv")
        (path,) = files(tmp_path)
        assert path.name == "eventdeck-funnel-funnel-20261122-120000.csv"
        head, first, second = path.read_text().splitlines()
        assert head.startswith('"step","count","conversion"')
        assert first.startswith('"\'=view()",8,1.0')
        assert second.startswith('"pay",4,0.5')
        assert path.name in text(app).replace("\n", "") or "2 rows" in text(app)


async def test_a_second_export_of_the_same_second_has_a_name_of_its_own(store, tmp_path):
    async with opened(store, FUNNEL) as (_, pilot):
        await export(pilot, "csv")
        before = files(tmp_path)[0].read_bytes()
        await export(pilot, "csv")
        names = [path.name for path in files(tmp_path)]
        assert names == [
            "eventdeck-funnel-funnel-20261122-120000-2.csv",
            "eventdeck-funnel-funnel-20261122-120000.csv",
        ]
        assert files(tmp_path)[1].read_bytes() == before


@pytest.mark.parametrize("how", ["csv", "parquet", "ndjson"])
async def test_explore_exports_all_events_of_the_view(store, tmp_path, how):
    view = View(screen="explore", span=HOUR, where="event_name=pay")
    async with opened(store, view) as (app, pilot):
        await export(pilot, how)
        (path,) = files(tmp_path)
        readers = {"csv": pl.read_csv, "parquet": pl.read_parquet, "ndjson": pl.read_ndjson}
        assert set(readers[how](path)["user_id"]) == {"u0", "u1", "u2", "u3"}
        assert "4 rows" in text(app)


async def test_a_chart_and_a_table_of_the_overview_are_exported_with_their_values(store, tmp_path):
    async with opened(store, View(span=HOUR)) as (app, pilot):
        app.screen.query_one("NamesTable").focus()
        await export(pilot, "ndjson")
        (path,) = files(tmp_path)
        rows = [json.loads(row) for row in path.read_text().splitlines()]
        assert {row["event_name"]: row["count"] for row in rows} == {"=view()": 8, "pay": 4}
        path.unlink()
        app.screen.query_one("#rate").focus()
        await export(pilot, "parquet")
        (path,) = files(tmp_path)
        frame = pl.read_parquet(path)
        assert frame.schema["time"].is_temporal()
        assert frame.height > 10


async def test_the_screen_is_a_picture_without_the_box_over_it(store, tmp_path):
    async with opened(store, FUNNEL) as (_, pilot):
        await export(pilot, "svg")
        (path,) = files(tmp_path)
        picture = path.read_text()
        assert path.name.startswith("eventdeck-funnel-screen-")
        assert picture.startswith("<svg")
        assert "pay" in picture
        assert "parquet" not in picture


async def test_a_folder_that_cannot_be_written_is_named(store, tmp_path, monkeypatch):
    def full(content, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("tui.exporting.keep", full)
    async with opened(store, FUNNEL) as (app, pilot):
        await export(pilot, "csv")
        shown = " ".join(text(app).split())
        assert "no space left on device" in shown
        assert "here" in shown
        assert not files(tmp_path)


def test_columns_of_several_types_are_texts_and_numbers_stay_numbers():
    rows = [{"a": 1, "b": 1, "c": None}, {"a": "x", "b": 2.5, "c": True, "d": ["p", "q"]}]
    told = told_of([*rows, {"event": {"n": 7}, "odd": object()}])
    frame = pl.read_parquet(content_of(told, "parquet"))
    assert frame.to_dict(as_series=False) == {
        "a": ["1", "x", None],
        "b": [1.0, 2.5, None],
        "c": [None, True, None],
        "d": [None, "p, q", None],
        "n": [None, None, 7],
    }


def test_a_table_without_rows_is_a_header():
    assert content_of(Told(["a"], []), "csv") == b'"a"\n'
