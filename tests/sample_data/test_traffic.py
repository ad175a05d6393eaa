import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sample_data.copies import BLOCK, block
from sample_data.storing import stored
from sample_data.traffic import CATCH_UP, Traffic, play
from store.client import Client
from tests.store.client.conftest import door  # noqa: F401

ROOT = Path(__file__).parents[2]
NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_each_event_is_told_once_when_its_time_has_come():
    traffic = Traffic(NOW, seed=5)
    told = {}
    for second in range(1, 31):
        instant = NOW + second * SECOND
        for event in traffic.due(instant):
            assert event["event_time"] < instant.timestamp() * 1e6
            assert event["event_id"] not in told
            assert None not in event.values()
            told[event["event_id"]] = event
    assert 30 * 50 < len(told) < 30 * 250
    assert {event["service_name"] for event in told.values()} == {"shop", "agent"}


def test_traffic_goes_on_exactly_where_the_demos_history_ends():
    before = block(NOW, -1, seed=5)
    history = set(stored(before, NOW)["event_id"])
    live = {event["event_id"] for event in Traffic(NOW, seed=5).due(NOW + 5 * SECOND)}
    assert live
    assert not live & history
    early = before.filter(before["received_time"] < NOW + 5 * SECOND)["event_id"]
    assert set(early) <= history | live


def test_a_new_block_follows_without_a_gap():
    traffic = Traffic(NOW, seed=5)
    end = NOW + BLOCK
    list(traffic.due(end - 5 * SECOND))
    around = [len(list(traffic.due(end + second * SECOND))) for second in range(-4, 5)]
    assert min(around) > 20, around


def test_what_was_slept_through_stays_untold():
    traffic = Traffic(NOW, seed=5)
    awake = NOW + timedelta(hours=3)
    told = list(traffic.due(awake))
    earliest = (awake - CATCH_UP - timedelta(hours=3)).timestamp() * 1e6
    assert 0 < len(told) < CATCH_UP / SECOND * 250
    assert min(event["event_time"] for event in told) > earliest


def test_playing_records_through_the_client(door):  # noqa: F811
    times = iter([NOW + SECOND, NOW + 2 * SECOND])
    stop = threading.Event()

    def clock():
        instant = next(times)
        if instant == NOW + 2 * SECOND:
            stop.set()
        return instant

    with Client(url=door.url) as client:
        play(Traffic(NOW, seed=5), client, stop, clock)
        assert client.flush(5)
        assert client.tally().dropped == 0
    events = door.events()
    assert len(events) > 50
    for event in events:
        assert {"event_id", "event_time", "event_type", "event_name", "service_name"} <= set(event)


@pytest.mark.parametrize("ending", ["closed", "killed"])
def test_attached_traffic_ends_with_the_one_who_holds_its_input(door, ending):  # noqa: F811
    starter = f"""
import subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-m", "sample_data.traffic", {door.url!r}, "--attached"],
    stdin=subprocess.PIPE,
)
print(child.pid, flush=True)
time.sleep(60) if {ending == "killed"} else (child.stdin.close(), child.wait(60))
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", starter], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    if ending == "killed":
        parent.kill()
    parent.wait(30)
    parent.stdout.close()
    deadline = datetime.now(UTC) + 20 * SECOND
    while _runs(pid) and datetime.now(UTC) < deadline:
        threading.Event().wait(0.05)
    assert not _runs(pid)


def _runs(pid):
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return found.stdout.strip() not in {b"", b"Z"}
