"""What makes up one commit under load, and in which order."""

import asyncio
from datetime import UTC, datetime, timedelta

from store.collector import collector as module
from store.tally import Receipt

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_a_commit_waits_a_moment_for_those_that_are_on_their_way(run, events, monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", 5)
    running = run()
    running.collector._settling = lambda: 3 - len(running.collector.queue)
    sent = []
    for name in "abc":
        sent.append(running.send(events(name)))
        await asyncio.sleep(0.01)
    assert [await each for each in sent] == [Receipt(stored=1)] * 3
    assert running.shelf.ids() == [["a", "b", "c"]]


async def test_but_not_for_ever(run, events, monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.05)
    running = run()
    running.collector._coming = lambda: 1
    assert await asyncio.wait_for(running.send(events("a")), 5) == Receipt(stored=1)


async def test_what_waits_is_put_in_the_order_of_its_time(run, events):
    running = run()
    running.shelf.open.clear()
    sent = [running.send(events("first"))]
    await asyncio.sleep(0.05)
    sent += [running.send(events("late", at=NOON + timedelta(hours=1)))]
    sent += [running.send(events("early", "early too"))]
    await asyncio.sleep(0)
    running.shelf.open.set()
    assert [(await each).stored for each in sent] == [1, 1, 2]
    assert running.shelf.ids() == [["first"], ["early", "early too", "late"]]
