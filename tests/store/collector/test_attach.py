import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.collector.attach import attach
from store.collector.presence import serving
from store.errors import StoreError
from store.parts.layout import StoreFolder
from tests.collecting import ROOT, collecting, read_answer, request, settings

DASHBOARD = """
import sys, time
from pathlib import Path
from store.collector.attach import attach
from store.settings import OFF, CollectorSettings, Settings
collector = CollectorSettings(port=int(sys.argv[2]), grpc_port=OFF, statsd_port=OFF)
attachment = attach(Settings(Path(sys.argv[1]), collector))
print(attachment.url, attachment.started, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def dashboard(tmp_path):
    """dashboard(): another process that is attached to the store, with what it says."""
    processes = []

    def start(port=0):
        process = subprocess.Popen(
            [sys.executable, "-c", DASHBOARD, tmp_path / "store", str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert gone(tmp_path / "store")


def served(store):
    return serving(StoreFolder.open(store))


def gone(store, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not served(store):
            return True
        time.sleep(0.05)
    return False


def said(process):
    url, started = process.stdout.readline().split()
    return url, started == "True"


def healthy(url):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request("GET", "/healthz"))
        return read_answer(connection).json() == {"status": "ok"}


def test_the_first_dashboard_starts_a_collector_and_the_others_join_it(tmp_path, dashboard):
    first, second = dashboard(), dashboard()
    urls = {said(first)[0], said(second)[0]}
    with attach(settings(tmp_path / "store")) as third:
        assert urls == {third.url}
        assert not third.started
        assert healthy(third.url)


def test_the_collector_lives_until_the_last_dashboard_has_gone(tmp_path, dashboard):
    store = tmp_path / "store"
    first = dashboard()
    url, started = said(first)
    assert started
    second = dashboard()
    assert said(second) == (url, False)
    first.kill()  # its collector is no part of it
    first.wait()
    time.sleep(1.5)
    assert healthy(url)
    second.stdin.close()
    second.wait()
    assert gone(store)
    assert not (store / "collector.json").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc")
def test_the_collector_of_a_store_that_was_deleted_goes(tmp_path, dashboard):
    process = dashboard()
    said(process)
    pid = served(tmp_path / "store").pid
    process.kill()
    shutil.rmtree(tmp_path / "store")
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_a_collector_that_serves_already_is_joined_and_stays(tmp_path):
    store = tmp_path / "store"
    with collecting(settings(store)) as running:
        with attach(settings(store)) as attachment:
            assert attachment.url == f"http://127.0.0.1:{running.port}"
            assert not attachment.started
        time.sleep(1.5)
        assert healthy(attachment.url)


def test_a_port_in_use_is_no_hindrance(tmp_path, dashboard):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        url, _ = said(dashboard(port))
        assert not url.endswith(f":{port}")
        assert healthy(url)


def test_what_a_killed_collector_left_behind_is_seen_through(tmp_path, dashboard):
    store = tmp_path / "store"
    with collecting(settings(store)) as running:
        assert served(store).pid == running.process.pid
        running.stop(signal.SIGKILL)
    assert json.loads((store / "collector.json").read_text())["pid"] == running.process.pid
    assert served(store) is None
    assert said(dashboard())[1]


def test_files_of_the_collector_are_for_its_user_alone(tmp_path, dashboard):
    store = tmp_path / "store"
    said(dashboard())
    for name in ("collector.json", "collector.lock", "collector.log", "dashboards.lock"):
        assert (store / name).stat().st_mode & 0o077 == 0, name
    assert store.stat().st_mode & 0o077 == 0


def test_a_collector_that_does_not_come_up_says_why(tmp_path):
    exposed = settings(tmp_path / "store", host="0.0.0.0")
    with pytest.raises(StoreError, match="no token is set"):
        attach(exposed)


def test_it_starts_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    Path(tmp_path, "store", "__init__.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    with attach(settings(tmp_path / "elsewhere")) as attachment:
        assert healthy(attachment.url)
    assert gone(tmp_path / "elsewhere")
