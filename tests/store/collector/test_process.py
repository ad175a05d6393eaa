"""The collector as a process: killed, stopped, started twice, out of room."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from itertools import chain

import pytest

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.settings import OFF, CollectorSettings, Limits, Settings, settings_document
from store.tally import Tally
from tests.collecting import (
    PROGRAM,
    ROOT,
    Collecting,
    collecting,
    ndjson,
    read_answer,
    request,
    settings,
)

SERVE = """
from store.errors import StoreError
def report(call, *arguments, **named):
    try:
        call(*arguments, **named)
    except StoreError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
report(serve, settings"""


def stored_ids(store):
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    return sorted(scan(parts, ["event_id"], None).collect()["event_id"]) if parts else []


def tally(store):
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    return Tally.total(part.tally for part in parts)


class Sender(threading.Thread):
    """Sends numbered batches one after another, each until it is acknowledged."""

    def __init__(self, port_of, name, batches):
        super().__init__()
        self.port_of = port_of
        self.prefix = name
        self.batches = batches
        self.acknowledged = []

    def run(self):
        for number in range(self.batches):
            ids = [f"{self.prefix}-{number}-{row}" for row in range(20)]
            events = [{"event_id": i, "event_name": "x", "event_time": "2026-11-22"} for i in ids]
            body = request("POST", "/v1/events", ndjson(*events))
            while not self.attempt(body):
                time.sleep(0.02)
            self.acknowledged += ids

    def attempt(self, data):
        try:
            with socket.create_connection(("127.0.0.1", self.port_of()), timeout=60) as connection:
                connection.sendall(data)
                return read_answer(connection).status == 200
        except OSError:
            return False


def test_killed_at_any_moment_every_acknowledged_event_is_there_once(tmp_path):
    chance = random.Random(7)
    store = tmp_path / "store"
    running = Collecting(settings(store))
    current = {"port": running.port}
    senders = [Sender(lambda: current["port"], name, 40) for name in "abc"]
    for sender in senders:
        sender.start()
    try:
        for _ in range(2):
            time.sleep(chance.uniform(0.05, 0.3))
            running.stop(signal.SIGKILL)
            running = Collecting(settings(store))
            current["port"] = running.port
        for sender in senders:
            sender.join(30)
        counted = running.get("/v1/tally")
    finally:
        running.stop()
    wanted = sorted(chain.from_iterable(sender.acknowledged for sender in senders))
    assert len(wanted) == 3 * 40 * 20
    assert stored_ids(store) == wanted
    assert counted["stored"] == len(wanted)
    assert counted["received"] == counted["stored"] + counted["duplicate"]
    assert counted["intakes"] == {"native": counted["received"]}


def test_ids_and_tally_are_known_after_a_restart(tmp_path):
    store = tmp_path / "store"
    body = ndjson(*({"event_id": f"e{n}", "event_name": "x"} for n in range(5)))
    with collecting(settings(store)) as running:
        assert running.post(body + b"\n{broken").json()["stored"] == 5
        assert running.post(b"broken").status == 400
        before = running.get("/v1/tally")
        assert running.stop() == 0
    with collecting(settings(store)) as running:
        assert running.get("/v1/tally") == before
        assert running.post(body).json()["duplicate"] == 5
        after = running.get("/v1/tally")
        assert after["received"] == before["received"] + 5
        running.stop()
    assert tally(store).as_json() == after
    assert len(stored_ids(store)) == 5


def test_a_signal_ends_it_when_all_that_was_sent_is_committed(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store, drain_timeout=timedelta(seconds=60))) as running:
        senders = [Sender(lambda: running.port, name, 1) for name in "abcd"]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        idle = socket.create_connection(("127.0.0.1", running.port))
        begun = time.monotonic()
        assert running.stop(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 25
        idle.close()
    assert len(stored_ids(store)) == 80
    assert not (store / "collector.json").exists()
    assert [path.name for path in store.rglob("*.staged")] == []


def half_sent(running):
    """A connection on which a body has begun."""
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=60)
    connection.sendall(request("POST", "/v1/events", b"", {"Content-Length": "100"}) + b"{")
    time.sleep(0.2)
    return connection


def test_a_second_signal_ends_it_at_once(tmp_path):
    slow = settings(tmp_path / "store", drain_timeout=timedelta(seconds=60))
    with collecting(slow) as running, half_sent(running):
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert running.process.poll() is None
        begun = time.monotonic()
        assert running.stop(signal.SIGTERM) != 0
        assert time.monotonic() - begun < 25


def test_a_body_that_never_ends_does_not_hold_up_the_drain(tmp_path):
    quick = settings(tmp_path / "store", drain_timeout=timedelta(seconds=10))
    with collecting(quick) as running, half_sent(running):
        begun = time.monotonic()
        assert running.stop(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 25


def test_slow_heads_and_bodies_are_cut_off(tmp_path):
    limits = Limits(
        header_timeout=timedelta(milliseconds=300), body_timeout=timedelta(milliseconds=300)
    )
    slow = Settings(
        tmp_path / "store", CollectorSettings(port=0, grpc_port=OFF, statsd_port=OFF), limits
    )
    with collecting(slow) as running:
        assert drip(running, b"", b"") == b""
        assert drip(running, b"\r\n", b"\r\n") == b""
        assert drip(running, b"GET /healthz HTTP/1.1\r\nHost: localh", b"x") == b""
        assert drip(running, request("GET", "/healthz") + b"GET /", b"x").count(b"HTTP/1.1") == 1
        with half_sent(running) as connection:
            assert read_answer(connection).status == 408
        assert running.get("/healthz") == {"status": "ok"}


def drip(running, start, drop):
    """Sends a byte now and then until the connection ends; what was answered."""
    answered = b""
    with socket.create_connection(("127.0.0.1", running.port), timeout=0.05) as connection:
        connection.sendall(start)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                chunk = connection.recv(1000)
                if not chunk:
                    return answered
                answered += chunk
            except TimeoutError:
                connection.sendall(drop)
            except ConnectionError:
                return answered
    raise AssertionError("it was never cut off")


def test_a_head_without_end_is_cut_off(tmp_path, collector):
    data = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: " + b"y" * 200_000
    assert collector.send(data).status in (0, 400)


def failure(store, **changes):
    """What a collector that cannot start says."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("serve(settings", SERVE)],
        cwd=ROOT,
        input=json.dumps(settings_json(store, **changes)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3
    return done.stderr.strip()


def settings_json(store, **changes):
    return settings_document(settings(store, **changes))


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failure(tmp_path / "store", port=port) == (
            f"collector: 127.0.0.1:{port}: address already in use; "
            "name another port with --port, or 0 for a free one"
        )
    assert not (tmp_path / "store" / "collector.json").exists()


def test_a_second_collector_is_told_who_serves_the_store(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store)) as running:
        said = failure(store)
        assert f"pid {running.process.pid} at http://127.0.0.1:{running.port} already" in said
        assert "\n" not in said
        assert running.post(b'{"event_name": "x"}').status == 200


def test_a_folder_that_is_no_store_is_left_alone(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    assert "letters.txt" in failure(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting needs more rights")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(not shutil.which("mount"), reason="no mount here")
def test_a_full_disk_loses_nothing_that_was_acknowledged(tiny_disk):
    acknowledged = []
    with collecting(settings(tiny_disk / "store")) as running:
        for number in range(200):
            ids = [f"{number}-{row}" for row in range(100)]
            noise = [{"event_id": i, "event_name": "x", "noise": os.urandom(50).hex()} for i in ids]
            answer = running.post(ndjson(*noise))
            if answer.status != 200:
                break
            acknowledged += ids
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert "\n" not in answer.json()["error"]
        assert running.get("/v1/stats")["commits"]["fault"]
        assert stored_ids(tiny_disk / "store") == sorted(acknowledged)
        subprocess.run(["mount", "-o", "remount,size=8m", tiny_disk], check=True)
        assert running.post(ndjson(*noise)).json()["stored"] == 100
        assert running.get("/v1/stats")["commits"]["fault"] == ""
        assert running.get("/v1/tally")["received"] == len(acknowledged) + 100
        assert running.stop() == 0
    assert stored_ids(tiny_disk / "store") == sorted([*acknowledged, *ids])


def test_the_collector_never_loads_the_screens():
    code = """
import sys
import store.collector.server, store.collector.process, store.collector.__main__
print([name for name in sys.modules if name.partition(".")[0] in ("textual", "tui", "rich")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_a_part_that_cannot_be_read_does_not_keep_it_from_starting(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store)) as running:
        for name in ("a", "b"):
            running.post(ndjson({"event_id": name, "event_name": "x"}))
        running.stop()
    first, _ = sorted(store.glob("events/*/*.parquet"))
    body = bytearray(first.read_bytes())
    body[4:40] = bytes(36)  # pages, not the footer
    first.write_bytes(body)
    with collecting(settings(store)) as running:
        assert running.post(ndjson({"event_id": "b", "event_name": "x"})).json()["duplicate"] == 1
        assert running.post(ndjson({"event_id": "c", "event_name": "x"})).json()["stored"] == 1
