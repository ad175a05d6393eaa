"""The step matrix: rule by rule, and against a slow reference."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.breakdown import BrokenDown
from store.analytics.paths.step_matrix import StepMatrix, StepMatrixAnalysis
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import events_of, journeys, store_of
from tests.cases import cases
from tests.store.analytics.paths.path_reference import (
    ASKED,
    CROWD,
    by_value,
    crowds,
    sessions,
    slow_matrix,
    towns,
    with_ids,
)
from tests.store.analytics.paths.test_breakdown import PARTS, visit
from tests.store.analytics.paths.test_paths import at
from tests.store.analytics.pure import answer


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def matrix(root, *commits, **options):
    """{name: counts}, in order."""
    rows = asked(root, StepMatrix(**options), *commits)["rows"]
    return {row["event_name"]: row["counts"] for row in rows}


SHOP = journeys(ada="a b c", bob="a c", eve="x a b")


def test_who_is_where_at_each_step_and_who_has_ended_stays_there(tmp_path):
    assert matrix(tmp_path, SHOP) == {
        "a": [2, 1, 0, 0, 0],
        "b": [0, 1, 1, 0, 0],
        "c": [0, 1, 1, 0, 0],
        "x": [1, 0, 0, 0, 0],
        "path_end": [0, 0, 1, 3, 3],
    }


def test_every_step_has_all_of_them(tmp_path):
    people = {f"u{n}": f"a n{n % 7} b" + " c" * (n % 2) for n in range(49)}
    found = asked(tmp_path, StepMatrix(limit=3, depth=6), journeys(**people))
    assert found["summary"] == {"sessions": 49}
    rows = found["rows"]
    assert [row["event_name"] for row in rows][-2:] == ["… other", "path_end"]
    assert [row.get("folded", False) for row in rows] == [False, False, False, True, False]
    for step in range(6):
        assert sum(row["counts"][step] for row in rows) == 49
        assert sum(row["shares"][step] for row in rows) == pytest.approx(1)
        assert all(row["low"][step] < row["high"][step] for row in rows)


def test_from_a_start_the_first_step_is_its_first_and_who_lacks_it_vanishes(tmp_path):
    people = journeys(ada="x a b a", bob="x b", eve="a")
    found = matrix(tmp_path, people, from_="a", depth=3)
    assert found == {"a": [2, 0, 1], "b": [0, 1, 0], "path_end": [0, 1, 1]}


def test_up_to_an_end_the_last_step_is_its_first_and_who_began_late_is_at_the_start(tmp_path):
    people = journeys(ada="x y a b a", bob="a z", eve="q")
    found = matrix(tmp_path, people, to="a", depth=4)
    assert found == {
        "a": [0, 0, 0, 2],
        "x": [0, 1, 0, 0],
        "y": [0, 0, 1, 0],
        "path_start": [2, 1, 1, 0],
    }


def test_only_so_many_steps_before_an_end(tmp_path):
    assert matrix(tmp_path, journeys(ada="x y z a"), to="a", depth=2) == {
        "a": [0, 1],
        "z": [1, 0],
        "path_start": [0, 0],
    }


def test_a_repeated_name_is_one_step(tmp_path):
    found = matrix(tmp_path, journeys(ada="a a b", bob="a x a b"), without=("x",), depth=2)
    assert found == {"a": [2, 0], "b": [0, 2], "path_end": [0, 0]}


def test_a_silence_begins_another_row(tmp_path):
    found = matrix(tmp_path, at((0, "a"), (30, "b"), (60.1, "c")), depth=2)
    assert found == {"a": [1, 0], "b": [0, 1], "c": [1, 0], "path_end": [0, 1]}


def test_nothing_is_an_answer(tmp_path):
    none = {"summary": {"sessions": 0}, "rows": []}
    assert asked(tmp_path, StepMatrix(), events_of([{"event_name": "x"}])) == none
    assert asked(tmp_path / "2", StepMatrix(from_="zz"), journeys(ada="a")) == none


@pytest.mark.parametrize("depth", [0, -1, 10**9])
def test_steps_that_make_no_table_are_refused(tmp_path, depth):
    with pytest.raises(UsageError, match=r"depth: .* is no number of steps; write 1 to 500"):
        asked(tmp_path, StepMatrix(depth=depth), journeys(ada="a"))


def test_broken_down_each_value_has_its_own(tmp_path):
    people = (visit("ada", "pro", "a b"), visit("bob", "free", "a"), visit("eve", "pro", "b"))
    found = asked(tmp_path, StepMatrix(by=("plan",), depth=2, limit=1), *people)
    assert [(each["key"], each["summary"]) for each in found["breakdown"]] == [
        ({"plan": "pro"}, {"sessions": 2}),
        ({"plan": ""}, {"sessions": 1}),
    ]
    assert found["breakdown"][1]["folded"]


QUERIES = st.builds(
    StepMatrix,
    from_=st.sampled_from([None, "a"]),
    to=st.sampled_from([None, "b"]),
    depth=st.integers(1, 5),
    **ASKED,
)


def lines(table):
    return [(row.values["event_name"], row.values["counts"]) for row in table.rows]


@settings(deadline=None, max_examples=100)
@given(parts=towns(), query=QUERIES, seed=st.integers(0, 5))
def test_the_matrix_is_that_of_the_reference_however_events_are_split(parts, query, seed):
    check(with_ids(parts, seed), query)


@settings(deadline=None, max_examples=max(1, cases(1_000) // CROWD))
@given(parts=crowds(), query=QUERIES, seed=st.integers(0, 5))
def test_and_so_it_is_of_a_crowd(parts, query, seed):
    check(with_ids(parts, seed), query)


def check(parts, query):
    rows = [row for part in parts for row in part]
    result = answer(StepMatrixAnalysis(), query, parts).result
    assert lines(result) == slow_matrix(sessions(rows, query.span, query), query)


@settings(deadline=None, max_examples=cases(1_000) // 10)
@given(
    parts=PARTS,
    query=st.builds(StepMatrix, by=st.just(("plan",)), depth=st.integers(1, 3), **ASKED),
    seed=st.integers(0, 5),
)
def test_and_so_it_is_value_by_value(parts, query, seed):
    parts = with_ids(parts, seed)
    walks = by_value([row for part in parts for row in part], query)
    result = answer(StepMatrixAnalysis(), query, parts).result
    assert isinstance(result, BrokenDown)
    told = {None if g.folded else (g.key["plan"],): lines(g.table) for g in result.groups}
    assert told == {values: slow_matrix(each, query) for values, each in walks.items()}
