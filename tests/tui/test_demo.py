import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.lock import FileLock
from tui.demo import LOCK_FILE, PREFIX, demo_app, demo_folder, remove_leftovers

ROOT = Path(__file__).parents[2]


def tally(url):
    with urllib.request.urlopen(f"{url}/v1/tally") as reply:
        return json.load(reply)


def waited(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_a_demo_is_full_alive_and_leaves_nothing(tmp_path):
    with demo_folder(tmp_path) as demo:
        demo.fill()
        folder = StoreFolder.open(demo.settings.store)
        parts = Catalog(folder).snapshot().parts
        assert sum(part.rows for part in parts) > 100_000
        length = max(part.span.end for part in parts) - min(part.span.start for part in parts)
        assert length.total_seconds() > 23.9 * 3600
        url = demo.live.result(30)
        before = tally(url)["received"]
        assert waited(lambda: tally(url)["intakes"].get("native", 0) > before + 50)
        now = tally(url)
        assert (now["rejected"], now["dropped"]) == (0, 0)
        live = [part for part in Catalog(folder).snapshot().parts if part not in parts]
        strange = {name for part in live for name in part.columns if name.startswith("attr.")}
        assert not strange
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="refused"):
        tally(url)


def test_the_next_demo_removes_what_a_killed_one_left(tmp_path):
    program = f"""
import time
from pathlib import Path
from tui.demo import demo_folder
with demo_folder(Path({str(tmp_path)!r})) as demo:
    demo.settings.store.mkdir()
    print("ready", flush=True)
    time.sleep(60)
"""
    killed = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout.readline() == "ready\n"
    (left,) = tmp_path.iterdir()
    _age(left)
    remove_leftovers(tmp_path)
    assert left.exists(), "its demo runs"
    killed.kill()
    killed.wait()
    killed.stdout.close()
    remove_leftovers(tmp_path)
    assert not left.exists()


def test_what_only_looks_like_a_leftover_stays(tmp_path):
    fresh = tmp_path / f"{PREFIX}fresh"
    fresh.mkdir()
    locked = tmp_path / f"{PREFIX}locked"
    locked.mkdir()
    lock = FileLock(locked / LOCK_FILE)
    assert lock.acquire()
    _age(locked)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    os.utime(link, (0, 0), follow_symlinks=False)
    remove_leftovers(tmp_path)
    lock.release()
    assert {path.name for path in tmp_path.iterdir()} == {
        fresh.name,
        locked.name,
        elsewhere.name,
        link.name,
    }


def _age(path):
    long_ago = time.time() - 3600
    os.utime(path, (long_ago, long_ago))


async def test_the_dashboard_is_there_before_the_demo_is_filled(tmp_path):
    with demo_folder(tmp_path) as demo:
        app = demo_app(demo)
        async with app.run_test(size=(80, 24)) as pilot:
            assert not demo.live.done()
            deadline = time.monotonic() + 60
            while not (app.collector and app.store) and time.monotonic() < deadline:
                await pilot.pause(0.1)
            assert app.collector == demo.live.result()
            assert app.store.span() is not None
            assert not app.failures
