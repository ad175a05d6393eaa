"""Logs into the store: the events among all else."""

import gzip
import json

import pytest
import zstandard

from store.collector.dead_letters.reading import letters
from store.importer import import_files
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.settings import Settings

TIME = "2026-11-22T12:00:00Z"
OUTPUT = (
    b"starting\n"
    + b'{"_e": 1, "event_name": "a", "timestamp": "%b", "n": 1}\r\n' % TIME.encode()
    + b'{"level": "info", "msg": "up", "time": "%b"}\n' % TIME.encode()
    + b'{"_e": 1, "event_name": "broken", \n'
    + b"\x1b[31mred\x00\xff\n" * 30_000
    + b'{"event_name": "a", "timestamp": 1795348800000, "n": 2, "_e":1}'
)


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "store")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(OUTPUT)
    return path


def stored(settings, *columns):
    parts = Catalog(StoreFolder.open(settings.store)).snapshot().parts
    return scan(parts, list(columns), None).select(columns).sort(columns).collect().rows()


def test_the_events_are_taken_and_what_is_broken_is_listed_by_its_line(settings, file):
    receipt = import_files([file], settings=settings)
    assert (receipt.stored, receipt.rejected) == (2, 1)
    assert [(each.place, each.reason) for each in receipt.errors] == [("app.log:4", "bad_json")]
    assert stored(settings, "event_name", "n") == [("a", 1), ("a", 2)]
    (letter,) = letters(StoreFolder.open(settings.store))
    assert letter.content == '{"_e": …, "event_name": …,'


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress, bytes])
def test_importing_twice_stores_once_compressed_or_not(settings, file, tmp_path, compress):
    import_files([file], settings=settings)
    again = tmp_path / "again.log"
    again.write_bytes(compress(OUTPUT))
    receipt = import_files([again], settings=settings, format="log")
    assert (receipt.stored, receipt.duplicate) == (0, 2)


def test_ordinary_logs_are_taken_when_asked_for(settings, file):
    receipt = import_files([file], settings=settings, logs=True)
    assert (receipt.stored, receipt.rejected) == (3, 1)
    assert ("log", "up") in stored(settings, "event_name", "message")
    assert import_files([file], settings=settings).duplicate == 2


def test_fields_can_be_mapped_and_set(settings, file):
    import_files([file], settings=settings, mapping={"value": "n"}, constants={"is_dev": "true"})
    assert stored(settings, "value", "is_dev") == [(1.0, True), (2.0, True)]


def test_many_lines_without_an_event_store_nothing(settings, tmp_path):
    path = tmp_path / "big.log"
    path.write_bytes((json.dumps({"a": "_e"}).encode() + b"\n") * 100_000)
    assert import_files([path], settings=settings).received == 0
