import json
import time

import pytest

from store.collector import maintaining
from store.collector.maintaining import Maintaining
from store.maintenance.notes import Notes
from store.settings import Settings
from tests.collecting import collecting, settings


class Seconds:
    def __init__(self):
        self.now = 5_000.0

    def __call__(self):
        return self.now


class Round:
    """A process that lasts until it is told to end."""

    def __init__(self, started, **options):
        self.code = None
        self.stdin = open("/dev/null", "wb")  # noqa: PTH123, SIM115
        self.options = options
        started.append(self)

    def poll(self):
        return self.code

    def terminate(self):
        self.code = -15

    def wait(self, _timeout=None):
        return self.code


@pytest.fixture
def rounds(monkeypatch):
    started = []
    monkeypatch.setattr(
        maintaining.subprocess, "Popen", lambda _words, **options: Round(started, **options)
    )
    return started


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def looked(folder, seconds):
    """looked(after=5): one look, so many seconds later."""
    watch = Maintaining(Settings(store=folder.root), folder, monotonic=seconds)

    def look(after=5):
        seconds.now += after
        watch.look()

    return look


def commits(folder, count, first=0):
    day = folder.events / "_date=2026-11-22"
    day.mkdir(exist_ok=True)
    for number in range(first, first + count):
        (day / f"0-w-{number}.parquet").touch()


def test_nothing_is_due_in_a_store_that_is_at_rest(folder, looked, rounds):
    commits(folder, 32)
    looked()
    looked(20)
    assert rounds == []


def test_a_crowded_folder_is_due_at_once_and_one_round_runs_at_a_time(folder, looked, rounds):
    commits(folder, 33)
    looked(4)
    assert rounds == []
    looked(1)
    looked(100)
    assert len(rounds) == 1


def test_what_a_round_could_not_help_waits_for_a_change(folder, looked, rounds):
    commits(folder, 33)
    looked()
    rounds[0].code = 0
    looked(10)
    looked(11)
    assert len(rounds) == 1
    commits(folder, 1, first=33)
    looked(60)
    assert len(rounds) == 2


def test_a_long_round_is_followed_by_a_long_rest(folder, looked, rounds):
    commits(folder, 33)
    looked()
    commits(folder, 1, first=33)
    rounds[0].code = 0
    looked(20)
    looked(99)
    assert len(rounds) == 1
    looked(1)
    assert len(rounds) == 2


def test_covered_commits_do_not_crowd_and_are_due_after_a_minute(folder, looked, rounds, seconds):
    commits(folder, 33)
    covered = {f"_date=2026-11-22/0-w-{number}": seconds.now - 50 for number in range(33)}
    Notes(folder.root).put("covered_since", covered)
    looked(9)
    assert rounds == []
    looked(5)
    assert len(rounds) == 1
    rounds[0].code = 1
    looked(6)
    looked(60)
    assert len(rounds) == 1


def test_a_quarter_of_an_hour_is_due_whatever_the_names_say(looked, rounds):
    looked(30)
    assert len(rounds) == 1
    rounds[0].code = 0
    looked(1)
    looked(890)
    assert len(rounds) == 1
    looked(9)
    assert len(rounds) == 2


def test_a_round_leaves_the_other_cores_alone(looked, rounds):
    looked(30)
    assert rounds[0].options["env"]["POLARS_MAX_THREADS"] == "1"


def test_a_running_collector_compacts_and_its_tally_stays_exact(tmp_path):
    with collecting(settings(tmp_path / "store")) as running:
        for number in range(40):
            body = json.dumps({"event_id": f"e{number}", "event_name": "x"}).encode()
            assert running.post(body).json()["stored"] == 1
        deadline = time.monotonic() + 60
        while running.get("/v1/stats")["maintenance"] is None:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        report = running.get("/v1/stats")["maintenance"]
        assert (report["files_added"], report["faults"]) == (1, [])
        tally = running.get("/v1/tally")
        assert (tally["received"], tally["stored"]) == (40, 40)
        # It knows what it stored, also in the part that it was merged into.
        again = running.post(b'{"event_id": "e7", "event_name": "x"}').json()
        assert (again["stored"], again["duplicate"]) == (0, 1)
