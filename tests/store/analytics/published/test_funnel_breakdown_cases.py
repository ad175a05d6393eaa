"""Breakdowns of funnels, and what sets converts apart, held against PostHog's published tests of
its attributions and of its correlation (odds ratios with one more in every cell).
"""

import pytest

from store.analytics.funnel.drivers import Drivers
from store.analytics.query_json import answer_json
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes

DAY = 24 * 60
WEEK = TimeSpan(NOON, NOON + 7 * DAY * MINUTE)
LATER = FrozenClock(NOON + 60 * DAY * MINUTE)
"""No window is open any more."""
BROWSERS = {
    "p1": "sign@0:Chrome buy@60",
    "p2": f"sign@0 buy@{DAY}:Safari",
    "p3": "sign@0:Mac buy@60",
    "p4": "sign@0:0 buy@60:alakazam",
}
NOBODYS = {**BROWSERS, "p5": "sign@0 buy@60"}
STARTED = {
    "p1": "sign@0:Chrome buy@60",
    "p2": "sign@0",
    "p3": "sign@0:Mac",
    "p4": "sign@0:0 buy@60:alakazam",
}


def groups(people, *steps, attribution="first", **options):
    """How many of each value come to each step."""
    options = {"window": WEEK.length, "span": WEEK, "by": ("plan",), **options}
    found = asked(at_minutes(**people), *steps, attribution=attribution, **options)
    return {
        group["key"]["plan"]: [step["count"] for step in group["steps"]]
        for group in found.get("breakdown", [])
    }


ATTRIBUTED = {
    "first": (NOBODYS, "first", {v: [1, 1] for v in ("", "0", "Chrome", "Mac", "Safari")}),
    "last": (NOBODYS, "last", {v: [1, 1] for v in ("", "alakazam", "Chrome", "Mac", "Safari")}),
    "at the first step": (BROWSERS, "step:1", {v: [1, 1] for v in ("", "0", "Chrome", "Mac")}),
    "at the second step": (
        BROWSERS,
        "step:2",
        {"": [2, 2], "Safari": [1, 1], "alakazam": [1, 1]},
    ),
    "at a step that some never reach": (STARTED, "step:2", {"": [1, 1], "alakazam": [1, 1]}),
    "each value a funnel of its own": (
        BROWSERS,
        "all",
        {"Chrome": [1, 0], "": [1, 0], "Mac": [1, 0], "0": [1, 0]},
    ),
}


@pytest.mark.parametrize("case", ATTRIBUTED)
def test_a_value_is_that_of(case):
    people, attribution, expected = ATTRIBUTED[case]
    assert groups(people, "sign", "buy", attribution=attribution) == expected


@pytest.mark.parametrize("order", ["ordered", "strict", "unordered"])
def test_first_and_last_do_not_hang_on_the_order(order):
    for attribution in ("first", "last"):
        expected = ATTRIBUTED[attribution][2]
        found = groups(NOBODYS, "sign", "buy", attribution=attribution, order=order)
        assert found == expected


def test_times_of_each_value():
    options = {"window": WEEK.length, "by": ("plan",)}
    found = asked(at_minutes(**BROWSERS), "sign", "buy", **options)["breakdown"]
    seconds = {g["key"]["plan"]: g["steps"][1]["median_seconds"] for g in found}
    assert seconds == {"Chrome": 3600, "Safari": 86_400, "Mac": 3600, "0": 3600}


def test_at_the_first_step_one_user_is_under_each_of_his_values():
    people = {"p": "sign@0:Chrome sign@60:Safari sign@1500:Mac sign@1560:0"}
    expected = {value: [1, 0] for value in ("Chrome", "Safari", "Mac", "0")}
    assert groups(people, "sign", "other", attribution="step:1") == expected


def test_each_value_alone_needs_both_steps():
    people = {"p": f"sign@0:Chrome play@{DAY + 30}:Safari sign@{DAY + 60}:Safari "
              f"play@{DAY + 120}:Safari"}  # fmt: skip
    expected = {"Chrome": [1, 0], "Safari": [1, 1]}
    assert groups(people, "sign", "play", attribution="all") == expected
    assert groups(people, "sign", "play", attribution="all", order="unordered") == expected


ONE = {"p": "one@0:Chrome two@1:Safari two@2:Chrome three@3:Chrome"}


@pytest.mark.parametrize(
    ("attribution", "values"),
    [
        ("first", {"Chrome"}),
        ("all", {"Chrome"}),
        ("step:1", {"Chrome"}),
        ("step:2", {"Chrome", "Safari"}),
        ("step:3", {"Chrome"}),
    ],
)
def test_a_user_with_two_values_at_a_step_converts_under_both(attribution, values):
    found = groups(ONE, "one", "two", "three", attribution=attribution)
    assert found == {value: [1, 1, 1] for value in values}


def test_what_fits_no_filter_gives_no_value():
    docs = {"name": "sign", "where": "plan~docs"}
    blogs = " ".join(f"sign@0:blog/{letter}" for letter in "abcdefghijklmnopqrst" for _ in "12")
    people = {"p": f"sign@0:docs/x pay@{8 * DAY}:docs/x {blogs}"}
    assert groups(people, docs, "pay", window=14 * DAY * MINUTE) == {"docs/x": [1, 1]}


def test_the_value_of_the_step_is_that_of_the_event_that_is_the_step():
    people = {
        "p1": "sign@0:Chrome/xyz buy@60:Chrome",
        "p2": f"sign@0 buy@{DAY}:Safari/xyz",
        "p3": "sign@0:Mac buy@60:Mac/xyz",
        "p5": "sign@0 buy@60",
    }
    buy = {"name": "buy", "where": "plan~xyz"}
    found = groups(people, "sign", buy, attribution="step:2")
    assert found == {"Safari/xyz": [1, 1], "Mac/xyz": [1, 1]}


def drivers(root, people, **options):
    """{what: (converted, not converted, odds ratio)}, the most telling first."""
    query = Drivers(steps=("sign", "paid"), span=WEEK, **options)
    store = store_of(root, at_minutes(**people), clock=LATER)
    rows = answer_json(store.run(query))["result"]["rows"]
    return {
        row.get("event_name") or row["value"]: (
            row["converted"], row["not_converted"], pytest.approx(row["odds_ratio"])
        )
        for row in rows
    }  # fmt: skip


def test_what_converts_did_and_the_others_did(tmp_path):
    people = {
        f"u{n}": f"sign@0 {'good@60' if n % 2 else ''} paid@120" for n in range(10)
    } | {f"v{n}": f"sign@0 {'bad@60' if n % 2 else ''}" for n in range(10)}  # fmt: skip
    assert drivers(tmp_path, people) == {"good": (5, 0, 11), "bad": (0, 5, 1 / 11)}


def test_steps_with_a_filter_are_no_drivers_and_what_does_not_fit_is(tmp_path):
    """PostHog leaves out all events of a step's name; here one that is not the step tells."""
    people = {
        f"u{n}": f"sign@0 {'good@60' if n % 2 == 0 else ''} paid@120" for n in range(3)
    } | {"fail": "sign@0"}  # fmt: skip
    assert drivers(tmp_path, people) == {"good": (2, 0, 3)}


def test_what_converts_were(tmp_path):
    people = {f"u{n}": "sign@0:Positive paid@120" for n in range(10)}
    people |= {f"v{n}": "sign@0:Negative" for n in range(10)}
    people |= {"fail": "sign@0:Positive", "succ": "sign@0:Negative paid@120"}
    assert drivers(tmp_path, people, of="attributes") == {
        "Positive": (10, 1, 121 / 4),
        "Negative": (1, 10, 4 / 121),
    }


def test_groups_convert_and_are_set_apart_like_users(tmp_path):
    rows = []
    for n in range(10):
        rows += [("sign", n, 0), ("paid", n, 120), *([("good", n, 60)] if n % 2 else [])]
        rows += [("alone", None, 60)]
    rows += [("sign", 20, 0), ("bad", 20, 60)]
    rows += [("sign", 21, 0), ("bad", 21, 60), ("paid", 21, 120)]
    events = events_of(
        {
            "event_id": f"e{at:03}",
            "event_name": name,
            "org": None if org is None else f"org:{org}",
            "user_id": "somebody",
            "event_time": NOON + minute * MINUTE,
        }
        for at, (name, org, minute) in enumerate(rows)
    )
    query = Drivers(steps=("sign", "paid"), span=WEEK, per="org")
    found = answer_json(store_of(tmp_path, events, clock=LATER).run(query))["result"]["rows"]
    assert {row["event_name"]: row["odds_ratio"] for row in found} == {
        "good": pytest.approx(12 / 7),
        "bad": pytest.approx(1 / 11),
    }
