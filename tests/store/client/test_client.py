import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from store.client import Client

NOBODY = "http://127.0.0.1:9"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def client(door):
    with Client(url=door.url, service_name="shop", interval_seconds=0.02) as client:
        yield client


def test_an_event_arrives_with_its_context_attributes_id_and_time(door, client):
    before = time.time_ns() // 1000
    client.record("behavioral", "signup", user_id="ada", plan="pro")
    assert client.flush(60)
    (event,) = door.events()
    assert before <= event.pop("event_time") <= time.time_ns() // 1000
    assert event.pop("event_id")[14] == "7"
    assert event == {
        "event_type": "behavioral",
        "event_name": "signup",
        "service_name": "shop",
        "user_id": "ada",
        "plan": "pro",
    }


def test_an_event_is_sent_without_asking_for_a_flush(door, client):
    client.record("log", "tick")
    deadline = time.monotonic() + 60
    while not door.bodies and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [event["event_name"] for event in door.events()] == ["tick"]


def test_ids_keep_the_order_of_recording(door, client):
    for number in range(2_500):
        client.record("log", "tick", number=number)
    assert client.flush(60)
    events = sorted(door.events(), key=lambda event: event["event_id"])
    assert [event["number"] for event in events] == list(range(2_500))


def test_context_is_added_to_a_new_client_alone_and_an_attribute_wins_over_it(door, client):
    ada = client.with_context(user_id="ada", session_id="s1")
    client.record("log", "plain")
    ada.record("log", "hers", session_id="s2")
    assert ada.flush(5)
    plain, hers = door.events()
    assert "user_id" not in plain
    assert (hers["service_name"], hers["user_id"], hers["session_id"]) == ("shop", "ada", "s2")
    assert client.tally() == ada.tally()


def test_a_metric_has_value_kind_and_unit(door, client):
    client.record_metric("cpu", 0.5, unit="1", host="a")
    client.record_metric("orders", 3, kind="counter")
    assert client.flush(60)
    cpu, orders = door.events()
    assert (cpu["event_type"], cpu["event_name"], cpu["value"]) == ("metric", "cpu", 0.5)
    assert (cpu["metric_kind"], cpu["unit"], cpu["host"]) == ("gauge", "1", "a")
    assert (orders["metric_kind"], orders["value"]) == ("counter", 3)
    assert "unit" not in orders


def test_bodies_share_a_connection_and_carry_the_token(door):
    with Client(url=door.url, token="t0p", interval_seconds=0.01) as client:
        for _ in range(5):
            client.record("log", "tick")
            assert client.flush(60)
    assert len(door.bodies) == 5
    assert door.connections == 1
    assert {headers["Authorization"] for headers in door.headers} == {"Bearer t0p"}


def test_the_address_comes_from_the_environment(door, monkeypatch):
    monkeypatch.setenv("EVENTDECK_URL", door.url)
    with Client() as client:
        client.record("log", "tick")
    assert len(door.events()) == 1


def test_busy_is_asked_again_after_the_time_it_names_under_the_same_ids(door, client):
    door.answers = [(503, {"Retry-After": "1"}, b""), (503, {}, b"")]
    started = time.monotonic()
    client.record("log", "tick")
    assert not client.flush(0.3)
    while len(door.bodies) < 3 and time.monotonic() < started + 60:
        time.sleep(0.02)
    assert time.monotonic() - started >= 1
    assert client.flush(60)
    assert len(set(door.bodies)) == 1
    assert client.tally().delivered == 1


def test_a_connection_that_idled_out_is_replaced(door, client):
    door.answers = [(200, {"Connection": "close"}, b"{}")]
    for _ in range(2):
        client.record("log", "tick")
        assert client.flush(60)
    assert client.tally().delivered == 2
    assert client.tally().fault == ""


def test_a_receipt_tells_how_many_were_rejected_and_why(door, client):
    receipt = {"rejected": 1, "dropped": 0, "errors": [{"place": "line 2", "fault": "no name"}]}
    door.answers = [(200, {}, json.dumps(receipt).encode())]
    client.record("log", "good")
    client.record("log", "")
    assert client.flush(60)
    tally = client.tally()
    assert (tally.recorded, tally.delivered, tally.rejected, tally.dropped) == (2, 1, 1, 0)
    assert tally.fault == "line 2: no name"


def test_a_refused_body_is_rejected_and_not_sent_again(door, client):
    door.answers = [(401, {}, b"who are you")]
    client.record("log", "tick")
    assert client.flush(60)
    assert len(door.bodies) == 1
    assert client.tally().rejected == 1
    assert client.tally().fault == "the collector answered 401"


@pytest.mark.parametrize("url", [NOBODY, "no address", "ftp://127.0.0.1", "http://[::1"])
def test_without_a_collector_the_oldest_give_way_and_are_counted(url):
    client = Client(url=url, queue_events_max=100, interval_seconds=0.01)
    for number in range(1_000):
        client.record("log", "tick", number=number)
    assert not client.flush(0.1)
    tally = client.tally()
    assert tally.recorded == 1_000
    assert tally.dropped + tally.waiting == 1_000
    assert tally.dropped >= 800
    assert tally.fault
    assert not client.close(0)
    assert client.tally().dropped == 1_000
    client.record("log", "late")
    assert client.tally().dropped == 1_001


def test_events_of_many_threads_are_all_counted(door):
    with Client(url=door.url, queue_events_max=100_000) as client:
        threads = [
            threading.Thread(target=lambda: [client.record("log", "t") for _ in range(2_000)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush(10)
        assert (client.tally().recorded, client.tally().delivered) == (8_000, 8_000)
    assert len({event["event_id"] for event in door.events()}) == 8_000


def test_recording_in_a_signal_handler_reaches_the_collector(door, client):
    previous = signal.signal(signal.SIGALRM, lambda *_: client.record("log", "alarm"))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(20_000):
            client.record("log", "tick")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert client.flush(10)
    assert "alarm" in {event["event_name"] for event in door.events()}


def run(program, url):
    environment = {**os.environ, "EVENTDECK_URL": url, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", program]
    started = time.monotonic()
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done, time.monotonic() - started


def test_a_program_that_ends_at_once_still_delivers(door):
    done, _ = run("from store.client import Client; Client().record('log', 'bye')", door.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["event_name"] for event in door.events()] == ["bye"]


def test_a_program_without_a_collector_is_not_held_up_at_its_end():
    _, bare = run("from store.client import Client", NOBODY)
    program = "from store.client import Client; Client(exit_seconds_max=60).record('log', 'bye')"
    done, took = run(program, NOBODY)
    assert (done.returncode, done.stderr) == (0, "")
    assert took - bare < 40


def test_a_collector_that_never_answers_holds_the_end_up_for_the_bound_alone(door):
    door.answers = [(503, {"Retry-After": "30"}, b"")]
    program = "from store.client import Client; Client(exit_seconds_max=0.3).record('log', 'bye')"
    done, took = run(program, door.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert took < 25


def test_closing_says_whether_all_was_settled_and_flushing_after_it_returns_at_once(door):
    client = Client(url=door.url, interval_seconds=30)
    client.record("log", "tick")
    assert client.close(10)
    assert client.flush(10)
    lost = Client(url=NOBODY, interval_seconds=30)
    lost.record("log", "tick")
    started = time.monotonic()
    assert not lost.close(10)
    lost.flush(60)
    assert time.monotonic() - started < 40
    assert lost.tally().dropped == 1


def test_one_clients_dead_collector_takes_no_time_from_another_at_the_end(door):
    program = """
from store.client import Client
stuck = [Client(url="http://127.0.0.1:9", exit_seconds_max=0.5) for _ in range(3)]
good = Client(interval_seconds=30)
for client in (*stuck, good):
    client.record("log", "bye")
"""
    done, _ = run(program, door.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(door.events()) == 1


def test_an_address_may_have_a_path_before(door):
    with Client(url=f"{door.url}/behind/a/proxy/") as client:
        client.record("log", "tick")
    assert door.paths == ["/behind/a/proxy/v1/events"]


def test_forked_children_send_their_own_events_and_not_their_parents_again(door):
    program = """
import os, warnings
from store.client import Client
warnings.simplefilter("ignore")
client = Client(interval_seconds=30)
client.record("log", "parent")
child = os.fork()
if child == 0:
    client.record("log", "child")
    flushed = client.flush(5)
    tally = client.tally()
    os._exit(0 if flushed and (tally.recorded, tally.delivered) == (1, 1) else 1)
assert os.waitpid(child, 0)[1] == 0
client.close(5)
assert client.tally().delivered == 1
"""
    done, _ = run(program, door.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["event_name"] for event in door.events()] == ["child", "parent"]


def test_a_multiprocessing_child_delivers_at_its_end(door):
    program = """
import multiprocessing, warnings
from store.client import Client
warnings.simplefilter("ignore")
client = Client(interval_seconds=30)
worker = multiprocessing.get_context("fork").Process(
    target=lambda: client.record("log", "worker")
)
worker.start()
worker.join()
"""
    done, _ = run(program, door.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert [event["event_name"] for event in door.events()] == ["worker"]


def test_the_client_imports_nothing_heavy():
    program = (
        "import sys; from store.client import Client\n"
        "heavy = {'polars', 'pyarrow', 'textual', 'asyncio', 'uvicorn', 'xxhash'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done, _ = run(program, NOBODY)
    assert done.stdout.strip() == "[]"
