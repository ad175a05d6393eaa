"""Drivers within each value that people had."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.funnel.drivers import Drivers
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import NOON, FrozenClock, events_of, store_of
from tests.cases import cases

MINUTE = timedelta(minutes=1)
LATER = FrozenClock(NOON + timedelta(days=2))


def asked(root, rows, **options):
    options = {"steps": ("a", "b"), "window": 5 * MINUTE, "limit": 100, **options}
    parts = [rows[at::3] for at in range(3)]
    store = store_of(root / "s", *(events_of(part) for part in parts if part), clock=LATER)
    return answer_json(store.run(Drivers(**options)))["result"]


def walk(who, names, plan, **more):
    return [
        {"event_id": f"{who}{at}", "event_time": NOON + at * MINUTE, "event_name": name,
         "user_id": who, "plan": plan, **more}
        for at, name in enumerate(names.split())
    ]  # fmt: skip


SHOP = [
    *(row for n in range(4) for row in walk(f"p{n}", "a x b", "pro", os="mac")),
    *(row for n in range(3) for row in walk(f"q{n}", "a y", "pro", os="win")),
    *(row for n in range(3) for row in walk(f"f{n}", "a y b", "free", os="win")),
    *(row for n in range(2) for row in walk(f"g{n}", "a x", "free", os="mac")),
]


def test_within_each_value_what_sets_its_own_people_apart_is_told(tmp_path):
    pro, free = asked(tmp_path, SHOP, by=("plan",))["breakdown"]
    assert (pro["key"], pro["summary"]) == (
        {"plan": "pro"},
        {"converted": 4, "not_converted": 3},
    )
    ratios = [
        {row["event_name"]: row["odds_ratio"] for row in each["rows"]} for each in (pro, free)
    ]
    assert ratios == [{"x": 20, "y": 1 / 20}, {"x": 1 / 12, "y": 12}]


def test_so_it_is_of_attributes_and_that_of_the_breakdown_says_nothing(tmp_path):
    told = asked(tmp_path, SHOP, by=("plan",), of="attributes")
    pro, free = told["breakdown"]
    assert {row["attribute"] for each in (pro, free) for row in each["rows"]} == {"os"}
    assert [row["value"] for row in pro["rows"]] == ["mac", "win"]
    assert [row["value"] for row in free["rows"]] == ["win", "mac"]
    whole = asked(tmp_path / "2", SHOP, of="attributes")
    assert {name: told[name] for name in whole} == whole


@pytest.mark.parametrize(("attribution", "plan"), [("first", "free"), ("last", "pro")])
def test_a_value_is_the_first_or_the_last_of_somebodys_steps(tmp_path, attribution, plan):
    rows = walk("ada", "a x b", None)
    rows[0]["plan"], rows[1]["plan"], rows[2]["plan"] = "free", "team", "pro"
    (group,) = asked(tmp_path, rows, by=("plan",), attribution=attribution)["breakdown"]
    assert group["key"] == {"plan": plan}
    assert group["summary"] == {"converted": 1, "not_converted": 0}


@pytest.mark.parametrize("attribution", ["all", "step:1"])
def test_where_somebody_may_have_several_values_it_is_refused(tmp_path, attribution):
    with pytest.raises(UsageError, match="take first or last"):
        asked(tmp_path, SHOP, by=("plan",), attribution=attribution)


def test_values_past_the_limit_are_one(tmp_path):
    rows = [row for n in range(6) for row in walk(f"u{n}", "a x b", f"p{n // 2}")]
    *_, rest = asked(tmp_path, rows, by=("plan", "user_id"), limit=2)["breakdown"]
    assert (rest["key"], rest["folded"]) == ({"plan": "", "user_id": ""}, True)
    assert rest["summary"] == {"converted": 4, "not_converted": 0}


PEOPLE = {"ada": "pro", "bob": "pro", "eve": None, "zoe": "free", "kim": "free", "joe": ""}
SOMEBODY = ("ada", 0, "y")  # so that there is a plan
EVENTS = st.lists(
    st.tuples(st.sampled_from(sorted(PEOPLE)), st.integers(0, 8), st.sampled_from("abxy")),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=max(1, cases(1_000) // 60))
@given(found=EVENTS, of=st.sampled_from(["events", "attributes"]))
def test_each_value_has_what_its_people_alone_would_have(tmp_path_factory, found, of):
    rows = [
        {"event_id": f"{at}", "event_time": NOON + minute * MINUTE, "event_name": name,
         "user_id": who, "plan": PEOPLE[who], "os": "mac" if at % 2 else "win"}
        for at, (who, minute, name) in enumerate([SOMEBODY, *found])
    ]  # fmt: skip
    root = tmp_path_factory.mktemp("d")
    told = asked(root, rows, by=("plan",), of=of)
    for group in told["breakdown"]:
        plan = group["key"]["plan"]
        mine = [row for row in rows if (row["plan"] or "") == plan]
        alone = asked(root / f"of {plan}", mine, of=of)
        alone["rows"] = [row for row in alone["rows"] if row.get("attribute") != "plan"]
        assert {name: group[name] for name in ("summary", "rows")} == alone
    sizes = [group["summary"] for group in told["breakdown"]]
    for name in ("converted", "not_converted"):
        assert sum(each[name] for each in sizes) == told["summary"][name]
