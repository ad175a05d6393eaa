import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import NewerFormatError, NotAStoreError, ReadOnlyStoreError
from store.parts.catalog import Catalog
from store.parts.layout import PartName, StoreFolder, date_of, folder_of
from store.tally import Tally

writers = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=32)
names = st.builds(PartName, st.integers(0, 9999), writers, st.integers(0, 10**18 - 1))


@given(names)
def test_a_part_name_is_read_back_from_its_file(name):
    assert PartName.parse(name.file) == name


@given(names)
def test_a_staged_name_is_no_part_and_no_parquet_file(name):
    assert PartName.parse(name.staged) is None
    assert not name.staged.endswith(".parquet")


@given(st.text(max_size=30))
def test_only_what_names_itself_as_a_part_is_one(text):
    found = PartName.parse(text)
    assert found is None or found.file == text


@pytest.mark.parametrize(
    "file",
    ["00-w-1.parquet", "0-w-01.parquet", "0-W-1.parquet", "٠-w-1.parquet", "0-w-1.parquet\n"],
)
def test_a_name_has_one_spelling(file):
    assert PartName.parse(file) is None


@given(st.dates())
def test_a_date_is_read_back_from_its_folder(day):
    assert date_of(folder_of(day.isoformat())) == day.isoformat()


@pytest.mark.parametrize("name", ["_date=2026-02-30", "_date=2026-1-1", "date=2026-01-01", "x"])
def test_other_folders_are_no_dates(name):
    assert date_of(name) is None


def test_a_missing_store_opens_as_an_empty_one_and_is_not_created(tmp_path):
    folder = StoreFolder.open(tmp_path / "none")
    assert Catalog(folder).snapshot().parts == ()
    assert not folder.root.exists()


def test_creating_makes_missing_ancestors_and_a_marker(tmp_path):
    folder = StoreFolder.open(tmp_path / "a" / "b", create=True)
    assert json.loads(folder.store_json.read_text()) == {"format": 1}
    assert folder.events.is_dir()
    assert sorted(path.name for path in folder.root.iterdir()) == ["events", "staged", "store.json"]


def test_creating_twice_changes_nothing(folder):
    before = folder.store_json.stat()
    StoreFolder.open(folder.root, create=True)
    assert folder.store_json.stat() == before


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    for create in (False, True):
        with pytest.raises(NotAStoreError, match=r"thesis\.tex.*--store"):
            StoreFolder.open(tmp_path, create=create)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(NotAStoreError, match="a file, not a folder"):
        StoreFolder.open(tmp_path / "x")


def test_what_systems_leave_in_an_empty_folder_is_no_obstacle(tmp_path):
    (tmp_path / ".DS_Store").write_text("")
    (tmp_path / "lost+found").mkdir()
    assert StoreFolder.open(tmp_path, create=True).events.is_dir()


def test_a_store_of_a_newer_format_is_refused_with_the_way_out(folder):
    folder.store_json.write_text('{"format": 2}')
    for create in (False, True):
        with pytest.raises(NewerFormatError, match="install a newer eventdeck"):
            StoreFolder.open(folder.root, create=create)


@pytest.mark.parametrize("content", [b"", b"{", b'{"format"', b"[]", b"\xff", b'{"format": null}'])
def test_a_torn_marker_is_mended_and_the_parts_stay_readable(writer, folder, events, content):
    writer.commit(events(2), Tally())
    folder.store_json.write_bytes(content)
    assert len(Catalog(StoreFolder.open(folder.root)).snapshot().parts) == 1
    StoreFolder.open(folder.root, create=True)
    assert json.loads(folder.store_json.read_text()) == {"format": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ReadOnlyStoreError, match="--store"):
        StoreFolder.open(tmp_path / "s", create=True)
    tmp_path.chmod(0o700)
