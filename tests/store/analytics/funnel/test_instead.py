"""What people did instead: the first event after the last step of each."""

from datetime import timedelta

import polars as pl
import pytest

from store.analytics.funnel.instead import columns, done_after
from store.event_store import EventStore
from store.testing import NOON, events_of, write

SECOND = timedelta(seconds=1)


def store_of(path, rows):
    write(path, events_of([{"event_time": NOON + at * SECOND, **row} for at, row in rows]))
    return EventStore(path, now=lambda: NOON)


def after(store, last, per="user_id"):
    since = pl.DataFrame({"who": list(last), "at": [NOON + at * SECOND for at in last.values()]})
    found = done_after(store.events(None, None, columns(per)), since, per)
    return dict(found.select("who", "then").iter_rows())


def test_it_is_the_first_event_after_the_last_step_and_not_at_it(tmp_path):
    rows = [(at, {"event_name": name, "user_id": "ada"}) for at, name in enumerate("abcd")]
    assert after(store_of(tmp_path, rows), {"ada": 1}) == {"ada": "c"}


def test_who_did_nothing_more_is_not_told_of(tmp_path):
    store = store_of(tmp_path, [(0, {"event_name": "a", "user_id": "ada"})])
    assert after(store, {"ada": 0, "bob": 0}) == {}


def test_a_device_is_somebody_as_long_as_no_user_is_known(tmp_path):
    rows = [
        (1, {"event_name": "looked", "install_id": "d1", "user_id": ""}),
        (2, {"event_name": "paid", "install_id": "d1", "user_id": "ada"}),
    ]
    assert after(store_of(tmp_path, rows), {"d1": 0, "ada": 0}) == {"d1": "looked", "ada": "paid"}


def test_it_is_told_per_any_attribute(tmp_path):
    rows = [(1, {"event_name": "a", "session_id": "s"}), (2, {"event_name": "b", "room": 7})]
    store = store_of(tmp_path, rows)
    assert after(store, {"s": 0}, "session_id") == {"s": "a"}
    assert after(store, {"7": 0}, "room") == {"7": "b"}


@pytest.mark.parametrize("names", [("b", "a"), ("a", "b")])
def test_at_one_instant_arrival_decides_nothing(tmp_path, names):
    rows = [(1, {"event_name": name, "user_id": "ada"}) for name in names]
    assert after(store_of(tmp_path, rows), {"ada": 0}) == {"ada": "a"}
