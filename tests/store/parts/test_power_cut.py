"""The power goes, the process dies, or the disk fails, at each call that a commit makes."""

import errno
import random
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.errors import NoRoomError, ReadOnlyStoreError, StoreError
from store.parts.catalog import Catalog
from store.parts.disk import Disk
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.parts.writer import PartWriter
from store.tally import Tally
from tests.power import Medium, RecordingDisk, laid_out, moments

CALLS_MAX = 200
"""More than any commit here makes; a test that gets so far does not end by itself."""


def ids(root):
    folder = StoreFolder.open(root)
    snapshot = Catalog(folder).snapshot()
    assert snapshot.skipped == ()
    return scan(snapshot.parts, ["event_id"], None).collect()["event_id"].to_list()


def story(root, disk, events, noon):
    """A store, two commits, the second over two dates; told is after each what is acknowledged."""
    folder = StoreFolder.open(root / "a" / "s", create=True, disk=disk)
    writer = PartWriter(folder, now=lambda: noon, writer="w", disk=disk)
    for batch in (events(2), events(3, first=2, step=timedelta(hours=8))):
        writer.commit(batch, Tally({"stored": batch.height}))
        disk.tell(set(batch["event_id"]))


EVERYTHING = {f"e{number:06}" for number in range(5)}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, events, noon):
    root = tmp_path_factory.mktemp("recorded")
    disk = RecordingDisk(bytes_a_write=1_000)
    story(root, disk, events, noon)
    assert len(disk.calls) > 20
    return root, disk


@pytest.fixture
def after(recorded, tmp_path):
    """after(lambda medium: medium.after_cut()): each different store that stands at some moment,
    laid out, and what was acknowledged by then.
    """

    def different(what_stands):
        seen = set()
        for medium in moments(Medium(recorded[0]), recorded[1]):
            content = what_stands(medium)
            key = (frozenset(content.items()), len(medium.told))
            if key not in seen:
                seen.add(key)
                store = laid_out(content, tmp_path / f"{len(seen)}") / "a" / "s"
                yield store, set().union(*medium.told)

    return different


WAYS = [Medium.after_cut, Medium.after_death]


@pytest.mark.parametrize("way", WAYS)
def test_what_was_acknowledged_survives_a_cut_or_a_kill_at_any_call(after, way):
    for store, acknowledged in after(way):
        found = ids(store)
        assert acknowledged <= set(found) <= EVERYTHING
        assert len(found) == len(set(found))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_whatever_else_survived_a_cut_does_no_harm(recorded, tmp_path_factory, seed):
    """The system may have written some of what was not synced, in any order."""
    luck, scratch = random.Random(seed), tmp_path_factory.mktemp("lucky")
    for number, medium in enumerate(moments(Medium(recorded[0]), recorded[1])):
        store = laid_out(medium.after_lucky_cut(luck), scratch / f"{number}") / "a" / "s"
        assert set().union(*medium.told) <= set(ids(store)) <= EVERYTHING


@pytest.mark.parametrize("way", WAYS)
def test_the_tally_matches_the_rows_that_stand_after_any_cut(after, way):
    for store, _acknowledged in after(way):
        parts = Catalog(StoreFolder.open(store)).snapshot().parts
        tally = Tally.total(part.tally for part in parts)
        assert tally.fates.get("stored", 0) == sum(part.rows for part in parts)


@pytest.mark.parametrize("way", WAYS)
def test_a_store_works_on_after_any_cut(after, way, events, noon):
    for store, acknowledged in after(way):
        folder = StoreFolder.open(store, create=True)
        writer = PartWriter(folder, now=lambda: noon, writer="w")
        writer.commit(events(1, first=9), Tally())
        assert acknowledged | {"e000009"} <= set(ids(store))


class FailingDisk(RecordingDisk):
    """Fails with `error` at one call, and works again after it."""

    def __init__(self, error):
        super().__init__(bytes_a_write=1_000)
        self.error, self.fails_in = error, None

    def _call(self, *call):
        super()._call(*call)
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in < 0:
                self.fails_in = None
                raise OSError(self.error, "it failed")


def test_the_recorder_knows_every_call_that_reaches_the_disk():
    doors = {name for name in vars(Disk) if not name.startswith("_")}
    assert doors <= vars(RecordingDisk).keys()


def failure_of(work):
    try:
        work()
    except StoreError as failure:
        return failure
    return None


@pytest.mark.parametrize(
    ("error", "raised", "words"),
    [
        (errno.ENOSPC, NoRoomError, "free some space"),
        (errno.EDQUOT, NoRoomError, "free some space"),
        (errno.EROFS, ReadOnlyStoreError, "--store"),
        (errno.EACCES, ReadOnlyStoreError, "--store"),
        (errno.EIO, StoreError, "it failed"),
    ],
)
def test_a_failing_disk_stores_nothing_and_recovers(tmp_path, events, noon, error, raised, words):
    disk = FailingDisk(error)
    folder = StoreFolder.open(tmp_path / "s", create=True, disk=disk)
    writer = PartWriter(folder, now=lambda: noon, writer="w", disk=disk)
    writer.commit(events(1), Tally({"stored": 1}))
    stored = {"e000000"}
    for calls in range(CALLS_MAX):
        start = noon + calls * timedelta(days=2)
        new = events(2, first=2 * calls + 1, start=start, step=timedelta(days=1))
        disk.fails_in = calls
        failure = failure_of(lambda new=new: writer.commit(new, Tally({"stored": 2})))
        if failure is None:
            stored |= set(new["event_id"])
            break
        assert type(failure) is raised
        assert words in str(failure)
        assert set(ids(folder.root)) == stored
        assert folder.staged() == []
    assert calls > 10
    disk.fails_in = None
    writer.commit(events(1, first=999_999), Tally())
    assert set(ids(folder.root)) == stored | {"e999999"}


def test_a_number_that_failed_is_not_used_again(tmp_path, events, noon):
    disk = FailingDisk(errno.ENOSPC)
    folder = StoreFolder.open(tmp_path / "s", create=True, disk=disk)
    writer = PartWriter(folder, now=lambda: noon, writer="w", disk=disk)
    disk.fails_in = 3
    with pytest.raises(NoRoomError):
        writer.commit(events(1), Tally())
    assert writer.commit(events(1), Tally())[0].sequence == 1


def test_a_store_cannot_be_created_on_a_full_disk(tmp_path):
    for calls in range(8):
        disk = FailingDisk(errno.ENOSPC)
        disk.fails_in = calls
        with pytest.raises(NoRoomError):
            StoreFolder.open(tmp_path / f"s{calls}", create=True, disk=disk)
        assert StoreFolder.open(tmp_path / f"s{calls}", create=True).store_json.is_file()


def test_a_folder_that_expired_is_made_again(tmp_path, events, noon):
    folder = StoreFolder.open(tmp_path / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon, writer="w")
    (part,) = writer.commit(events(1), Tally())
    part.path.unlink()
    part.path.parent.rmdir()
    writer.commit(events(1, first=1), Tally())
    assert ids(folder.root) == ["e000001"]


def test_staged_leftovers_are_seen_by_no_reader(tmp_path, events, noon):
    folder = StoreFolder.open(tmp_path / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon, writer="w")
    (part,) = writer.commit(events(1), Tally())
    leftover = folder.staging / "0-w-1.parquet.staged"
    leftover.write_bytes(part.path.read_bytes())
    assert ids(folder.root) == ["e000000"]
    assert folder.staged() == [leftover]
    assert list(Path(folder.events).glob("**/*.parquet")) == [part.path]
    assert pl.scan_parquet(folder.events, hive_partitioning=True).collect().height == 1
    assert (
        PartWriter(folder, now=lambda: noon, writer="w").commit(events(1), Tally())[0].sequence == 2
    )


def test_the_order_of_calls_is_file_then_name_then_folder(tmp_path, events, noon):
    calls = []

    class Told(RecordingDisk):
        def __getattribute__(self, name):
            if name in {"create", "sync", "rename", "make_folder", "sync_folder"}:
                calls.append(name)
            return super().__getattribute__(name)

    folder = StoreFolder.open(tmp_path / "s", create=True)
    writer = PartWriter(folder, now=lambda: noon, writer="w", disk=Told())
    writer.commit(events(1), Tally())
    commit = ["create", "sync", "rename", "sync_folder"]
    assert calls == ["make_folder", "sync_folder", "sync_folder", *commit]
    calls.clear()
    writer.commit(events(1), Tally())
    assert calls == commit


def test_ancestors_are_synced_when_they_are_made(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(Disk, "sync_folder", lambda _self, path: synced.append(path))
    StoreFolder.open(tmp_path / "a" / "b" / "s", create=True)
    chain = [tmp_path, tmp_path / "a", tmp_path / "a" / "b", tmp_path / "a" / "b" / "s"]
    assert list(dict.fromkeys(synced)) == chain


def test_macos_waits_for_the_drive_itself(monkeypatch):
    import fcntl

    asked = []
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda *what: asked.append(what))
    monkeypatch.setattr("os.fsync", lambda _descriptor: pytest.fail("not enough on macOS"))
    Disk().sync(7)
    assert asked == [(7, 51)]
