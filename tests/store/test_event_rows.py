"""The rows of a table over a store: every event once, in order, also while the store grows."""

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.analytics.filters import parse_filter
from store.event_rows import EventRows, Order
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import FIXED
from store.tally import Tally
from store.timespan import TimeSpan

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SPAN = TimeSpan(NOON, NOON + 1000 * SECOND)


class Store:
    """A store in a folder, to which tests write events at seconds after noon."""

    def __init__(self, path):
        self.folder = StoreFolder.open(path, create=True)
        self.catalog = Catalog(self.folder)
        self.writers = [PartWriter(self.folder, now=lambda: NOON, writer=name) for name in "ab"]
        self.count = 0

    def write(self, *seconds, writer=0, **columns):
        ids = [f"e{self.count + n:06}" for n in range(len(seconds))]
        self.count += len(seconds)
        frame = pl.DataFrame(
            {
                "event_id": ids,
                "event_time": [NOON + second * SECOND for second in seconds],
                "event_type": ["log"] * len(seconds),
                "event_name": [f"at {second}" for second in seconds],
                **columns,
            },
            schema_overrides={"event_time": FIXED["event_time"]},
        )
        self.writers[writer].commit(frame, Tally())

    @property
    def parts(self):
        return self.catalog.snapshot().parts


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def names(rows, places=None):
    page = rows.page(places or range(rows.total), ["event_name"])
    return [page[place]["event_name"] for place in sorted(page)]


def times(rows):
    page = rows.page(range(rows.total), [])
    return [int((page[p]["event_time"] - NOON).total_seconds()) for p in sorted(page)]


def test_the_newest_event_stands_first_whatever_part_it_is_in(store):
    store.write(5, 1, 9)
    store.write(7, 2, writer=1)
    store.write(20, 30)
    assert times(EventRows.open(store.parts, SPAN)) == [30, 20, 9, 7, 5, 2, 1]


def test_parts_apart_in_time_are_known_without_reading_them(store):
    store.write(1, 2, 3)
    store.write(5, 6)
    rows = EventRows.open(store.parts, SPAN)
    for part in store.parts:
        part.path.rename(part.path.with_suffix(".away"))
    assert rows.total == 5


def test_the_span_cuts_parts(store):
    store.write(*range(10))
    rows = EventRows.open(store.parts, TimeSpan(NOON + 3 * SECOND, NOON + 6 * SECOND))
    assert times(rows) == [5, 4, 3]


def test_a_filter_leaves_what_it_wants(store):
    store.write(1, 2, 3, plan=["pro", "free", "pro"])
    store.write(4, 5)
    assert times(EventRows.open(store.parts, SPAN, parse_filter("plan=pro"))) == [3, 1]


def test_another_column_gives_another_order_with_missing_values_last(store):
    store.write(1, 2, 3, duration_ms=[5.0, None, 50.0])
    store.write(4, 5, duration_ms=[7.0, 5.0])
    slowest = EventRows.open(store.parts, SPAN, order=Order("duration_ms"))
    assert times(slowest) == [3, 4, 5, 1, 2]
    by_name = EventRows.open(store.parts, SPAN, order=Order("event_name", descending=False))
    assert names(by_name) == ["at 1", "at 2", "at 3", "at 4", "at 5"]


def test_a_page_has_only_the_places_that_exist_and_the_columns_that_there_are(store):
    store.write(1, 2, plan=["pro", None])
    page = EventRows.open(store.parts, SPAN).page(range(1, 99), ["plan", "nothing"])
    assert {place: row["plan"] for place, row in page.items()} == {1: "pro"}
    assert "nothing" not in page[1]


def test_an_event_has_everything_that_was_stored_of_it(store):
    store.write(1, 2, **{"plan": ["pro", None], "metadata.deep.key": [7, 8], "value": [1.5, 2.5]})
    rows = EventRows.open(store.parts, SPAN)
    event = rows.event(rows.page(range(1), [])[0])
    assert event["metadata.deep.key"] == 8
    assert event["value"] == 2.5
    assert "plan" not in event


def test_attributes_beyond_the_column_limit_are_there_too(store):
    many = {f"attribute_{number:04}": [number] for number in range(600)}
    store.write(1, **many)
    rows = EventRows.open(store.parts, SPAN)
    event = rows.event(rows.page(range(1), [])[0])
    assert {name: event[name] for name in many} == {name: v[0] for name, v in many.items()}


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("where", ["", "kind=even"])
def test_growing_gives_what_opening_anew_would(store, seed, where):
    chance = random.Random(seed)
    wanted = parse_filter(where or None)
    at = 0
    rows = EventRows.open(store.parts, TimeSpan(NOON, NOON + 50 * SECOND), wanted)
    for step in range(1, 9):
        for writer in range(chance.randint(0, 2)):
            late = chance.choice([0, 3, 40])
            seconds = [max(0, at + chance.randint(-late, 6)) for _ in range(chance.randint(1, 9))]
            kinds = ["even" if second % 2 == 0 else "odd" for second in seconds]
            store.write(*seconds, writer=writer, kind=kinds)
        at += 5
        span = TimeSpan(NOON + max(0, at - 30) * SECOND, NOON + (50 + step) * SECOND)
        rows = rows.grown(store.parts, span)
        anew = EventRows.open(store.parts, span, wanted)
        assert times(rows) == times(anew)
        assert sorted(names(rows)) == sorted(names(anew))


def test_an_event_that_was_in_the_future_appears_when_the_span_reaches_it(store):
    store.write(1, 100)
    rows = EventRows.open(store.parts, TimeSpan(NOON, NOON + 50 * SECOND))
    assert times(rows) == [1]
    assert times(rows.grown(store.parts, TimeSpan(NOON, NOON + 200 * SECOND))) == [100, 1]


def test_a_row_is_found_again_after_rows_came_in_above(store):
    store.write(1, 2, 3)
    before = EventRows.open(store.parts, SPAN)
    anchor = before.page(range(1, 2), [])[1]
    store.write(2.5, 9, 8)
    after = before.grown(store.parts, SPAN)
    place = after.place(anchor)
    assert names(after, range(place, place + 1)) == ["at 2"]
    assert after.newer_than(NOON + 3 * SECOND) == times(after).index(3)


def test_nothing_stored_is_no_rows(store):
    rows = EventRows.open(store.parts, SPAN)
    assert rows.total == 0
    assert rows.page(range(10), ["event_name"]) == {}
    assert rows.grown(store.parts, SPAN).total == 0
    assert rows.newer_than(NOON) == 0


def merge_all(store, level=1):
    from store.maintenance.merging import merge
    from store.parts.compaction import covers_of
    from store.parts.disk import DISK
    from store.parts.layout import PartName

    merge(store.folder, DISK, store.parts, PartName(level, "m", level), covers_of(store.parts, ()))


def test_a_row_is_found_again_after_a_merge_put_it_into_another_part(store):
    store.write(5, 5, 5, 7, writer=0)
    store.write(5, 5, 6, writer=1)
    before = EventRows.open(store.parts, SPAN)
    page = before.page(range(before.total), ["event_id"])
    merge_all(store)
    after = before.grown(store.parts, SPAN)
    ids = after.page(range(after.total), ["event_id"])
    for row in page.values():
        assert ids[after.place(row)]["event_id"] == row["event_id"]
    for part in before.parts:
        part.path.unlink()
    assert after.place(page[0]) is None
