"""A path that is followed: each line once, whatever becomes of the files there."""

import os
import random
from dataclasses import replace

import pytest

from store.collector.follow.file import RETIRED_SECONDS, FollowedFile
from store.collector.follow.position import load, save
from store.parts.layout import StoreFolder

LIMIT = 4096


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.log"


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def followed(path, clock):
    opened = []

    def follow(saved=()):
        file = FollowedFile(path, saved, LIMIT, monotonic=clock)
        opened.append(file)
        return file

    yield follow
    for file in opened:
        try:
            file.close()
        except OSError:
            continue


def line(number):
    return b'noise\n{"_e":1,"n":%d}\n' % number


def write(path, *numbers):
    with path.open("ab") as file:
        file.write(b"".join(map(line, numbers)))


def taken(file, done=True):
    """The numbers in the new lines, and what ids are made of."""
    found = []
    for piece in file.pieces():
        pairs = zip(piece.found.numbers, piece.found.lines, strict=True)
        found += [
            (int(text.split(b":")[-1].rstrip(b"}\r")), (piece.position.key, number))
            for number, text in pairs
        ]
        if done:
            piece.done()
    return found


def numbers(file):
    return [n for n, _ in taken(file)]


def test_it_may_appear_later_and_grow(path, followed):
    file = followed()
    assert numbers(file) == []
    write(path, 1, 2)
    assert numbers(file) == [1, 2]
    assert numbers(file) == []
    write(path, 3)
    assert numbers(file) == [3]


def test_a_line_counts_when_it_has_ended(path, followed):
    file = followed()
    path.write_bytes(line(1)[:-5])
    assert numbers(file) == []
    with path.open("ab") as more:
        more.write(line(1)[-5:])
    assert numbers(file) == [1]


def test_a_file_that_was_renamed_is_read_to_its_end_first(path, followed, clock):
    file = followed()
    write(path, 1)
    assert numbers(file) == [1]
    write(path, 2)
    path.rename(path.with_name("app.log.1"))
    write(path, 3)
    assert numbers(file) == [2, 3]
    write(path.with_name("app.log.1"), 4)
    assert numbers(file) == [4]
    clock.now += RETIRED_SECONDS
    assert numbers(file) == []
    assert len(file.positions()) == 1


def test_the_last_line_of_a_renamed_file_counts_without_an_end(path, followed, clock):
    file = followed()
    path.write_bytes(line(1)[:-1])
    assert numbers(file) == []
    path.rename(path.with_name("app.log.1"))
    write(path, 2)
    assert numbers(file) == [2]
    clock.now += RETIRED_SECONDS
    assert numbers(file) == [1]


def test_a_file_that_was_truncated_begins_anew(path, followed):
    file = followed()
    write(path, *range(100))
    assert numbers(file) == [*range(100)]
    path.write_bytes(line(100))
    assert numbers(file) == [100]


def test_one_that_grew_past_the_place_since_it_was_truncated_is_told_by_its_bytes(path, followed):
    file = followed()
    write(path, 1, 2)
    assert numbers(file) == [1, 2]
    path.write_bytes(b"".join(map(line, range(3, 100))))
    assert numbers(file) == [*range(3, 100)]


def test_what_was_copied_and_truncated_is_taken_from_the_copy(path, followed):
    file = followed()
    write(path, 1, 2)
    assert numbers(file) == [1, 2]
    write(path, 3, 4)
    path.with_name("app.log.1").write_bytes(path.read_bytes())
    os.truncate(path, 0)
    write(path, 5)
    assert numbers(file) == [3, 4, 5]


def test_lines_that_were_read_and_not_stored_come_again_under_the_same_ids(path, followed):
    file = followed()
    write(path, 1, 2)
    first = taken(file, done=False)
    again = taken(followed(file.positions()))
    assert first == again
    assert [n for n, _ in again] == [1, 2]


def saved_and_loaded(tmp_path, file):
    folder = StoreFolder.open(tmp_path / "store", create=True)
    save(folder, {"x": file.positions()})
    return load(folder)["x"]


def test_after_a_restart_it_goes_on_where_it_was(path, tmp_path, followed):
    file = followed()
    write(path, 1, 2)
    assert numbers(file) == [1, 2]
    saved = saved_and_loaded(tmp_path, file)
    write(path, 3)
    assert numbers(followed(saved)) == [3]


def test_a_rotation_during_a_restart_loses_nothing(path, tmp_path, followed):
    file = followed()
    write(path, 1)
    assert numbers(file) == [1]
    saved = saved_and_loaded(tmp_path, file)
    write(path, 2)
    path.rename(path.with_name("app.log.1"))
    write(path, 3)
    assert numbers(followed(saved)) == [2, 3]


def test_a_copy_and_truncation_during_a_restart_loses_nothing(path, tmp_path, followed):
    file = followed()
    write(path, 1)
    assert numbers(file) == [1]
    saved = saved_and_loaded(tmp_path, file)
    write(path, 2)
    path.with_name("app.log.1").write_bytes(path.read_bytes())
    path.write_bytes(line(3) * 5)
    assert numbers(followed(saved)) == [2, 3, 3, 3, 3, 3]


def test_another_file_with_the_same_number_begins_anew(path, followed):
    file = followed()
    write(path, 1, 2, 3)
    assert numbers(file) == [1, 2, 3]
    (position,) = file.positions()
    path.unlink()
    write(path, 7, 8, 9, 10)
    inode = path.stat().st_ino
    reused = replace(position, inode=inode)
    assert numbers(followed([reused])) == [7, 8, 9, 10]


def test_a_spoilt_file_of_positions_is_as_none(tmp_path):
    folder = StoreFolder.open(tmp_path / "store", create=True)
    assert load(folder) == {}
    for spoilt in (b"", b"{", b"[]", b'{"a": [{"x": 1}]}', b'{"a": 5}'):
        (folder.root / "followed.json").write_bytes(spoilt)
        assert load(folder) == {}


def test_a_folder_in_place_of_a_file_that_was_followed_is_no_reason_to_stop(path, followed):
    file = followed()
    write(path, 1)
    assert numbers(file) == [1]
    path.unlink()
    path.mkdir()
    for n in range(99):
        (path / str(n)).touch()
    followed(file.positions())


def test_a_path_that_cannot_be_read_is_said(path, followed):
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        taken(followed())


def renamed(path, rotations):
    path.touch()
    path.rename(path.with_name(f"app.log.{rotations}"))


def copied(path, rotations):
    path.touch()
    path.with_name(f"app.log.{rotations}").write_bytes(path.read_bytes())
    os.truncate(path, 0)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rotate", [renamed, copied])
def test_whatever_happens_each_line_comes_once_and_in_order(
    path, followed, clock, seed, tmp_path, rotate
):
    chance = random.Random(seed)
    file = followed()
    write(path, 0)
    seen, count = taken(file), 1
    for step in range(80):
        match chance.randrange(6):
            case 0:
                # Nobody can tell the copy of a file that was never read.
                seen += taken(file) if rotate is copied else []
                rotate(path, step)
                seen += taken(file) if rotate is copied else []
            case 1:
                file = followed(saved_and_loaded(tmp_path, file))
            case 2:
                clock.now += chance.choice([1, RETIRED_SECONDS])
            case _:
                write(path, *range(count, count := count + chance.randrange(1, 50)))
        if chance.random() < 0.5:
            seen += taken(file)
    path.touch()
    seen += taken(file)
    assert [n for n, _ in seen] == [*range(count)]
    assert len({key for _, key in seen}) == count


def test_all_that_was_rotated_during_a_restart_is_read(path, tmp_path, followed):
    file = followed()
    write(path, 1)
    assert numbers(file) == [1]
    saved = saved_and_loaded(tmp_path, file)
    write(path, 2)
    path.rename(path.with_name("app.log.2"))
    write(path, 3)
    path.rename(path.with_name("app.log.1"))
    path.with_name("app.log.0.gz").write_bytes(line(9))
    path.with_name("other.log").write_bytes(line(9))
    write(path, 4)
    assert numbers(followed(saved)) == [2, 3, 4]
