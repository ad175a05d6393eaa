import pytest

from store.collector.queue import EventQueue, Waiting
from store.collector.refused import Refused
from store.errors import UsageError
from store.settings import CollectorSettings
from store.tally import Receipt, Tally


class Seconds:
    now = 100.0


@pytest.fixture
def waiting(events):
    def make(count, arrived=100.0):
        ids = [str(number) for number in range(count)]
        return Waiting(events(*ids), Receipt(), Tally(), "native", None, arrived)

    return make


def queue(events_max, when_full="refuse"):
    settings = CollectorSettings(queue_events_max=events_max, when_full=when_full)
    return EventQueue(settings, lambda: Seconds.now)


def test_deliveries_come_out_in_the_order_they_went_in(waiting):
    line = queue(10)
    first, second = waiting(3), waiting(4)
    assert line.put(first) == line.put(second) == []
    assert (len(line), line.events) == (2, 7)
    assert line.take_all() == [first, second]
    assert (len(line), line.events) == (0, 0)


def test_a_full_queue_sends_the_newcomer_away_for_a_second(waiting):
    line = queue(10)
    line.put(waiting(7))
    line.put(waiting(3))
    with pytest.raises(Refused) as caught:
        line.put(waiting(1))
    assert (caught.value.status, caught.value.headers["retry-after"]) == (503, "1")
    assert line.events == 10


def test_one_delivery_larger_than_the_queue_fits_when_nothing_waits(waiting):
    line = queue(10)
    line.put(waiting(11))
    with pytest.raises(Refused):
        line.put(waiting(1))


def test_by_setting_the_oldest_make_room(waiting):
    line = queue(10, "drop_oldest")
    first, second, third = waiting(5), waiting(5), waiting(7)
    line.put(first)
    line.put(second)
    assert line.put(third) == [first, second]
    assert line.take_all() == [third]


def test_a_setting_that_says_neither_is_refused():
    with pytest.raises(UsageError, match="when_full is 'block', wanted refuse or drop_oldest"):
        queue(10, "block")


def test_the_age_is_of_the_first_in_line(waiting):
    line = queue(10)
    assert line.oldest_age == 0
    line.put(waiting(1, arrived=98.5))
    line.put(waiting(1, arrived=99.5))
    assert line.oldest_age == 1.5
