"""The same events give the same JSON, byte for byte, however they came: in one part or in many, in
the order of time or in none, merged or not, asked for the first time or again.
"""

import json
import random
from datetime import timedelta

import pytest

from store.analytics.query_json import answer_json
from store.analytics.registry import ANALYSES
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import TimeSpan

HOUR = timedelta(hours=1)
DAYS = 12
FIRST = NOON - timedelta(days=DAYS)
STEPS = {"steps": ("signup", {"name": "open", "optional": True}, "pay")}
ASKED = {
    "trends": {"measures": ("count", "users", "sum:duration_ms", "mean:duration_ms", "p90:value")},
    "percentiles": {"of": "duration_ms"},
    "top": {"measure": "sum:value"},
    "funnel": {**STEPS, "users": True, "sensitivity": True},
    "funnel-trend": STEPS,
    "drivers": {"steps": ("signup", "pay")},
    "went": {"way": ("signup",)},
    "compare": {"where": "plan=pro", "against": "plan=free"},
    "adoption": {"features": ("pay", "open where plan=pro")},
}
BY = ("plan",)


def happened(dice):
    """Ties, equal names, people with devices, missing and empty values, sampled ones."""
    at = FIRST + dice.randint(0, DAYS * 24 * 4) * HOUR / 4
    at += timedelta(microseconds=dice.choice([0, dice.randint(0, 10**7)]))
    return {
        "event_time": at,
        "event_type": dice.choice(["log", "error", "performance", "component_load"]),
        "event_name": dice.choice(["signup", "open", "pay", "look"]),
        "user_id": dice.choice([None, "", *(f"u{n}" for n in range(20))]),
        "install_id": dice.choice([None, *(f"d{n}" for n in range(20))]),
        "session_id": dice.choice([None, None, "", *(f"s{n}" for n in range(9))]),
        "plan": dice.choice([None, "", "pro", "free"]),
        "service_version": dice.choice(["1.0", "1.1", None]),
        "component": dice.choice(["cart", "list", None]),
        "severity": dice.choice([9, 13, 17, None]),
        "duration_ms": dice.choice([None, 0.1, 0.2, 0.3, dice.random() * 1e3]),
        "value": dice.choice([None, 1e9 * dice.random(), -dice.random()]),
        "sample_rate": dice.choice([None, None, 1.0, 3.0, 10 / 3, 1.1]),
        "message": dice.choice([None, "EACCES: permission denied", "ok"]),
    }


@pytest.fixture(scope="module")
def events():
    dice = random.Random(7)
    rows = [happened(dice) for _ in range(700)]
    return events_of({"event_id": f"e{at:04}", **row} for at, row in enumerate(rows))


@pytest.fixture(scope="module")
def stores(events, tmp_path_factory):
    """The same in a part a day, in few parts without any order, and in many small ones."""
    root, clock = tmp_path_factory.mktemp("stable"), FrozenClock(NOON)
    mixed = events.sample(fraction=1, shuffle=True, seed=3)
    few = [mixed[at : at + 300] for at in range(0, mixed.height, 300)]
    again = events.sample(fraction=1, shuffle=True, seed=5)
    many = [again[at : at + 47] for at in range(0, again.height, 47)]
    return [
        store_of(root / f"{at}", *commits, clock=clock)
        for at, commits in enumerate(([events], few, many[::-1]))
    ]


def told(store, query):
    answer = answer_json(store.run(query))
    del answer["generation"]
    return json.dumps(answer, ensure_ascii=False)


SPAN = TimeSpan(FIRST + 50 * HOUR, NOON - 31 * HOUR / 4)


@pytest.mark.parametrize("name", [entry.name for entry in ANALYSES])
def test_an_answer_does_not_hang_on_how_its_events_came(stores, name):
    query_type = next(entry.load().query_type for entry in ANALYSES if entry.name == name)
    more = [{"by": BY}] if query_type.breaks_down else []
    spans = [{}, {"span": SPAN}]
    for options in [*spans, *({**each, **span} for each in more for span in spans)]:
        query = query_type(**ASKED.get(name, {}), **options)
        first, *others = (told(store, query) for store in stores)
        assert others == [first, first]
        assert told(stores[-1], query) == first
