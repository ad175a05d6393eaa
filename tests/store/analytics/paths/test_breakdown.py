"""What sessions do, value by value: rule by rule, and against the slow reference."""

from collections import Counter
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.breakdown import BrokenDown
from store.analytics.paths.drop_off import DropOff, DropOffAnalysis
from store.analytics.paths.journeys import Journeys, JourneysAnalysis
from store.analytics.paths.paths import Paths, PathsAnalysis
from store.analytics.paths.step_matrix import StepMatrix
from store.analytics.paths.transitions import Transitions, TransitionsAnalysis
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import NOON, events_of, journeys, store_of
from tests.cases import cases
from tests.store.analytics.paths.path_reference import (
    ASKED,
    ROWS,
    by_value,
    edges_of,
    sessions,
    with_ids,
)
from tests.store.analytics.paths.test_journeys import slow_tree
from tests.store.analytics.paths.test_paths import at
from tests.store.analytics.pure import answer
from tests.store.analytics.reference import same

ALL = [Paths, Transitions, DropOff, Journeys, StepMatrix]


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def visit(user, plan, names):
    return at(*enumerate(names.split()), user=user, plan=plan)


SHOP = (visit("ada", "pro", "a b"), visit("bob", "free", "a c"), visit("eve", "pro", "a c"))


@pytest.mark.parametrize("query_type", ALL)
def test_each_value_has_what_the_whole_has_and_the_whole_stays_as_it_is(tmp_path, query_type):
    pro = asked(tmp_path / "pro", query_type(), SHOP[0], SHOP[2])
    free = asked(tmp_path / "free", query_type(), SHOP[1])
    told = asked(tmp_path / "all", query_type(by=("plan",)), *SHOP)
    assert told.pop("breakdown") == [
        {"key": {"plan": "pro"}, **pro},
        {"key": {"plan": "free"}, **free},
    ]
    assert told == asked(tmp_path / "2", query_type(), *SHOP)


def test_a_session_has_the_first_value_that_is_given_in_it(tmp_path):
    rows = [
        {"plan": None, "user_id": "ada", "event_name": "a"},
        {"plan": "", "user_id": "ada", "event_name": "b", "country": "de"},
        {"plan": "free", "user_id": "ada", "event_name": "c", "country": "us"},
        {"plan": "pro", "user_id": "ada", "event_name": "d"},
        {"plan": None, "user_id": "bob", "event_name": "a"},
    ]
    told = asked(tmp_path, DropOff(by=("plan", "country")), events_of(rows))["breakdown"]
    assert [group["key"] for group in told] == [
        {"plan": "", "country": ""},
        {"plan": "free", "country": "de"},
    ]


def test_another_session_of_somebody_may_have_another_value(tmp_path):
    later = at((100, "a"), (101, "d"), plan="free").with_columns(event_id=pl.col("event_id") + "x")
    told = asked(tmp_path, Transitions(by=("plan",)), visit("ada", "pro", "a b"), later)
    of = {
        group["key"]["plan"]: {(row["from"], row["to"]) for row in group["rows"]}
        for group in told["breakdown"]
    }
    assert ("a", "b") in of["pro"]
    assert ("a", "d") in of["free"]
    assert not of["pro"] & of["free"] - {("path_start", "a")}


def test_values_at_one_instant_are_in_the_order_of_ids_whenever_they_came(tmp_path):
    rows = [
        {"event_id": id_, "event_time": NOON, "user_id": "ada", "plan": plan}
        for id_, plan in (("3", "c"), ("1", ""), ("2", "b"))
    ]
    for number, order in enumerate((rows, rows[::-1])):
        commits = [events_of([row]) for row in order]
        told = asked(tmp_path / str(number), DropOff(by=("plan",)), *commits)["breakdown"]
        assert [group["key"] for group in told] == [{"plan": "b"}]


@pytest.mark.parametrize("query_type", ALL)
def test_values_past_the_limit_are_one(tmp_path, query_type):
    commits = [visit(f"u{n}", f"p{n}" if n > 3 else "p0", "a") for n in range(9)]
    told = asked(tmp_path, query_type(by=("plan",), limit=2), *commits)["breakdown"]
    keys = [(group["key"], group.get("folded", False)) for group in told]
    assert keys == [({"plan": "p0"}, False), ({"plan": "p4"}, False), ({"plan": ""}, True)]
    rows = told[-1].get("rows") or told[-1]["edges"]
    assert (rows[0]["counts"][0] if "counts" in rows[0] else rows[-1]["count"]) == 4


def test_the_last_session_of_a_user_tells_under_which_value_he_dropped_off(tmp_path):
    later = at((100, "a"), (101, "d"), plan="free").with_columns(event_id=pl.col("event_id") + "x")
    query = DropOff(by=("plan",), per="user_id")
    told = asked(tmp_path, query, visit("ada", "pro", "a b"), later)
    assert [group["key"]["plan"] for group in told["breakdown"]] == ["free"]
    assert told["rows"] == told["breakdown"][0]["rows"]


def test_of_a_users_sessions_that_end_together_the_same_one_is_the_last(tmp_path):
    rows = [
        {"event_id": f"{n}", "event_time": NOON, "user_id": "ada", "session_id": f"s{n}",
         "event_name": name}
        for n, name in enumerate("abc")
    ]  # fmt: skip
    for number, order in enumerate((rows, rows[::-1], [rows[2], rows[0], rows[1]])):
        told = asked(tmp_path / str(number), DropOff(per="user_id"), events_of(order))
        assert [row["event_name"] for row in told["rows"]] == ["c"]


def test_an_attribute_that_nobody_sent_is_refused(tmp_path):
    with pytest.raises(UsageError, match="did you mean plan"):
        asked(tmp_path, Paths(by=("plam",)), *SHOP)


def test_nobody_is_no_value(tmp_path):
    nothing = journeys(ada="a").with_columns(plan=pl.lit("pro"), user_id=None, subject_hash=None)
    assert asked(tmp_path, Transitions(by=("plan",)), nothing) == {"rows": [], "breakdown": []}


VALUES = {
    "plan": st.sampled_from([None, "", "pro", "free"]),
    "seats": st.sampled_from([None, 1.0, 2.5]),
}
VALUED = st.builds(lambda row, more: {**row, **more}, ROWS, st.fixed_dictionaries(VALUES))
PARTS = st.lists(st.lists(VALUED, min_size=1, max_size=12), min_size=1, max_size=5)
QUERIES = st.builds(
    Paths,
    by=st.sampled_from([("plan",), ("plan", "seats")]),
    depth=st.integers(1, 3),
    **{**ASKED, "limit": st.sampled_from([99, 3, 1])},
)


def groups_of(analysis, query, parts, row_of):
    """{values: {row's name: its numbers}}"""
    result = answer(analysis, query, parts).result
    assert isinstance(result, BrokenDown)
    keys = [None if group.folded else tuple(group.key.values()) for group in result.groups]
    assert len(set(keys)) == len(keys)
    return {
        key: dict(row_of(row.values) for row in group.table.rows)
        for key, group in zip(keys, result.groups, strict=True)
    }


def edge(row):
    numbers = (row[name] for name in ("count", "users", "mean_seconds", "median_seconds"))
    return (row["depth"], row["from"], row["to"]), list(numbers)


@settings(deadline=None, max_examples=cases(1_000) // 8)
@given(parts=PARTS, query=QUERIES, seed=st.integers(0, 5))
def test_paths_by_value_are_those_of_the_reference(parts, query, seed):
    parts = with_ids(parts, seed)
    walks = by_value([row for part in parts for row in part], query)
    wanted = {values: edges_of(each, query) for values, each in walks.items()}
    told = groups_of(PathsAnalysis(), query, parts, edge)
    assert list(told) == list(wanted)
    for values, edges in told.items():
        assert edges.keys() == wanted[values].keys()
        assert all(same(numbers, list(wanted[values][name])) for name, numbers in edges.items())


@settings(deadline=None, max_examples=cases(1_000) // 10)
@given(parts=PARTS, query=QUERIES, seed=st.integers(0, 5))
def test_transitions_drop_off_and_journeys_by_value_are_those_of_the_reference(parts, query, seed):
    parts = with_ids(parts, seed)
    rows = [row for part in parts for row in part]
    common = {**{name: getattr(query, name) for name in ASKED}, "by": query.by, "limit": 99}
    walks = by_value(rows, Paths(**common))
    names = {
        values: [["path_start", *(name for name, _, _ in walk), "path_end"] for walk in each]
        for values, each in walks.items()
    }
    told = groups_of(
        TransitionsAnalysis(),
        Transitions(**common),
        parts,
        lambda row: ((row["from"], row["to"]), row["count"]),
    )
    assert told == {
        values: Counter(pair for walk in each for pair in pairwise(walk))
        for values, each in names.items()
    }
    lasts = groups_of(
        DropOffAnalysis(), DropOff(**common), parts, lambda row: (row["event_name"], row["count"])
    )
    assert lasts == {values: Counter(walk[-2] for walk in each) for values, each in names.items()}
    asked = Journeys(**common, unfold=(("a",),))
    trees = groups_of(
        JourneysAnalysis(),
        asked,
        parts,
        lambda row: ((tuple(row["path"]), row["to"]), (row["count"], row["users"])),
    )
    assert trees == {values: slow_tree(each, asked) for values, each in walks.items()}
    assert sum(map(len, walks.values())) == len(list(sessions(rows, query.span, query)))
