"""Journeys as a tree, and the sessions behind a branch: rule by rule, and against a slow reference."""

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.paths.journeys import Journeys, JourneysAnalysis
from store.analytics.paths.ways import way_of_text
from store.analytics.paths.went import Went
from store.analytics.query_json import answer_json, query_json, query_of_json
from store.errors import UsageError
from store.testing import NOON, events_of, journeys, store_of
from tests.store.analytics.paths.path_reference import PARTS, SPANS, sessions, with_ids
from tests.store.analytics.paths.test_paths import at
from tests.store.analytics.pure import answer

END, START, OTHER = "… end", "… start", "… other"


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def tree(root, *commits, **options):
    """{way: {to: count}}"""
    found = defaultdict(dict)
    for row in asked(root, Journeys(**options), *commits)["rows"]:
        found[" ".join(row["path"])][row["to"]] = row["count"]
    return dict(found)


def test_without_a_start_the_first_step_is_what_sessions_start_with(tmp_path):
    found = tree(tmp_path, journeys(ada="a b", bob="a c", eve="b"), unfold=(("a",),))
    assert found == {"": {"a": 2, "b": 1}, "a": {"b": 1, "c": 1}}


def test_a_session_that_goes_no_further_ended_there(tmp_path):
    assert tree(tmp_path, journeys(ada="a b", bob="b"), from_="b") == {"": {END: 2}}


def test_from_a_name_each_session_counts_from_the_first_such_event(tmp_path):
    found = tree(tmp_path, journeys(ada="x a b a c", bob="x b"), from_="a", unfold=(("b", "a"),))
    assert found == {"": {"b": 1}, "b": {"a": 1}, "b a": {"c": 1}}


def test_backwards_the_steps_are_those_before_and_the_end_is_a_beginning(tmp_path):
    commits = journeys(ada="x a b", bob="a b", eve="b")
    found = tree(tmp_path, commits, from_="b", backwards=True, unfold=(("a",),))
    assert found == {"": {"a": 2, START: 1}, "a": {"x": 1, START: 1}}
    found = tree(tmp_path / "2", commits, backwards=True)
    assert found == {"": {"b": 3}}


def test_rarer_names_are_other_and_each_node_adds_up_to_what_came_in(tmp_path):
    people = {f"u{n}": f"a n{n % 7} b" if n % 3 else "a" for n in range(49)}
    store = store_of(tmp_path / "s", journeys(**people))
    rows = store.run(Journeys(limit=2, unfold=(("a",), ("a", "n6")))).result.rows
    of_a = [row for row in rows if row.values["path"] == ["a"]]
    assert [row.values["to"] for row in of_a][2:] == ["n6", OTHER, END]
    assert sum(row.values["count"] for row in of_a) == 49
    other = of_a[-2]
    assert other.folded
    assert other.values["names"] == 4
    assert sum(row.values["share"] for row in of_a) == pytest.approx(1)
    assert sum(row.values["share_of_all"] for row in of_a) == pytest.approx(1)


def test_names_that_many_go_to_unfold_by_themselves_down_to_a_depth(tmp_path):
    people = journeys(ada="a b c d", bob="a b c d", eve="a x y", joe="a b c e")
    found = tree(tmp_path, people, unfold_above=0.5, depth=3)
    assert found == {"": {"a": 4}, "a": {"b": 3, "x": 1}, "a b": {"c": 3}}
    found = tree(tmp_path / "2", people, unfold_above=0.5, depth=9, unfold=(("a", "x"),))
    assert found["a x"] == {"y": 1}
    assert found["a b c"] == {"d": 2, "e": 1}
    assert found["a b c d"] == {END: 2}


def test_passages_and_people_are_counted_and_the_time_between(tmp_path):
    rows = at((0, "a"), (1, "b"), (100, "a"), (103, "b"))
    found = asked(tmp_path, Journeys(from_="a"), rows, at((0, "a"), (4, "b"), user="bob"))
    (row,) = found["rows"]
    assert (row["to"], row["count"], row["users"]) == ("b", 3, 2)
    assert (row["mean_seconds"], row["median_seconds"]) == (160, 180)
    assert row["low"] < row["share"] == row["high"] == 1
    assert found["summary"] == {"from": "a", "count": 3, "users": 2, "sessions": 3}


def test_nothing_is_an_answer(tmp_path):
    nothing = asked(tmp_path, Journeys(unfold=(("a", "b"),)), events_of([{"event_name": "x"}]))
    assert nothing["rows"] == []
    assert nothing["summary"]["sessions"] == 0


def test_a_way_is_read_from_a_text_and_from_json():
    assert way_of_text("search > signup ▸ pay") == ("search", "signup", "pay")
    with pytest.raises(UsageError, match="a name is missing"):
        way_of_text("search > > pay")
    query = Journeys(unfold=(("a", "b"), ("c",)), from_="x")
    assert query_of_json(Journeys, query_json(query), now=NOON) == query


def went(root, *way, **options):
    people = journeys(ada="x a b c", bob="a b", eve="a c", joe="b a c a b")
    result = asked(root, Went(way=way, **options), people)
    return sorted(row["user_id"] for row in result["rows"]), result["summary"]


def test_the_sessions_of_a_branch_are_those_that_went_so(tmp_path):
    assert went(tmp_path, "b", from_="a")[0] == ["ada", "bob"]
    assert went(tmp_path / "2", "b", END, from_="a")[0] == ["bob"]
    assert went(tmp_path / "3", "a", START, from_="b", backwards=True)[0] == ["bob"]
    users, summary = went(tmp_path / "4", "a")
    assert users == ["bob", "eve"]
    assert (summary["sessions"], summary["went"], summary["events_per_session"]) == (2, 2, 2)


def test_the_sessions_of_a_branch_are_told_apart_by_id_and_by_start(tmp_path):
    rows = [
        *({"event_name": name, "session_id": "s1", "user_id": "ada"} for name in "ab"),
        *({"event_name": name, "session_id": "s2", "user_id": "ada"} for name in "ac"),
    ]
    same = events_of({"event_time": NOON + n % 2 * timedelta(minutes=1), **row}
                     for n, row in enumerate(rows))  # fmt: skip
    found = asked(tmp_path, Went(way=("a", "b")), same)["rows"]
    assert [(row["session_id"], row["events"]) for row in found] == [("s1", 2)]


def slow_tree(walks, query):
    """{(way, to): (count, people)}, a session and a step at a time."""
    found = defaultdict(list)
    for walk in walks:
        names = [name for name, _, _ in walk]
        if query.from_ not in (None, *names):
            continue
        begin = names.index(query.from_) if query.from_ else -1
        after = names[begin + 1 :]
        if query.backwards:
            after = names[:begin][::-1] if query.from_ else names[::-1]
        for depth in range(len(after) + 1):
            way = tuple(after[:depth])
            if not way or any(way == unfolded[:depth] for unfolded in query.unfold):
                end = START if query.backwards else END
                found[way, after[depth] if depth < len(after) else end].append(walk[0][2])
    return {key: (len(who), len({w for w in who if w})) for key, who in found.items()}


WAYS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), max_size=3)
QUERIES = st.builds(
    Journeys,
    span=SPANS,
    from_=st.sampled_from([None, "a"]),
    backwards=st.booleans(),
    unfold=WAYS.map(tuple),
)


@settings(deadline=None, max_examples=300)
@given(parts=PARTS, query=QUERIES, seed=st.integers(0, 5))
def test_journeys_are_those_of_the_reference_however_events_are_split(parts, query, seed):
    parts = with_ids(parts, seed)
    rows = [row for part in parts for row in part]
    found = answer(JourneysAnalysis(), query, parts).result.rows
    values = [row.values for row in found]
    told = {(tuple(v["path"]), v["to"]): (v["count"], v["users"]) for v in values}
    assert told == slow_tree(sessions(rows, query.span), query)
    assert max(Counter((tuple(v["path"]), v["to"]) for v in values).values(), default=1) == 1
