"""Sessions of many events are made share by share; into how many does not show in any answer."""

import random
from datetime import timedelta

import pytest

from store.analytics.ordered import shares
from store.analytics.paths import visits
from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.journeys import Journeys
from store.analytics.paths.paths import Paths
from store.analytics.paths.step_matrix import StepMatrix
from store.analytics.paths.transitions import Transitions
from store.analytics.query_json import answer_json
from store.testing import NOON, events_of, store_of

ASKED = [
    Paths(per_step=2, limit=3),
    Paths(from_="b", to="c", without=("d",)),
    Transitions(),
    DropOff(by=("plan",)),
    DropOff(per="user_id"),
    Journeys(from_="a", unfold=(("b",),)),
    StepMatrix(by=("plan",)),
]


def crowd(seed, *, users):
    dice = random.Random(seed)
    return [
        {
            "event_name": dice.choice("abcd"),
            "user_id": f"user-{dice.randrange(users)}",
            "session_id": dice.choice([None, None, "s", "t", "u"]),
            "plan": dice.choice([None, "pro", "free"]),
            "event_time": NOON + timedelta(minutes=dice.randrange(300)),
            "event_id": f"id-{at}",
        }
        for at in range(400)
    ]


@pytest.mark.parametrize("users", [1, 30], ids=["a user", "users"])
@pytest.mark.parametrize("query", ASKED, ids=lambda query: query.analysis)
def test_an_answer_is_the_same_out_of_any_number_of_shares(tmp_path, monkeypatch, query, users):
    events = events_of(crowd(users, users=users))
    whole = answer_json(store_of(tmp_path / "whole", events).run(query))["result"]
    monkeypatch.setattr(shares, "SHARED_ROWS", 1)
    for rows in (1_000_000, 80):
        monkeypatch.setattr(visits, "_SHARE_ROWS", rows)
        shared = answer_json(store_of(tmp_path / str(rows), events).run(query))["result"]
        assert shared == whole
