"""The funnel over time, broken down: held against the funnel's own breakdown, and against trends of
those whom a value stands for.
"""

from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.funnel.trend import FunnelTrend, FunnelTrendAnalysis
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes

HOUR = TimeSpan(NOON, NOON + timedelta(hours=1))
EVENTS = at_minutes(
    ada="a@0:pro b@1 a@10 b@11:free",
    bob="a@2:free",
    eve="a@3 b@4",
    zoe="a@12:pro",
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, 12).map(lambda at: NOON + at * MINUTE),
            "event_name": st.sampled_from(["a", "b", "c"]),
            "user_id": st.sampled_from(["ada", "bob", "eve"]),
            "plan": st.sampled_from([None, "pro", "free"]),
        }
    ),
    min_size=1,
    max_size=14,
)


def trend(events, *steps, **options):
    usual = {"span": HOUR, "interval": 10 * MINUTE}
    return asked(events, *steps, analysis=FunnelTrendAnalysis(), **{**usual, **options})


def by_plan(events, *steps, **options):
    """(entered, converted) of each interval with somebody in it, by its minute."""
    found = trend(events, *steps, by=("plan",), **options)["breakdown"]
    return {(group["key"]["plan"], "folded" in group): some(group["points"]) for group in found}


def some(points):
    pairs = [(point["entered"], point["converted"]) for point in points]
    return {10 * at: pair for at, pair in enumerate(pairs) if pair != (0, 0)}


def test_each_value_has_its_own_intervals_those_whom_most_entered_first():
    assert list(by_plan(EVENTS, "a", "b").items()) == [
        (("pro", False), {0: (1, 1), 10: (2, 1)}),
        (("", False), {0: (1, 1)}),
        (("free", False), {0: (1, 0)}),
    ]


def test_past_the_limit_they_are_one():
    assert by_plan(EVENTS, "a", "b", limit=1) == {
        ("pro", False): {0: (1, 1), 10: (2, 1)},
        ("", True): {0: (2, 1)},
    }


def test_a_breakdown_of_nothing_is_empty():
    assert trend(EVENTS, "nothing", by=("plan",))["breakdown"] == []
    assert some(trend(EVENTS, "nothing")["points"]) == {}


def test_a_store_answers_it_and_says_it_in_json(tmp_path):
    store = store_of(tmp_path / "s", EVENTS)
    query = FunnelTrend(steps=("a", "b"), span=HOUR, interval=10 * MINUTE, by=("plan",))
    series = store.run(query).result.series
    assert [dict(each.key) for each in series[::3]] == [
        {"plan": name} for name in ("pro", "", "free")
    ]
    assert [each.measure for each in series[:3]] == ["entered", "converted", "conversion"]


@pytest.mark.parametrize("count", ["users", "attempts"])
@pytest.mark.parametrize("attribution", ["first", "last", "step:1", "step:2", "all"])
@settings(deadline=None, max_examples=cases(1_000) // 40)
@given(rows=ROWS, limit=st.integers(1, 3), order=st.sampled_from(["ordered", "strict"]))
def test_in_one_interval_it_is_the_breakdown_of_the_funnel(attribution, count, rows, limit, order):
    events = events_of({"event_id": f"{at:03}", **row} for at, row in enumerate(rows))
    how = {"attribution": attribution, "count": count, "order": order, "window": 4 * MINUTE}
    steps = ("a", "b", "c")
    whole = asked(events, *steps, by=("plan",), limit=limit, **how).get("breakdown", [])
    expected = {
        (group["key"]["plan"], "folded" in group): {
            0: tuple(group["steps"][at]["count"] for at in (0, -1))
        }
        for group in whole
    }
    found = by_plan(events, *steps, limit=limit, interval=timedelta(hours=1), **how)
    assert found == expected


@settings(deadline=None, max_examples=cases(1_000) // 10)
@given(rows=ROWS, last=st.booleans(), window=st.integers(1, 9))
def test_a_value_stands_for_the_trend_of_those_who_have_it(rows, last, window):
    events = events_of({"event_id": f"{at:03}", **row} for at, row in enumerate(rows))
    steps, how = ("a", "b"), {"window": window * MINUTE}
    for value, points in by_plan(events, *steps, attribution="all", **how).items():
        own = events.filter(pl.col("plan").fill_null("") == value[0])
        assert points == some(trend(own, *steps, **how)["points"])
    whose = {}
    is_step = [row for row in sorted(events.to_dicts(), key=_in_turn) if row["event_name"] != "c"]
    for row in reversed(is_step) if not last else is_step:
        if row["plan"]:
            whose[row["user_id"]] = row["plan"]
    found = by_plan(events, *steps, attribution="last" if last else "first", **how)
    for value, points in found.items():
        people = [user for user in ("ada", "bob", "eve") if whose.get(user, "") == value[0]]
        own = events.filter(pl.col("user_id").is_in(people))
        assert points == some(trend(own, *steps, **how)["points"])


def _in_turn(row):
    return row["event_time"], row["event_name"], row["event_id"]
