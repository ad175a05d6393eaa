"""Dead letters on disk: all intakes, bounded, without secrets, never in the way."""

import json
import threading
import time

import pytest

from store.collector.dead_letters import box as box_module
from store.collector.dead_letters.box import Box
from store.collector.dead_letters.reading import files_of, held, letters
from store.parts.layout import StoreFolder
from store.tally import Refusal
from tests.collecting import collecting, settings

SECRET = "hunter2-planted"


def refused(count, place="line 1"):
    return [Refusal(place, "it is broken", "bad_json")] * count


@pytest.fixture
def folder(tmp_path):
    return StoreFolder.open(tmp_path / "store", create=True)


def test_a_letter_tells_time_intake_place_reason_and_what_may_be_kept(folder, clock):
    box = Box(folder, now=clock.now)
    box.put("native", [Refusal("line 2", "it has no event_name", "no_name")], b'{}\n{"n": 3}\n')
    box.close()
    (letter,) = letters(folder)
    assert letter.as_json() == {
        "time": "2026-11-22T12:00:00Z",
        "intake": "native",
        "place": "line 2",
        "reason": "no_name",
        "fault": "it has no event_name",
        "content": '{"n":3}',
        "size_bytes": 8,
    }
    (path,) = files_of(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.dead_letter.stat().st_mode & 0o777 == 0o700


def test_of_a_delivery_with_many_the_first_are_told_and_the_others_counted(folder):
    box = Box(folder)
    box.put("native", refused(1000), b"")
    box.close()
    found = list(letters(folder))
    assert len(found) + found[-1].more == 1000
    assert len(found) == 20
    assert box.as_json() == {"letters": 20, "left_out": 0}


def test_the_folder_stays_within_its_bounds_and_the_oldest_go(folder, clock, monkeypatch):
    monkeypatch.setattr(box_module, "FILE_BYTES_MAX", 4096)
    monkeypatch.setattr(box_module, "BYTES_MAX", 5 * 4096)
    box = Box(folder, now=clock.now)
    for number in range(100):
        box.put("native", refused(5, f"line {number}"), b"")
        box.close()
        clock.pass_by(seconds=1)
    assert held(folder).size_bytes <= 5 * 4096
    assert list(letters(folder))[-1].place == "line 99"
    monkeypatch.setattr(box_module, "FILES_MAX", 2)
    Box(folder, now=clock.now)._open_next()
    assert held(folder).files == 1


def test_what_comes_too_fast_is_counted_and_nobody_waits(folder, monkeypatch):
    goes_on = threading.Event()
    monkeypatch.setattr(Box, "_write", lambda *_: goes_on.wait(30))
    box = Box(folder)
    for _ in range(100):
        box.put("native", refused(3), b"x" * 100)
    goes_on.set()
    box.close()
    assert box.left_out >= 3 * (100 - box_module.WAITING_MAX - 1)


def test_a_folder_that_cannot_be_written_costs_the_letters_alone(folder):
    folder.dead_letter.write_bytes(b"no folder")
    box = Box(folder)
    box.put("native", refused(3), b"")
    box.close()
    assert box.left_out == 3


def test_a_line_that_was_cut_off_costs_itself(folder):
    box = Box(folder)
    box.put("native", refused(3), b"")
    box.close()
    (path,) = files_of(folder)
    path.write_bytes(path.read_bytes()[:-20])
    assert len(list(letters(folder))) == 2


HOSTILE = [
    ("/v1/events", "application/x-ndjson", b'{"password":"%b","n":1}\n{"token":"%b"\n"%b"\n'),
    ("/v1/events", "application/json", b'[{"apiKey":"%b"},5,{"password":{"a":["%b","%b"]}}'),
    ("/v1/events", "application/json", b'{\n "password":\n  "%b",\n "secrets": ["%b", "%b"]\n'),
    (
        "/v1/lines",
        "text/plain",
        b'{"_e":1,"secret":"%b"\n{"_e":1,"jwt":"%b"}\n{"_e":1,"cookie":"%b",}',
    ),
    ("/v1/logs", "application/json", b'{"resourceLogs":{"password":"%b","x":["%b","%b"]'),
    ("/v1/logs", "application/x-protobuf", b"\xff%b\x00password%b%b"),
    (
        "/v1/batch",
        "application/json",
        b'{"writeKey":"%b","batch":[{"type":1,"password":"%b"},"%b"]}',
    ),
    ("/capture/", "application/json", b'{"api_key":"%b","token":"%b","properties":{"jwt":"%b"}}'),
    ("/api/1/envelope/", "text/plain", b'{"dsn":"http://%b@x/1"}\n{"password":"%b"\n{%b}\n'),
]


def test_no_byte_of_a_planted_secret_is_on_disk_whoever_rejected_it(tmp_path):
    store = tmp_path / "store"
    assert len(HOSTILE) < box_module.WAITING_MAX, "none is left out, however slow the disk is"
    for end in (None, -9):
        with collecting(settings(store)) as collector:
            for path, kind, body in HOSTILE:
                sent = body.replace(b"%b", SECRET.encode())[:end]
                collector.post(sent, path, Content_Type=kind)
            stats = collector.get("/v1/stats")
            collector.stop()
        assert stats["dead_letters"]["left_out"] == 0
    found = list(letters(StoreFolder.open(store)))
    assert len(found) >= 10
    assert {letter.intake for letter in found} >= {"native", "log", "otlp"}
    for path in store.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_body_that_could_not_be_taken_at_all_has_a_letter_too(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store)) as collector:
        assert collector.post(b"no gzip", Content_Encoding="gzip").status == 400
        collector.stop()
    (letter,) = letters(StoreFolder.open(store))
    assert (letter.intake, letter.place, letter.content) == ("native", "body", None)


def test_letters_are_there_while_the_collector_runs(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store)) as collector:
        collector.post(json.dumps({"n": 1}).encode())
        deadline = time.monotonic() + 60
        while not (found := list(letters(StoreFolder.open(store)))) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [letter.reason for letter in found] == ["no_name"]
        assert collector.get("/v1/stats")["dead_letters"]["letters"] == 1
