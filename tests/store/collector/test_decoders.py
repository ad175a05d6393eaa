import os
import signal
import time
from datetime import UTC, datetime

import pytest

from store.collector import decoders as module
from store.collector.decoders import Decoders
from store.collector.intake import INTAKES
from store.collector.intake.intake import Delivery
from store.event import EventIds
from store.settings import MIB, Limits

RECEIVED = datetime(2026, 11, 22, 12, tzinfo=UTC)
NATIVE = next(intake for intake in INTAKES if intake.name == "native")


def delivery(body=b'{"event_id": "a", "event_name": "x", "n": 1}\n{broken'):
    return Delivery(body, "/v1/events", {}, {}, RECEIVED, EventIds(time.time), Limits())


@pytest.fixture
def decoders():
    made = Decoders(is_helped=True)
    yield made
    made.close()


def loaded(decoders, monkeypatch):
    """Under load until the process beside is ready."""
    monkeypatch.setattr(module, "LOAD_SECONDS", 0)
    decoders.decode(NATIVE, delivery())
    deadline = time.monotonic() + 60
    while not decoders._helper.is_ready():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    monkeypatch.setattr(module, "LOAD_SECONDS", 1e9)
    return decoders.helper_pid


def same(one, other):
    return one.events.equals(other.events) and list(one.refusals) == list(other.refusals)


async def test_a_few_deliveries_need_no_process_beside(decoders):
    for _ in range(3):
        decoded = await decoders.run(9, decoders.decode, NATIVE, delivery())
        assert same(decoded, NATIVE.decode(delivery()))
    assert decoders.helper_pid is None


async def test_what_is_decoded_but_not_handed_on_yet_is_settling(decoders):
    seen = []

    def decode():
        decoded = decoders.decode(NATIVE, delivery())
        seen.append((decoders.waiting, decoders.settling))
        return decoded

    await decoders.run(9, decode)
    assert seen == [(1, 1)]
    assert (decoders.waiting, decoders.settling) == (0, 0)


async def test_under_load_a_process_beside_decodes_just_the_same(decoders, monkeypatch):
    assert loaded(decoders, monkeypatch) != os.getpid()
    bodies = (delivery().body, b"", b"[]", b'{"event_name": "\xf0\x9f\x8d\x8b", "a": {"b": [1]}}')
    for body in bodies:
        far, near = decoders.decode(NATIVE, delivery(body)), NATIVE.decode(delivery(body))
        if "event_id" in far.events.columns and body != bodies[0]:
            far.events.drop_in_place("event_id")
            near.events.drop_in_place("event_id")
        assert same(far, near)


async def test_large_bodies_stay_here(decoders, monkeypatch):
    loaded(decoders, monkeypatch)
    monkeypatch.setattr(decoders._helper, "decode", None)
    decoded = decoders.decode(NATIVE, delivery(b'{"event_name": "x"}\n' + b" " * 2 * MIB))
    assert decoded.events.height == 1


async def test_when_the_process_beside_dies_the_delivery_is_decoded_here(decoders, monkeypatch):
    os.kill(loaded(decoders, monkeypatch), signal.SIGKILL)
    assert same(decoders.decode(NATIVE, delivery()), NATIVE.decode(delivery()))
    assert decoders.helper_pid is None


async def test_the_process_beside_goes_when_there_is_nothing_to_do(decoders, monkeypatch):
    pid = loaded(decoders, monkeypatch)
    decoders.rest()
    assert decoders.helper_pid == pid
    monkeypatch.setattr(module, "REST_SECONDS", 0)
    decoders.rest()
    assert decoders.helper_pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_burst_on_a_machine_of_one_core_starts_nothing(monkeypatch):
    alone = Decoders(is_helped=False)
    monkeypatch.setattr(module, "LOAD_SECONDS", 0)
    alone.decode(NATIVE, delivery())
    assert alone.helper_pid is None
    alone.close()


def test_a_load_is_a_good_part_of_a_second():
    load = module._Load()
    for moment in range(100, 110):  # once a second for long
        load.add(moment, moment + 0.3)
    assert not load.is_high
    load.add(200, 201.5)
    assert load.is_high
    load.add(202, 202.1)
    load.add(202.6, 202.7)
    assert not load.is_high
    for tenth in range(3000, 3012):
        load.add(tenth / 10, tenth / 10 + 0.06)
    assert load.is_high
