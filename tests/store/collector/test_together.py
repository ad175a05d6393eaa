"""Deliveries that wait are decoded together, and each thread gets what its own became."""

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import polars as pl
import pytest

from store.collector import together as module
from store.collector.together import ROUND_BYTES_MAX, ROUND_MAX, Together, decoded_all
from store.normalise import Decoded

PATIENCE = 10


class Gathering:
    """An intake that takes many at a time; it keeps to what `decode_together` promises."""

    name = "gathering"
    routes = ()

    def __init__(self):
        self.rounds = []

    def decode(self, delivery):
        if delivery.body == b"bad":
            raise ValueError(delivery.body)
        return Decoded(pl.DataFrame({"body": [delivery.body]}))

    def decode_together(self, deliveries):
        self.rounds.append(len(deliveries))
        return (
            None
            if any(each.body == b"odd" for each in deliveries)
            else [*map(self.decode, deliveries)]
        )

    def reply(self, receipt, request): ...

    def refusal(self, refused, receipt, request): ...


class Plain(Gathering):
    name = "plain"
    decode_together = None


def delivery(body, path="/v1/x"):
    return SimpleNamespace(body=body, path=path)


def crowd(intake, bodies, paths=None):
    """What each of them became, when all of them wait for the first; and the rounds."""
    rounds, began, go = [], threading.Event(), threading.Event()

    def decode_all(intake, deliveries):
        rounds.append([each.body for each in deliveries])
        if len(rounds) == 1:
            began.set()
            assert go.wait(PATIENCE)
        return decoded_all(intake, deliveries)

    together = Together(decode_all, turns=1)

    def outcome(body, path="/v1/x"):
        try:
            return together.decode(intake, delivery(body, path)).events["body"].item()
        except ValueError:
            return "raised"

    with ThreadPoolExecutor(len(bodies) + 1) as pool:
        first = pool.submit(outcome, b"first")
        assert began.wait(PATIENCE)
        paths = paths or ["/v1/x"] * len(bodies)
        others = [pool.submit(outcome, *each) for each in zip(bodies, paths, strict=True)]
        while sum(map(len, together._waiting.values())) < len(bodies):
            threading.Event().wait(0.001)
        go.set()
        assert first.result(PATIENCE) == b"first"
        return [other.result(PATIENCE) for other in others], rounds[1:]


def test_what_waits_is_one_round():
    bodies = [b"a", b"b", b"c"]
    outcomes, rounds = crowd(Gathering(), bodies)
    assert outcomes == bodies
    assert [sorted(each) for each in rounds] == [bodies]


def test_one_that_has_to_be_looked_at_alone_costs_the_others_nothing():
    intake = Gathering()
    outcomes, _ = crowd(intake, [b"a", b"odd"])
    assert outcomes == [b"a", b"odd"]
    assert intake.rounds == [2]


def test_nor_does_one_that_fails():
    outcomes, _ = crowd(Gathering(), [b"a", b"bad", b"c"])
    assert outcomes == [b"a", "raised", b"c"]


@pytest.mark.parametrize(
    ("bodies", "sizes"),
    [
        ([b"a"] * (ROUND_MAX + 2), [ROUND_MAX, 2]),
        ([b"x" * (ROUND_BYTES_MAX // 2)] * 3, [2, 1]),
        ([b"x" * (2 * ROUND_BYTES_MAX)] * 2, [1, 1]),
    ],
)
def test_rounds_are_bounded(bodies, sizes):
    outcomes, rounds = crowd(Gathering(), bodies)
    assert outcomes == bodies
    assert list(map(len, rounds)) == sizes


def test_an_intake_that_cannot_gets_them_one_by_one():
    _, rounds = crowd(Plain(), [b"a", b"b"])
    assert list(map(len, rounds)) == [1, 1]


def test_what_came_to_another_path_is_another_round():
    outcomes, rounds = crowd(Gathering(), [b"a", b"b", b"c"], ["/v1/x", "/v1/y", "/v1/x"])
    assert outcomes == [b"a", b"b", b"c"]
    assert sorted(map(sorted, rounds)) == [[b"a", b"c"], [b"b"]]


def gathered(intake, can_wait):
    """The rounds of two deliveries, the second of which comes while the first may wait for it."""
    rounds = []

    def decode_all(intake, deliveries):
        rounds.append(sorted(each.body for each in deliveries))
        return decoded_all(intake, deliveries)

    asked = threading.Event()

    def waits():
        asked.set()
        return can_wait

    together = Together(decode_all, turns=1, can_wait=waits)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(together.decode, intake, delivery(b"a"))
        asked.wait(0.2)
        second = pool.submit(together.decode, intake, delivery(b"b"))
        found = [each.result(PATIENCE).events["body"].item() for each in (first, second)]
    assert found == [b"a", b"b"]
    return rounds


def test_a_round_waits_for_more_while_its_events_would_wait_all_the_same(monkeypatch):
    monkeypatch.setattr(module, "GATHER_SECONDS", 0.5)
    assert gathered(Gathering(), can_wait=True) == [[b"a", b"b"]]


@pytest.mark.parametrize(("intake", "can_wait"), [(Gathering(), False), (Plain(), True)])
def test_else_nobody_waits(intake, can_wait):
    assert gathered(intake, can_wait) == [[b"a"], [b"b"]]
