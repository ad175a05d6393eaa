"""Datagrams between the socket and the store: bounded, retried, counted to the last line."""

import asyncio
import errno
import socket
import time

import pytest

from store.collector import datagrams as module
from store.collector.datagrams import Datagrams
from store.collector.decoders import Decoders
from store.collector.intake.statsd import StatsdIntake
from store.errors import NoRoomError
from store.event import EventIds
from store.settings import Limits
from store.statsd import Gauges
from tests.store.collector.running import Running


@pytest.fixture
async def stage(clock, monkeypatch):
    """A collector over a shelf, datagrams before it, and a socket that nobody sends to."""
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(module, "TALLY_SECONDS", 0.05)
    made = Stage(Running(clock, ()))
    yield made
    await made.close()


class Stage:
    def __init__(self, running):
        self.running = running
        self.shelf = running.shelf
        self.decoders = Decoders(is_helped=False)
        self.datagrams = Datagrams(
            StatsdIntake(),
            running.collector,
            self.decoders,
            settle=Gauges().settled,
            limits=Limits(),
            ids=EventIds(time.time),
        )
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind(("127.0.0.1", 0))
        self.task = asyncio.create_task(self.datagrams.run(listener))

    def receive(self, *datagrams):
        for datagram in datagrams:
            self.datagrams.datagram_received(datagram, None)

    async def tally(self, received):
        """The fates and reasons, once so many lines are counted."""
        for _ in range(1000):
            total = self.running.ledger.total()
            if total.received >= received:
                break
            await asyncio.sleep(0.01)
        return {**total.fates, **total.reasons}

    async def close(self):
        self.datagrams.close()
        await self.task
        await self.running.close()
        self.decoders.close()


async def test_what_comes_at_once_is_stored_in_the_order_it_came(stage):
    stage.receive(b"q:10|g", b"q:-3|g\nq:+1|g\n", b"junk")
    assert await stage.tally(4) == {"stored": 3, "rejected": 1, "rejected.bad_line": 1}
    assert stage.shelf.parts[0].events["value"].to_list() == [10.0, 7.0, 8.0]


async def test_what_the_queue_has_no_room_for_is_dropped_and_counted_line_by_line(
    stage, monkeypatch
):
    monkeypatch.setattr(module, "QUEUE_BYTES_MAX", 500)
    stage.receive(*[b"a:1|c\nb:1|c"] * 10, b"c:1|c\n\n", b"x" * 500)
    assert 500 // (11 + module.DATAGRAM_BYTES) == 6
    assert await stage.tally(22) == {"stored": 12, "dropped": 10, "dropped.queue_full": 10}


async def test_a_disk_without_room_holds_them_until_there_is_some(stage):
    stage.shelf.fault = NoRoomError("store", "no space left", place="/s")
    stage.receive(b"a:1|c")
    await asyncio.sleep(0.1)
    stage.receive(b"b:1|c")
    await asyncio.sleep(0.05)
    assert stage.running.ledger.total().received == 0
    stage.shelf.fault = None
    assert await stage.tally(2) == {"stored": 2}
    names = [name for part in stage.shelf.parts for name in part.events["event_name"]]
    assert names == ["a", "b"]


async def test_a_fault_of_ours_costs_one_batch_and_is_counted(stage):
    stage.shelf.fault = OSError(errno.EIO, "it broke")
    stage.receive(b"a:1|c\njunk")
    await asyncio.sleep(0.2)
    stage.shelf.fault = None
    stage.receive(b"b:1|c")
    assert await stage.tally(3) == {
        "stored": 1,
        "rejected": 1,
        "rejected.bad_line": 1,
        "dropped": 1,
        "dropped.internal": 1,
    }


async def test_a_decoder_that_fails_costs_its_batch_alone(stage, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(stage.decoders, "decode", fail)
        stage.receive(b"a:1|c\nb:1|c")
        assert await stage.tally(2) == {"dropped": 2, "dropped.internal": 2}
    stage.receive(b"c:1|c")
    assert (await stage.tally(3))["stored"] == 1


async def test_what_waits_at_the_end_is_stored_and_what_cannot_be_is_counted(stage):
    stage.receive(b"a:1|c")
    stage.datagrams.close()
    await stage.task
    assert await stage.tally(1) == {"stored": 1}


async def test_what_comes_too_late_to_be_stored_is_counted_as_dropped(stage, monkeypatch):
    monkeypatch.setattr(module, "DRAIN_SECONDS", -1.0)
    stage.receive(b"a:1|c\nb:1|c")
    stage.datagrams.close()
    await stage.task
    assert await stage.tally(2) == {"dropped": 2, "dropped.stopping": 2}
