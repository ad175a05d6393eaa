import asyncio
from collections import Counter
from itertools import chain

import pytest

from store.collector.processors.processor import Processed
from store.collector.refused import Refused, bad_content
from store.errors import NoRoomError
from store.tally import Receipt, Refusal


def refusal(reason):
    return Refusal("line 1", "it is broken", reason)


async def test_a_delivery_is_answered_when_it_is_stored(run, events):
    running = run()
    assert await running.send(events("a", "b")) == Receipt(stored=2)
    assert running.shelf.ids() == [["a", "b"]]


async def test_no_answer_comes_before_the_disk_is_done(run, events):
    running = run()
    running.shelf.open.clear()
    answer = running.send(events("a"))
    await asyncio.sleep(0.05)
    assert not answer.done()
    running.shelf.open.set()
    assert (await answer).stored == 1


async def test_deliveries_that_arrive_during_a_commit_share_the_next(run, events):
    running = run()
    running.shelf.open.clear()
    answers = [running.send(events("a"))]
    await asyncio.sleep(0.02)
    answers += [running.send(events(f"b{n}", f"c{n}")) for n in range(3)]
    await asyncio.sleep(0.02)
    running.shelf.open.set()
    assert [(await answer).stored for answer in answers] == [1, 2, 2, 2]
    assert running.shelf.ids() == [["a"], ["b0", "c0", "b1", "c1", "b2", "c2"]]


async def test_a_large_delivery_is_stored_in_several_parts_under_one_receipt(run, events):
    running = run(part_events_max=3)
    answer = running.send(events(*"abcdefg"), refusal("bad_json"))
    assert await answer == Receipt(stored=7, rejected=1, errors=(refusal("bad_json"),))
    assert running.shelf.ids() == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert running.shelf.tally().as_json()["reasons"] == {"rejected.bad_json": 1}
    assert running.shelf.tally().received == 8


async def test_duplicates_are_found_within_between_and_after_deliveries(run, events):
    running = run()
    running.shelf.open.clear()
    first = running.send(events("a", "b", "a"))
    await asyncio.sleep(0.02)
    same, third = running.send(events("b", "c")), running.send(events("c", "d"))
    await asyncio.sleep(0.02)
    running.shelf.open.set()
    assert await first == Receipt(stored=2, duplicate=1)
    assert await same == Receipt(stored=1, duplicate=1)
    assert await third == Receipt(stored=1, duplicate=1)
    assert await running.send(events("a", "b", "c", "d")) == Receipt(duplicate=4)
    assert sorted(chain.from_iterable(running.shelf.ids())) == ["a", "b", "c", "d"]


async def test_the_tally_adds_up_by_fate_intake_and_reason(run, events):
    def halved(frame):
        return Processed(
            frame[: frame.height // 2],
            filtered=frame.height - frame.height // 2,
            reasons={"filtered.allow": frame.height - frame.height // 2},
        )

    running = run(halved)
    await running.send(events("a", "b"), refusal("bad_json"), refusal("no_name"))
    await running.send(events("a", "c"), intake="otlp")
    await running.send(events(), refusal("bad_json"), intake="otlp")
    running.collector.reject(bad_content(413, "too_large", "x"), "native")
    total = running.ledger.total()
    assert Counter(total.fates) == Counter(stored=1, filtered=2, duplicate=1, rejected=4)
    assert Counter(total.intakes) == Counter(native=5, otlp=3)
    assert Counter(total.reasons) == {
        "rejected.bad_json": 2,
        "rejected.no_name": 1,
        "rejected.too_large": 1,
        "filtered.allow": 2,
    }
    await running.close()
    assert running.shelf.tally() == total


async def test_refusals_alone_become_durable_within_a_second(run, events, monkeypatch):
    monkeypatch.setattr("store.collector.collector.TALLY_DELAY_SECONDS", 0.01)
    running = run()
    assert (await running.send(events(), refusal("bad_json"))).rejected == 1
    await asyncio.sleep(0.1)
    assert running.shelf.tally().fates == {"rejected": 1}
    assert len(running.shelf.parts) == 1


async def test_refusals_become_durable_as_soon_while_duplicates_keep_coming(
    run, events, monkeypatch
):
    monkeypatch.setattr("store.collector.collector.TALLY_DELAY_SECONDS", 0.05)
    running = run()
    await running.send(events("a"))
    for _ in range(20):
        assert (await running.send(events("a"))).duplicate == 1
        await asyncio.sleep(0.01)
    assert running.shelf.tally().fates["duplicate"] > 5


async def test_a_full_disk_answers_503_and_is_forgotten_when_there_is_room(run, events):
    running = run()
    running.shelf.fault = NoRoomError("store", "the disk is full")
    with pytest.raises(Refused) as caught:
        await running.send(events("a"), refusal("bad_json"))
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})
    assert "full" in running.collector.committer.fault
    running.shelf.fault = None
    assert await running.send(events("a")) == Receipt(stored=1)
    assert running.collector.committer.fault == ""
    # What was refused may be sent again, and then counts; now it does not.
    assert running.ledger.total().fates == {"stored": 1}


async def test_a_full_queue_refuses_or_drops_the_oldest_by_setting(run, events):
    running = run(queue_events_max=2)
    running.shelf.open.clear()
    answers = [running.send(events("a"))]
    await asyncio.sleep(0.02)
    answers.append(running.send(events("b", "c")))
    await asyncio.sleep(0.02)
    with pytest.raises(Refused) as caught:
        await running.send(events("d"))
    assert caught.value.reason == "queue_full"
    running.shelf.open.set()
    assert [(await answer).stored for answer in answers] == [1, 2]

    dropping = run(queue_events_max=2, when_full="drop_oldest")
    dropping.shelf.open.clear()
    answers = [dropping.send(events("a"))]
    await asyncio.sleep(0.02)
    answers += [dropping.send(events("b", "c")), dropping.send(events("d"))]
    await asyncio.sleep(0.02)
    assert await answers[1] == Receipt(dropped=2)
    dropping.shelf.open.set()
    assert (await answers[2]).stored == 1
    total = dropping.ledger.total()
    assert total.fates == {"stored": 2, "dropped": 2}
    assert total.reasons == {"dropped.queue_full": 2}


async def test_one_delivery_that_cannot_be_stored_costs_the_others_nothing(run, events, caplog):
    running = run()
    write = running.shelf.write

    def choosy(frame, tally):
        if "bad" in frame["event_id"].to_list():
            raise ValueError("hunter2")
        return write(frame, tally)

    running.shelf.write = choosy
    running.shelf.open.clear()
    first = running.send(events("a"))
    await asyncio.sleep(0.02)
    good, bad, fine = (running.send(events(name)) for name in ("good", "bad", "fine"))
    await asyncio.sleep(0.02)
    running.shelf.open.set()
    assert [(await answer).stored for answer in (first, good, fine)] == [1, 1, 1]
    with pytest.raises(Refused) as caught:
        await bad
    assert caught.value.status == 500
    assert "ValueError at" in caplog.text
    assert "hunter2" not in caplog.text
    assert running.ledger.total().fates == {"stored": 3}


async def test_closing_commits_what_waits_and_takes_no_more(run, events):
    running = run()
    running.shelf.open.clear()
    answers = [running.send(events("a"))]
    await asyncio.sleep(0.02)
    answers += [running.send(events("b")), running.send(events(), refusal("bad_json"))]
    await asyncio.sleep(0.02)
    running.collector.close()
    with pytest.raises(Refused) as caught:
        await running.send(events("late"))
    assert caught.value.status == 503
    await running.close()
    assert [(await answer).stored for answer in answers] == [1, 1, 0]
    assert running.shelf.tally().fates == {"stored": 2, "rejected": 1}


async def test_a_sender_that_has_gone_holds_nobody_up(run, events):
    running = run()
    running.shelf.open.clear()
    gone, patient = running.send(events("a")), running.send(events("b"))
    await asyncio.sleep(0.02)
    gone.cancel()
    running.shelf.open.set()
    assert (await patient).stored == 1
    assert list(chain.from_iterable(running.shelf.ids())) == ["a", "b"]
