from dataclasses import dataclass
from datetime import timedelta
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.collector import duplicates
from store.collector.duplicates import SeenIds, id_hashes
from store.testing import FrozenClock, events_of


@dataclass(frozen=True)
class FakePart:
    key: str
    date: str = "2026-11-22"
    rows: int = 1
    newest_received: object = None


class Disk:
    """What parts hold, by key; counts the reads."""

    def __init__(self):
        self.keys = {}
        self.reads = []

    def __call__(self, part_keys, suspects):
        self.reads.append(set(part_keys))
        return set().union(*(self.keys[key] for key in part_keys))


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture(params=[0, 3, duplicates.RECENT_MAX])
def seen(disk, clock, monkeypatch, request):
    """One part a run, so that each test sees which part is asked; ids are put in order after every
    commit, now and then, or never.
    """
    monkeypatch.setattr(duplicates, "RUN_PARTS_MAX", 1)
    monkeypatch.setattr(duplicates, "RECENT_MAX", request.param)
    return SeenIds(disk, clock.ticks, ids_max=8)


def store(seen, disk, events, *keys):
    assert found(seen, events) is None
    for key, (_, rows) in zip(keys, events.group_by(pl.col("event_time").dt.date()), strict=True):
        stored = rows.select("event_id", pl.col("event_time").dt.date()).rows()
        disk.keys[key] = disk.keys.get(key, set()) | set(stored)
    dates = events["event_time"].dt.date().unique().sort().cast(pl.String)
    seen.remember(
        events, id_hashes(events), [FakePart(k, d) for k, d in zip(keys, dates, strict=True)]
    )


def found(seen, frame):
    return seen.repeated(frame, id_hashes(frame))


def repeated(seen, frame):
    again = found(seen, frame)
    return [] if again is None else frame["event_id"].filter(again).to_list()


def test_new_ids_cost_no_look_at_the_disk(seen, disk, events):
    store(seen, disk, events("a", "b"), "p")
    assert found(seen, events("c", "d")) is None
    assert disk.reads == []


def test_an_id_that_is_stored_is_a_duplicate(seen, disk, events):
    store(seen, disk, events("a", "b"), "p")
    store(seen, disk, events("c"), "q")
    assert repeated(seen, events("x", "b", "y")) == ["b"]
    assert disk.reads == [{"p"}]


def test_an_id_twice_in_one_delivery_counts_once(seen, events):
    assert found(seen, events("a", "b", "a", "a")).to_list() == [False, False, True, True]


def test_the_same_id_on_another_date_is_another_event(seen, disk, events, clock):
    store(seen, disk, events("a"), "p")
    assert found(seen, events("a", at=clock.time + timedelta(days=1))) is None
    both = pl.concat([events("b"), events("b", at=clock.time + timedelta(days=1))])
    assert found(seen, both) is None


def test_ids_of_several_dates_point_to_their_own_parts(seen, disk, events, clock):
    tomorrow = clock.time + timedelta(days=1)
    both = pl.concat([events("a"), events("b", at=tomorrow)])
    assert found(seen, both) is None
    seen.remember(both, id_hashes(both), [FakePart("p"), FakePart("q", "2026-11-23")])
    disk.keys = {"p": {("a", clock.time.date())}, "q": {("b", tomorrow.date())}}
    assert repeated(seen, both) == ["a", "b"]
    assert disk.reads == [{"p", "q"}]


def test_an_id_hashes_alike_whether_its_date_comes_alone_or_among_others(events, clock):
    days = [clock.time - timedelta(days=n) for n in (0, 1, 365, 365 * 57, 365 * 90)]
    together = id_hashes(pl.concat([events("a", at=day) for day in days]))
    assert together == [id_hashes(events("a", at=day))[0] for day in days]
    assert len(set(together)) == len(days)
    assert id_hashes(events()) == []


def test_two_ids_that_share_a_hash_are_both_kept(seen, disk, events, monkeypatch):
    def same(frame):
        return [7] * frame.height

    monkeypatch.setitem(globals(), "id_hashes", same)
    store(seen, disk, events("a"), "p")
    assert found(seen, events("b", "c")) is None
    assert repeated(seen, events("b", "a")) == ["a"]


def test_the_newest_ids_are_known_however_many_came(seen, disk, events):
    for number in range(100):
        store(seen, disk, events(str(number)), f"p{number}")
    assert repeated(seen, events(*map(str, range(92, 100)))) == [str(n) for n in range(92, 100)]
    assert len(seen) == 8
    assert found(seen, events("0", "1")) is None


def test_what_could_not_be_stored_is_new_when_it_comes_again(seen, disk, events):
    store(seen, disk, events("a"), "p")
    frame = events("a", "b", "c")
    assert found(seen, frame).to_list() == [True, False, False]
    seen.forget(id_hashes(events("b", "c")))
    assert repeated(seen, frame) == ["a"]


def test_commits_of_one_event_each_share_a_run(seen, disk, events, monkeypatch):
    monkeypatch.setattr(duplicates, "RUN_PARTS_MAX", 50)
    for name in "abcd":
        assert found(seen, events(name)) is None
        store(seen, disk, events(name), f"p{name}")
    assert len(seen._runs) == 1
    assert repeated(seen, events("c")) == ["c"]
    assert disk.reads == [{"pa", "pb", "pc", "pd"}]


def test_ids_older_than_a_day_are_forgotten(seen, disk, events, clock):
    store(seen, disk, events("a", "b", "c"), "p")
    clock.pass_by(hours=25)
    store(seen, disk, events("d"), "q")
    store(seen, disk, events("e"), "q")
    assert found(seen, events("a")) is None
    assert repeated(seen, events("d")) == ["d"]


def test_what_was_read_at_start_is_known(seen, disk, events, clock):
    p, q = FakePart("p"), FakePart("q")
    disk.keys = {"p": {("a", clock.time.date())}, "q": {("b", clock.time.date())}}
    seen.learn([(p, events("a")), (q, events("c")), (q, events("b"))])
    assert repeated(seen, events("b")) == ["b"]
    assert repeated(seen, events("a")) == ["a"]
    assert disk.reads == [{"q"}, {"p"}]


def test_of_what_is_read_at_start_the_newest_ids_are_known(seen, disk, events, clock):
    names = [str(number) for number in range(100)]
    disk.keys = {"p": {(name, clock.time.date()) for name in names}}
    seen.learn((FakePart("p"), events(name)) for name in names)
    assert len(seen) == 8
    assert found(seen, events(*names[:92])) is None
    assert repeated(seen, events(*names[92:])) == names[92:]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=30),
    st.sampled_from([0, 5, 20, duplicates.RECENT_MAX]),
)
def test_however_ids_are_kept_the_same_ones_are_known(commits, recent_max):
    disk, clock = Disk(), FrozenClock()
    kept: list[int] = []
    with mock.patch.multiple(duplicates, RECENT_MAX=recent_max, RUN_IDS_MAX=4):
        seen = SeenIds(disk, lambda: 0.0, ids_max=1_000)
        for at, numbers in enumerate(commits):
            rows = [{"event_id": f"id-{number}", "event_time": clock()} for number in numbers]
            frame = events_of(rows) if rows else events_of([{"event_id": "x"}]).clear()
            again = set(repeated(seen, frame))
            twice = {f"id-{n}" for n in numbers if numbers.count(n) > 1}
            assert again == twice | {f"id-{n}" for n in numbers if n in kept}
            fresh = list(dict.fromkeys(n for n in numbers if n not in kept))
            kept += fresh
            stored = events_of([{"event_id": f"id-{n}", "event_time": clock()} for n in fresh])
            disk.keys[f"p{at}"] = {(f"id-{n}", clock().date()) for n in fresh}
            part = FakePart(f"p{at}", f"{clock():%Y-%m-%d}")
            seen.remember(stored, id_hashes(stored), [part] if fresh else [])
