"""A collector that follows files: killed and started again, each line is stored once."""

import os
import signal
import time

import pytest

from store.parts.layout import StoreFolder
from store.settings import Limits
from tests.collecting import collecting, settings
from tests.running import rows


def line(number):
    return b'noise\n{"_e":1,"event":"tick","n":%d}\n' % number


def append(path, *numbers):
    with path.open("ab") as file:
        file.write(b"".join(map(line, numbers)))


def stored(store):
    return [n for _, n in rows(store, "event_name", "n")] if (store / "events").exists() else []


def wait_for(store, count):
    deadline = time.monotonic() + 60
    while len(found := stored(store)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_a_followed_file_is_stored_as_it_grows(store, tmp_path):
    path = tmp_path / "app.log"
    with collecting(settings(store, follow=(str(path),))) as collector:
        append(path, 1)
        assert wait_for(store, 1) == [1]
        path.rename(tmp_path / "app.log.1")
        append(path, 2)
        assert wait_for(store, 2) == [1, 2]
        os.truncate(path, 0)
        append(path, 3)
        assert wait_for(store, 3) == [1, 2, 3]
        assert collector.get("/v1/tally")["intakes"] == {"log": 3}
        assert collector.stop() == 0
    assert set(rows(store, "log.file.name")) == {("app.log",)}


def test_killed_at_any_moment_nothing_is_lost_and_nothing_twice(store, tmp_path):
    path = tmp_path / "app.log"
    count = 0
    for _ in range(4):
        with collecting(settings(store, follow=(str(path),))) as collector:
            for _ in range(20):
                append(path, *range(count, count := count + 50))
                time.sleep(0.01)
            collector.stop(signal.SIGKILL)
        append(path, *range(count, count := count + 50))
        path.rename(tmp_path / f"app.log.{count}")
    path.touch()
    with collecting(settings(store, follow=(str(path),))) as collector:
        wait_for(store, count)
        collector.stop()
    assert sorted(stored(store)) == [*range(count)]


def test_ordinary_logs_and_broken_lines(store, tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b'level=info msg="hi" n=7\n{"_e":1, broken\n')
    with collecting(settings(store, follow=(str(path),), follow_logs=True)) as collector:
        assert wait_for(store, 1) == [7]
        deadline = time.monotonic() + 60
        while not collector.get("/v1/tally")["rejected"] and time.monotonic() < deadline:
            time.sleep(0.05)
        collector.stop()
    from store.collector.dead_letters.reading import letters

    (letter,) = letters(StoreFolder.open(store))
    assert (letter.intake, letter.place) == ("log", "app.log line 2")
    assert letter.size_bytes == len(b'{"_e":1, broken')


def test_hostile_bytes_and_long_lines_harm_nothing(store, tmp_path):
    path = tmp_path / "app.log"
    long = b'{"_e":1,"x":"' + b"y" * (3 * Limits().line_bytes_max) + b'"}\n'
    path.write_bytes(
        os.urandom(500_000).replace(b"_e", b"__") + b"\n\x1b]0;x\x07\n" + long + line(5)
    )
    with collecting(settings(store, follow=(str(path), str(tmp_path)))) as collector:
        assert wait_for(store, 1) == [5]
        assert collector.get("/v1/tally")["reasons"] == {"rejected.too_large": 1}
        collector.stop()
