"""Lines on their way: never lost without a word, never waited for."""

import threading

from store.client.delivery import Verdict
from store.errors import StoreError
from store.runner.courier import BODY_BYTES_MAX, Courier, Delivered
from store.vacuum.output import Printed, unpacked
from store.vacuum.sieve import Found

OUT = Printed("r1", "stdout")


class Collector:
    """Answers as it is told; keeps what it took."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.taken = []
        self.revived = 0
        self.asked = threading.Event()

    def send(self, body, lines, path):
        self.asked.set()
        answer = self.answers.pop(0) if self.answers else Verdict(True, lines)
        if answer.settled:
            found = unpacked(body)
            self.taken += [(path, pair) for pair in zip(found.numbers, found.lines, strict=True)]
        return answer

    def revive(self):
        self.revived += 1


def found(*numbers):
    return Found([b"line %d" % number for number in numbers], list(numbers))


AWAY = Verdict(False, fault="refused", absent=True)


def test_lines_arrive_in_order_and_once_with_the_time_they_were_read():
    collector = Collector()
    courier = Courier(collector.send, collector.revive, now_us=lambda: 77)
    for number in range(1, 1001):
        courier.put(found(number), OUT)
    assert courier.close(10) == Delivered(0, 0, "")
    assert [pair[0] for _, pair in collector.taken] == list(range(1, 1001))
    assert {path for path, _ in collector.taken} == {"/v1/lines?run=r1&stream=stdout&read_us=77"}


def test_streams_go_apart():
    collector = Collector()
    courier = Courier(collector.send, collector.revive)
    for number in range(4):
        courier.put(found(number), Printed("r1", "stderr" if number % 2 else "stdout"))
    courier.close(10)
    assert {("stderr" in path, pair[0]) for path, pair in collector.taken} == {
        (False, 0),
        (True, 1),
        (False, 2),
        (True, 3),
    }


def test_what_nobody_took_is_sent_again_and_the_collector_started():
    collector = Collector(AWAY, Verdict(False, fault="503", retry_after=0.01), AWAY)
    courier = Courier(collector.send, collector.revive)
    courier.put(found(1), OUT)
    assert courier.close(10).lost == 0
    assert len(collector.taken) == 1
    assert collector.revived


def test_without_a_collector_the_end_comes_at_once_and_says_what_was_lost():
    def fails():
        raise StoreError("collector", "no port")

    collector = Collector(*[AWAY] * 1000)
    courier = Courier(collector.send, fails)
    courier.put(found(1, 2, 3), OUT)
    delivered = courier.close(30)
    assert (delivered.lost, delivered.fault) == (3, "collector: no port")


def test_a_collector_that_hangs_holds_up_nothing_but_the_end():
    hangs = threading.Event()

    def send(body, lines, path):
        hangs.wait(30)
        return Verdict(True, lines)

    courier = Courier(send, lambda: None, waiting_bytes_max=BODY_BYTES_MAX)
    piece = Found([b"x" * 1000], [1])
    for _ in range(5000):  # nobody waits: nothing is taken meanwhile
        courier.put(piece, OUT)
    delivered = courier.close(0.1)
    hangs.set()
    assert delivered.lost == 5000
    assert delivered.fault == "more came than could wait for the collector"


def test_many_short_lines_are_bounded_as_well():
    collector = Collector(*[AWAY] * 10_000)
    courier = Courier(collector.send, collector.revive, waiting_bytes_max=100_000)
    courier.put(Found([b"x"] * 10_000, [*range(10_000)]), OUT)
    lost = courier._lost
    courier.close(0)
    assert 9_000 < lost < 10_000


def test_what_is_refused_is_counted():
    collector = Collector(Verdict(True, 1, 1, fault="line 2: broken"))
    courier = Courier(collector.send, collector.revive)
    courier.put(found(1, 2), OUT)
    delivered = courier.close(10)
    assert (delivered.rejected, delivered.lost, delivered.fault) == (1, 0, "line 2: broken")
