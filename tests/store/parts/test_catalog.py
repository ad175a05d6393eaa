import os
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.parts.catalog import Catalog
from store.parts.footer import read_part
from store.parts.layout import StoreFolder
from store.parts.part import Cover
from store.tally import Tally


def keys(catalog):
    return [part.key.partition("/")[2] for part in catalog.snapshot().parts]


def test_parts_are_in_the_order_of_date_writer_and_sequence(folder, catalog, put):
    put(folder, 0, "b", 2)
    put(folder, 0, "b", 10)
    put(folder, 0, "a", 11)
    put(folder, 0, "z", 0, day="2026-11-21")
    assert keys(catalog) == ["0-z-0", "0-a-11", "0-b-2", "0-b-10"]


def test_a_part_inside_a_visible_cover_does_not_count(folder, catalog, put):
    sources = [put(folder, 0, "w", n) for n in range(4)]
    put(folder, 1, "c", 0, rows=3, covers=[Cover("w", 0, 2)])
    assert keys(catalog) == ["1-c-0", "0-w-3"]
    assert [part.key for part in catalog.snapshot().covered] == [s.key for s in sources[:3]]


def test_a_cover_reaches_only_its_own_date_and_lower_levels(folder, catalog, put):
    put(folder, 0, "w", 1, day="2026-11-21")
    put(folder, 1, "w", 1, covers=[Cover("w", 0, 9)])
    put(folder, 1, "x", 1, covers=[Cover("w", 0, 9)])
    assert keys(catalog) == ["0-w-1", "1-w-1", "1-x-1"]


def test_covers_hold_through_two_merges_whatever_was_unlinked_first(folder, put):
    source = put(folder, 0, "w", 0)
    first = put(folder, 1, "c", 0, covers=[Cover("w", 0, 0)])
    put(folder, 2, "c", 1, covers=[Cover("w", 0, 0), Cover("c", 0, 0)])
    assert keys(Catalog(folder)) == ["2-c-1"]
    first.path.unlink()
    assert keys(Catalog(folder)) == ["2-c-1"]
    source.path.unlink()
    assert keys(Catalog(folder)) == ["2-c-1"]


def test_an_unreadable_cover_covers_nothing(folder, catalog, put):
    put(folder, 0, "w", 0)
    merged = put(folder, 1, "c", 0, covers=[Cover("w", 0, 0)])
    assert keys(catalog) == ["1-c-0"]
    data = bytearray(merged.path.read_bytes())
    data[-20] ^= 1
    merged.path.write_bytes(data)
    assert keys(Catalog(folder)) == ["0-w-0"]


class Merges:
    """A store that is merged at random, and what must count at every moment."""

    def __init__(self, folder, put):
        self.folder, self.put = folder, put
        self.visible, self.covered, self.rows, self.serial = [], [], 0, 0

    def commit(self):
        self.serial += 1
        self.visible.append(self.put(self.folder, 0, f"w{self.serial % 2}", self.serial))
        self.rows += 1

    def merge(self, first, count):
        chosen = self.visible[first : first + count]
        if not chosen:
            return
        self.serial += 1
        self.visible = [part for part in self.visible if part not in chosen]
        self.covered += chosen
        numbers = defaultdict(set)
        for part in chosen:
            for cover in (*part.covers, Cover(part.writer, part.sequence, part.sequence)):
                numbers[cover.writer] |= set(range(cover.first, cover.last + 1))
        covers = [Cover(writer, n, n) for writer, found in numbers.items() for n in sorted(found)]
        level = 1 + max(part.level for part in chosen)
        rows = sum(part.rows for part in chosen)
        merged = self.put(self.folder, level, "c", self.serial, rows=rows, covers=covers)
        self.visible.append(merged)

    def unlink(self, place):
        if self.covered:
            self.covered.pop(place % len(self.covered)).path.unlink()


steps = st.one_of(
    st.just(("commit",)),
    st.tuples(st.just("merge"), st.integers(0, 5), st.integers(1, 4)),
    st.tuples(st.just("unlink"), st.integers(0, 9)),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, max_size=25))
def test_every_event_counts_once_however_parts_are_merged(tmp_path_factory, put, story):
    folder = StoreFolder.open(tmp_path_factory.mktemp("m") / "s", create=True)
    merges, catalog = Merges(folder, put), Catalog(folder)
    for step, *how in story:
        getattr(merges, step)(*how)
        snapshot = catalog.snapshot()
        assert sum(part.rows for part in snapshot.parts) == merges.rows
        assert {part.key for part in snapshot.parts} == {part.key for part in merges.visible}


def test_readers_see_each_acknowledged_event_once_while_parts_are_merged(folder, put):
    catalog, acknowledged, done = Catalog(folder), [0], threading.Event()

    def work():
        merges, due = Merges(folder, put), []
        for round_ in range(150):
            merges.commit()
            acknowledged[0] = merges.rows
            if round_ % 3 == 2:
                merges.merge(0, 4)
            # What was covered stays for ten rounds; a reader has 60 s.
            due.append(list(merges.covered))
            for part in due.pop(0) if len(due) > 10 else ():
                part.path.unlink(missing_ok=True)

    def run():
        try:
            work()
        finally:
            done.set()

    worker = threading.Thread(target=run)
    worker.start()
    while not done.is_set():
        least = acknowledged[0]
        found = sum(part.rows for part in catalog.snapshot().parts)
        # One more may be visible, and not yet counted by the other thread.
        assert least <= found <= acknowledged[0] + 1
    worker.join()
    assert sum(part.rows for part in catalog.snapshot().parts) == 150


def test_footers_are_read_once(folder, catalog, put, monkeypatch):
    put(folder, 0, "w", 0)
    catalog.snapshot()
    opened = []
    monkeypatch.setattr(
        "store.parts.catalog.read_part", lambda *where: opened.append(where) or read_part(*where)
    )
    put(folder, 0, "w", 1)
    assert len(catalog.snapshot().parts) == 2
    assert len(opened) == 1
    catalog.snapshot()
    assert len(opened) == 1


def test_parts_with_the_same_columns_share_one_layout(writer, catalog, events):
    for _ in range(3):
        writer.commit(events(1, plan=["pro"]), Tally())
    assert len({id(part.columns) for part in catalog.snapshot().parts}) == 1


def test_the_generation_tells_every_change_of_names(folder, catalog, put):
    seen = [catalog.generation()]
    part = put(folder, 0, "w", 0)
    seen.append(catalog.generation())
    put(folder, 0, "w", 1, day="2026-11-23")
    seen.append(catalog.generation())
    part.path.unlink()
    seen.append(catalog.generation())
    assert len(set(seen)) == 4
    assert seen[-1] == catalog.generation() == Catalog(folder).generation()
    assert catalog.snapshot().generation == seen[-1]


def test_staged_and_hidden_files_do_not_change_the_generation(folder, catalog, put):
    part = put(folder, 0, "w", 0)
    before = catalog.generation()
    (folder.staging / "0-w-1.parquet.staged").write_bytes(b"x")
    (part.path.parent / "._0-w-0.parquet").write_bytes(b"x")
    (folder.events / "notes.txt").write_text("x")
    assert catalog.generation() == before
    assert catalog.snapshot().skipped == ()


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_change_within_one_tick_of_the_file_system_is_seen(folder, put):
    """A folder's time of change may stand still while names come in: FAT ticks every 2 s."""
    clock = Clock()
    catalog = Catalog(folder, monotonic=clock)
    part = put(folder, 0, "w", 0)
    tick = part.path.parent.stat().st_mtime_ns
    for number in range(1, 5):
        before = catalog.generation()
        put(folder, 0, "w", number)
        os.utime(part.path.parent, ns=(tick, tick))
        clock.seconds += 0.5
        assert catalog.generation() != before


def test_a_folder_that_stands_still_is_not_listed_again(folder, put, monkeypatch):
    clock, listed = Clock(), []
    names = StoreFolder.names
    monkeypatch.setattr(StoreFolder, "names", lambda s, d: listed.append(d) or names(s, d))
    catalog = Catalog(folder, monotonic=clock)
    put(folder, 0, "w", 0)
    for clock.seconds in (0.0, 1.0, 3.0):
        catalog.generation()
    listed.clear()
    for clock.seconds in (3.1, 50.0, 5000.0):
        catalog.generation()
    assert listed == []
    put(folder, 0, "w", 1)
    catalog.generation()
    assert listed == ["2026-11-22"]


def test_a_slow_listing_is_repeated(folder, put, monkeypatch):
    clock, durations = Clock(), iter([31.0, 40.0, 1.0])
    names, listed = StoreFolder.names, []

    def slow(self, day):
        listed.append(day)
        found = names(self, day)
        clock.seconds += next(durations, 0.0)
        return found

    put(folder, 0, "w", 0)
    monkeypatch.setattr(StoreFolder, "names", slow)
    assert len(Catalog(folder, monotonic=clock).snapshot().parts) == 1
    assert len(listed) == 3


def test_a_listed_file_that_is_gone_means_list_again(folder, put, monkeypatch):
    """A listing that saw neither the cover nor, at open, what it covers."""
    source = put(folder, 0, "w", 0)
    stale = iter([frozenset([source.path.name])])
    names = StoreFolder.names
    put(folder, 1, "c", 0, covers=[Cover("w", 0, 0)])
    source.path.unlink()
    monkeypatch.setattr(StoreFolder, "names", lambda s, d: next(stale, None) or names(s, d))
    assert keys(Catalog(folder)) == ["1-c-0"]


def test_a_file_that_comes_and_goes_for_ever_does_not_hang_the_reader(folder, put, monkeypatch):
    part = put(folder, 0, "w", 0)
    names = StoreFolder.names
    monkeypatch.setattr(StoreFolder, "names", lambda s, d: [*names(s, d), "0-gone-1.parquet"])
    snapshot = Catalog(folder).snapshot()
    assert [each.key for each in snapshot.parts] == [part.key]


def ruined(path, how):
    data = path.read_bytes()
    path.write_bytes(how(data))


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        (lambda data: b"", "cut off or empty"),
        (lambda data: data[:7], "cut off or empty"),
        (lambda data: data[: len(data) // 2], "cut off or empty"),
        (lambda data: data[:-1], "cut off or empty"),
        (lambda data: data + b"x", "cut off or empty"),
        (lambda data: data[:-8] + b"\xff\xff\xff\x7fPAR1", "longer than the file"),
        (lambda data: data[:-8] + b"\x00\x00\x00\x00PAR1", "footer is damaged"),
        (lambda data: data.replace(b'"rows":1', b'"rows":2'), "checksum of its footer"),
        (lambda data: b"x" * len(data), "cut off or empty"),
    ],
)
def test_a_ruined_part_is_skipped_and_said_and_all_others_stay(folder, catalog, put, how, fault):
    put(folder, 0, "w", 0)
    bad = put(folder, 0, "w", 1)
    put(folder, 0, "w", 2)
    ruined(bad.path, how)
    snapshot = catalog.snapshot()
    assert [part.sequence for part in snapshot.parts] == [0, 2]
    assert [(each.path, fault in each.fault) for each in snapshot.skipped] == [(bad.path, True)]
    assert catalog.snapshot() is not None


def test_a_part_that_is_restored_counts_again(folder, catalog, put):
    part = put(folder, 0, "w", 0)
    good = part.path.read_bytes()
    part.path.write_bytes(b"")
    assert catalog.snapshot().parts == ()
    part.path.write_bytes(good)
    assert catalog.snapshot().parts == (part,)
    assert catalog.snapshot().skipped == ()


def test_a_part_that_queries_fail_on_is_left_out_from_then_on(folder, catalog, writer, events):
    (bad,) = writer.commit(events(100), Tally())
    (good,) = writer.commit(events(1, first=200), Tally())
    before = catalog.snapshot()
    ruined(bad.path, lambda data: data[:300] + b"\xff" + data[301:])
    assert [each.path for each in catalog.verify(before.parts)] == [bad.path]
    after = catalog.snapshot()
    assert after.parts == (good,)
    assert "checksum of its rows" in after.skipped[0].fault
    assert after.generation == catalog.generation() != before.generation
    assert catalog.verify(after.parts) == ()


def test_a_part_of_a_newer_format_is_skipped_and_said(folder, catalog, put, monkeypatch):
    monkeypatch.setattr("store.parts.footer.FORMAT", 2)
    put(folder, 0, "w", 0)
    monkeypatch.undo()
    put(folder, 0, "w", 1)
    snapshot = catalog.snapshot()
    assert [part.sequence for part in snapshot.parts] == [1]
    assert "format 2" in snapshot.skipped[0].fault


def test_a_copy_under_another_name_is_skipped(folder, catalog, put):
    part = put(folder, 0, "w", 0)
    part.path.with_name("0-w-7.parquet").write_bytes(part.path.read_bytes())
    part.path.with_name("copy.parquet").write_bytes(part.path.read_bytes())
    snapshot = catalog.snapshot()
    assert snapshot.parts == (part,)
    assert ["0-w-0" in each.fault or "LEVEL" in each.fault for each in snapshot.skipped] == [
        True
    ] * 2


def test_a_folder_in_the_place_of_a_part_is_skipped(folder, catalog, put):
    part = put(folder, 0, "w", 0)
    part.path.with_name("0-w-1.parquet").mkdir()
    assert catalog.snapshot().parts == (part,)
    assert len(catalog.snapshot().skipped) == 1


def test_a_store_that_appears_later_is_found(tmp_path, put):
    catalog = Catalog(StoreFolder.open(tmp_path / "s"))
    before = catalog.generation()
    assert catalog.snapshot().parts == ()
    put(StoreFolder.open(tmp_path / "s", create=True), 0, "w", 0)
    assert catalog.generation() != before
    assert len(catalog.snapshot().parts) == 1


def test_asking_the_generation_does_not_wait_for_footers(folder, put, monkeypatch):
    put(folder, 0, "w", 0)
    catalog, reading, go = Catalog(folder), threading.Event(), threading.Event()

    def slow(*where):
        reading.set()
        assert go.wait(60)
        return read_part(*where)

    monkeypatch.setattr("store.parts.catalog.read_part", slow)
    with ThreadPoolExecutor(2) as pool:
        snapshot = pool.submit(catalog.snapshot)
        assert reading.wait(60)
        assert pool.submit(catalog.generation).result(timeout=60)
        assert not snapshot.done()
        go.set()
        assert len(snapshot.result().parts) == 1
