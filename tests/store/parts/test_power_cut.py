"""The power goes, the process dies, or the disk fails, at each call that a commit makes."""

import errno
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

CALLS_MAX = 200
"""More than any commit here makes; a test that gets so far does not end by itself."""


class PowerCut(BaseException):
    """Nothing runs after it, not even a handler."""


class Inode:
    def __init__(self):
        self.data = self.synced = b""


class PoweredDisk(Disk):
    """A disk that forgets, when the power goes, all that was not synced.

    `names` is what programs see; `durable` what stands on the medium: folders as their last sync
    left them, files with the bytes of theirs.
    """

    def __init__(self, calls_left=CALLS_MAX, bytes_a_write=1_000):
        self.calls_left = calls_left
        self.bytes_a_write = bytes_a_write
        self.names, self.durable, self.open_files = {}, {}, {}

    def _call(self):
        if self.calls_left <= 0:
            raise PowerCut
        self.calls_left -= 1

    def create(self, path):
        self._call()
        descriptor = super().create(path)
        self.names[path] = self.open_files[descriptor] = Inode()
        return descriptor

    def write(self, descriptor, data):
        self._call()
        written = super().write(descriptor, data[: self.bytes_a_write])
        self.open_files[descriptor].data += bytes(data[:written])
        return written

    def sync(self, descriptor):
        self._call()
        if descriptor in self.open_files:
            self.open_files[descriptor].synced = self.open_files[descriptor].data

    def close(self, descriptor):
        super().close(descriptor)
        self.open_files.pop(descriptor, None)

    def rename(self, source, target):
        self._call()
        super().rename(source, target)
        self.names[target] = self.names.pop(source)

    def remove(self, path):
        self._call()
        super().remove(path)
        del self.names[path]

    def make_folder(self, path):
        self._call()
        super().make_folder(path)
        self.names[path] = None

    def sync_folder(self, path):
        self._call()
        for name in {name for name in self.durable if name.parent == path} - self.names.keys():
            del self.durable[name]
        self.durable |= {name: node for name, node in self.names.items() if name.parent == path}

    def after_the_cut(self, root, target, keeps=lambda _what: False):
        """The store as the next start finds it, written to `target`. `keeps` says for each name
        and each file's bytes that were not synced whether they made it all the same.
        """
        found = dict(self.durable)
        for name in sorted(self.names.keys() ^ self.durable.keys()):
            if keeps(("name", name)):
                found.pop(name, None)
                found |= {name: self.names[name]} if name in self.names else {}
        target.mkdir()
        for name in sorted(found):
            place = target / name.relative_to(root)
            node = found[name]
            if not place.parent.is_dir():
                continue  # its folder's own name was lost
            if node is None:
                place.mkdir()
            else:
                place.write_bytes(node.data if keeps(("bytes", name)) else node.synced)
        return target


def ids(root):
    folder = StoreFolder.open(root)
    snapshot = Catalog(folder).snapshot()
    assert snapshot.skipped == ()
    return scan(snapshot.parts, ["event_id"], None).collect()["event_id"].to_list()


def story(root, disk, events, noon):
    """Two commits, the second over two dates; tells after each which ids are acknowledged."""
    folder = StoreFolder.open(root / "s", create=True, disk=disk)
    writer = PartWriter(folder, now=lambda: noon, writer="w", disk=disk)
    writer.commit(events(2), Tally({"stored": 2}))
    yield {"e000000", "e000001"}
    writer.commit(events(3, first=2, step=timedelta(hours=8)), Tally({"stored": 3}))
    yield {"e000002", "e000003", "e000004"}


def cut_at(calls, root, events, noon):
    """The disk after so many calls, what was acknowledged by then, and whether the end came."""
    root.mkdir()
    disk, acknowledged = PoweredDisk(calls), set()
    try:
        for ids_ in story(root, disk, events, noon):
            acknowledged |= ids_
    except PowerCut:
        return disk, acknowledged, False
    return disk, acknowledged, True


def moments(tmp_path, events, noon):
    """A cut after each call, until the story ends without one."""
    for calls in range(CALLS_MAX):
        root = tmp_path / f"r{calls}"
        disk, acknowledged, ended = cut_at(calls, root, events, noon)
        yield root, disk, acknowledged
        if ended:
            assert calls > 20
            return
    pytest.fail("the story made more calls than expected")


EVERYTHING = {f"e{number:06}" for number in range(5)}


def test_what_was_acknowledged_survives_a_power_cut_at_any_call(tmp_path, events, noon):
    for root, disk, acknowledged in moments(tmp_path, events, noon):
        found = ids(disk.after_the_cut(root, root / "after") / "s")
        assert acknowledged <= set(found) <= EVERYTHING
        assert len(found) == len(set(found))


def test_what_was_acknowledged_survives_the_death_of_the_process_at_any_call(
    tmp_path, events, noon
):
    for root, _disk, acknowledged in moments(tmp_path, events, noon):
        found = ids(root / "s")
        assert acknowledged <= set(found) <= EVERYTHING
        assert len(found) == len(set(found))


@settings(max_examples=60, deadline=None)
@given(calls=st.integers(0, 60), luck=st.randoms(use_true_random=False))
def test_whatever_else_survived_a_cut_does_no_harm(tmp_path_factory, events, noon, calls, luck):
    """The system may have written some of what was not synced, in any order."""
    root = tmp_path_factory.mktemp("cut") / "r"
    disk, acknowledged, _ = cut_at(calls, root, events, noon)
    after = disk.after_the_cut(root, root / "after", lambda _what: luck.random() < 0.5)
    found = ids(after / "s")
    assert acknowledged <= set(found) <= EVERYTHING


def test_the_tally_matches_the_rows_that_stand_after_any_cut(tmp_path, events, noon):
    for root, disk, _acknowledged in moments(tmp_path, events, noon):
        for after in (root / "s", disk.after_the_cut(root, root / "after") / "s"):
            parts = Catalog(StoreFolder.open(after)).snapshot().parts
            tally = Tally.total(part.tally for part in parts)
            assert tally.fates.get("stored", 0) == sum(part.rows for part in parts)


def test_a_store_works_on_after_any_cut(tmp_path, events, noon):
    for root, disk, acknowledged in moments(tmp_path, events, noon):
        after = disk.after_the_cut(root, root / "after") / "s"
        folder = StoreFolder.open(after, create=True)
        writer = PartWriter(folder, now=lambda: noon, writer="w")
        writer.commit(events(1, first=9), Tally())
        assert acknowledged | {"e000009"} <= set(ids(after))


class FailingDisk(PoweredDisk):
    """Fails with `error` at one call, and works again after it."""

    def __init__(self, error):
        super().__init__()
        self.error, self.fails_in = error, None

    def _call(self):
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in < 0:
                self.fails_in = None
                raise OSError(self.error, "it failed")


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

    class Told(PoweredDisk):
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
