import threading
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from store.event import Event, EventIds, uuid7_time

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_ids_are_uuids_of_version_7_that_hold_their_time():
    made = EventIds(NOON.timestamp)()
    assert UUID(made).version == 7
    assert UUID(made).variant == "specified in RFC 4122"
    assert uuid7_time(made) == NOON


@given(st.lists(st.tuples(st.floats(0, 2e9), st.integers(1, 5)), min_size=1, max_size=30))
def test_ids_grow_even_when_the_clock_stands_or_steps_back(steps):
    clock = iter([seconds for seconds, _ in steps])
    ids = EventIds(lambda: next(clock))
    made = [one for _, count in steps for one in ids.take(count)]
    assert made == sorted(set(made))


def test_the_counter_carries_into_the_next_millisecond():
    ids = EventIds(lambda: 1.0, random=lambda count: b"\xff" * count)
    ids._counter = (1 << 74) - 2
    ids._millisecond = 1000
    before, after = ids.take(2)
    assert before < after
    assert uuid7_time(after).timestamp() == 1.001


def test_threads_never_get_the_same_id():
    ids = EventIds(lambda: 1.0)
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend(ids() for _ in range(500))) for _ in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


def test_other_ids_hold_no_time():
    assert uuid7_time("e4eaaaf2-d142-11e1-b3e4-080027620cdd") is None
    assert uuid7_time("order-17") is None
    assert uuid7_time("") is None


def test_the_wire_form_is_flat_and_its_fields_win_over_attributes():
    event = Event("1", NOON, "log", "signup", {"plan": "pro", "event_name": "other"})
    assert event.as_wire() == {
        "plan": "pro",
        "event_id": "1",
        "event_time": "2026-11-22T12:00:00Z",
        "event_type": "log",
        "event_name": "signup",
    }
