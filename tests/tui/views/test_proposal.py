"""The steps that are proposed where nobody named any."""

from datetime import timedelta

import pytest

from store.event_store import EventStore
from store.testing import NOON, events_of, write
from store.timespan import TimeSpan
from tui.views.proposal import propose, usual_way

SPAN = TimeSpan(NOON - timedelta(hours=2), NOON)


def store_of(path, visits, **more):
    """`visits` are names in a row, a person each, a minute apart."""
    rows = [
        {
            "event_time": NOON - timedelta(hours=1) + timedelta(minutes=at, seconds=who),
            "event_type": "behavioral",
            "event_name": name,
            "user_id": f"u{who}",
            **more,
        }
        for who, visit in enumerate(visits)
        for at, name in enumerate(visit.split())
    ]
    write(path, events_of(rows))
    return EventStore(path, now=lambda: NOON)


def proposed(store, where=""):
    return propose(store, SPAN, where, lambda: False)


def test_the_longest_way_that_people_go_is_proposed_in_its_order(tmp_path):
    visits = ["view"] * 9 + ["view search view"] * 5 + ["view cart view"] * 4
    visits += ["view cart pay"] * 3 + ["view cart help pay"]
    assert proposed(store_of(tmp_path, visits)) == ("view", "cart", "pay")


def test_a_way_of_one_is_better_than_none(tmp_path):
    assert proposed(store_of(tmp_path, ["view", "view"])) == ("view",)


def test_without_anybody_nothing_is_proposed(tmp_path):
    store = store_of(tmp_path, ["view cart"], user_id="")
    assert proposed(store) == ()


def test_the_filter_of_the_view_decides_who_is_looked_at(tmp_path):
    store = store_of(tmp_path, ["view pay"] * 5, service_name="shop")
    assert proposed(store, "service_name=agent") == ()
    assert proposed(store, "service_name=shop") == ("view", "pay")


def test_names_that_would_read_as_more_are_quoted(tmp_path):
    assert proposed(store_of(tmp_path, ["view a,b"] * 4)) == ("view", '"a,b"')


@pytest.mark.parametrize("ring", [["a", "b"], ["a", "b", "c"]])
def test_going_round_in_circles_ends(ring):
    after = [*ring[1:], ring[0]]
    passages = [
        {"from": a, "to": b, "count": 9, "users": 9} for a, b in zip(ring, after, strict=True)
    ]
    assert len(usual_way(passages)) == len(ring)
