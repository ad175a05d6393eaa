"""Paths, transitions and drop-off: rule by rule, and against a slow reference."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.paths.drop_off import DropOff, DropOffAnalysis
from store.analytics.paths.paths import Paths, PathsAnalysis
from store.analytics.paths.transitions import Transitions, TransitionsAnalysis
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import NOON, events_of, journeys, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.paths.path_reference import (
    ASKED,
    CROWD,
    GAP,
    QUERIES,
    crowds,
    sessions,
    slow_edges,
    slow_paths,
    towns,
    with_ids,
)
from tests.store.analytics.pure import answer
from tests.store.analytics.reference import same

MINUTE = timedelta(minutes=1)


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def paths(root, *commits, **options):
    """(depth, from, to, count) of each edge, and the paths."""
    found = asked(root, Paths(**options), *commits)
    edges = [
        tuple(edge[name] for name in ("depth", "from", "to", "count")) for edge in found["edges"]
    ]
    return edges, [(*path["path"], path["count"]) for path in found["paths"]]


def at(*minutes_and_names, user="ada", **more):
    return events_of(
        {
            "event_id": f"{user}{n}",
            "event_time": NOON + minute * MINUTE,
            "event_name": name,
            "user_id": user,
            **more,
        }
        for n, (minute, name) in enumerate(minutes_and_names)
    )


def test_edges_go_from_node_to_node_and_to_the_end(tmp_path):
    assert paths(tmp_path, journeys(ada="a b c", bob="a c", eve="a b")) == (
        [
            *[(1, "a", "b", 2), (1, "a", "c", 1)],
            *[(2, "b", "c", 1), (2, "b", "… end", 1), (2, "c", "… end", 1)],
            (3, "c", "… end", 1),
        ],
        [("a", "b", 1), ("a", "b", "c", 1), ("a", "c", 1)],
    )


def test_a_repeated_name_is_one_node_with_the_time_of_the_last(tmp_path):
    found = asked(tmp_path, Paths(), at((0, "a"), (5, "a"), (7, "b")))
    first = found["edges"][0]
    assert (first["from"], first["to"], first["mean_seconds"]) == ("a", "b", 120)
    assert found["paths"] == [{"path": ["a", "b"], "count": 1}]


def test_a_silence_begins_another_path(tmp_path):
    _, found = paths(tmp_path, at((0, "a"), (30, "b"), (60.1, "c")))
    assert found == [("a", "b", 1), ("c", 1)]


def test_after_the_last_node_there_is_the_end_or_other(tmp_path):
    edges, found = paths(tmp_path, journeys(ada="a b c", bob="a b"), depth=2)
    assert edges == [(1, "a", "b", 2), (2, "b", "… end", 1), (2, "b", "… other", 1)]
    assert found == [("a", "b", 2)]


def test_from_a_start_what_was_before_is_cut_and_who_lacks_it_vanishes(tmp_path):
    commits = journeys(ada="x a b a c", bob="x b")
    edges, found = paths(tmp_path, commits, from_="a")
    assert found == [("a", "b", "a", "c", 1)]
    assert edges[0] == (1, "a", "b", 1)


def test_up_to_an_end_the_last_nodes_before_its_first_occurrence_stay(tmp_path):
    edges, found = paths(tmp_path, journeys(ada="x y z a b a", bob="x y"), to="a", depth=3)
    assert found == [("y", "z", "a", 1)]
    assert edges == [(1, "y", "z", 1), (2, "z", "a", 1)]


def test_a_filter_on_the_start_or_the_end_is_about_these_alone(tmp_path):
    rows = [
        {"event_time": NOON + n * MINUTE, "event_name": name, "plan": plan, "user_id": "ada"}
        for n, (name, plan) in enumerate(
            [("a", "free"), ("b", None), ("a", "free"), ("a", "pro"), ("c", None), ("b", "pro")]
        )
    ]
    events = (events_of(rows), journeys(bob="a b"))
    _, found = paths(tmp_path, *events, from_="a where plan=pro")
    assert found == [("a", "c", "b", 1)]
    _, found = paths(tmp_path / "2", *events, to={"name": "b", "where": {"plan": "pro"}})
    assert found == [("a", "b", "a", "c", "b", 1)]
    _, found = paths(tmp_path / "3", *events, from_="b", to="* where plan=pro")
    assert found == [("b", "a", 1)]
    _, found = paths(tmp_path / "4", *events, from_="* where plan=pro", to="b")
    assert found == [("a", "c", "b", 1)]


@pytest.mark.parametrize("seed", range(3))
def test_a_filtered_start_is_the_same_in_any_order_and_in_any_parts(tmp_path, seed):
    dice = Random(seed)
    rows = [
        {
            "event_id": f"e{n:03}",
            "event_time": NOON + dice.randint(0, 9) * MINUTE,
            "event_name": dice.choice("abc"),
            "plan": dice.choice(["pro", "free"]),
            "user_id": dice.choice(["ada", "bob", "eve"]),
        }
        for n in range(60)
    ]
    query = Paths(from_="a where plan=pro", to="c where plan=free", depth=9)
    whole = asked(tmp_path, query, events_of(rows))
    dice.shuffle(rows)
    parts = [events_of(rows[at::4]) for at in range(4)]
    assert whole["paths"]
    assert asked(tmp_path / "2", query, *parts) == whole


def test_both_a_start_and_an_end(tmp_path):
    _, found = paths(tmp_path, journeys(ada="x a y b z", bob="b a"), from_="a", to="b")
    assert found == [("a", "y", "b", 1)]


def test_what_is_left_out_is_removed_before_repeats_are_joined(tmp_path):
    assert paths(tmp_path, journeys(ada="a x a b"), without=("x",))[1] == [("a", "b", 1)]
    assert paths(tmp_path / "2", journeys(ada="a x a b"), only=("a", "b"))[1] == [("a", "b", 1)]


def test_what_is_left_out_still_holds_its_session_together(tmp_path):
    """Sessions are split first: what is shown of them tells nothing of when they began or ended."""
    rows = at((0, "x"), (20, "a"), (40, "x"), (60, "b"))
    for asked_ in ({"without": ("x",)}, {"only": ("a", "b")}):
        root = tmp_path / next(iter(asked_))
        assert paths(root, rows, **asked_)[1] == [("a", "b", 1)]
        later = TimeSpan(NOON + 10 * MINUTE, NOON + 90 * MINUTE)
        assert paths(root / "later", rows, span=later, **asked_)[1] == []


def test_at_one_instant_events_follow_each_other_by_id(tmp_path):
    rows = [
        {"event_id": id_, "event_time": NOON, "event_name": name, "user_id": "ada"}
        for id_, name in (("3", "c"), ("1", "a"), ("2", "b"))
    ]
    _, found = paths(tmp_path, *(events_of([row]) for row in rows))
    assert found == [("a", "b", "c", 1)]


def test_rarer_nodes_are_other_and_each_column_sums_to_the_one_before(tmp_path):
    people = {f"u{n}": f"a n{n % 7} b" for n in range(49)}
    edges, found = paths(tmp_path, journeys(**people), limit=2)
    into, out = Counter(), Counter()
    for depth, start, end, count in edges:
        out[depth, start] += count
        into[depth + 1, end] += count
    assert {node for depth, node in into if depth == 2} == {"n0", "n1", "… other"}
    assert all(into[depth, node] == count for (depth, node), count in out.items() if depth > 1)
    assert (sum(path[-1] for path in found), found[-1]) == (49, ("… other", 35))


def test_how_many_names_a_step_has_is_apart_from_how_many_paths_are_told(tmp_path):
    people = {f"u{n}": f"a n{n % 7} b" for n in range(49)}
    edges, found = paths(tmp_path, journeys(**people), per_step=1, limit=3)
    assert {end for depth, _, end, _ in edges if depth == 1} == {"n0", "… other"}
    assert [path[1] for path in found] == ["n0", "n1", "n2", 28]


def test_passages_are_counted_and_so_are_the_people(tmp_path):
    rows = at((0, "a"), (1, "b"), (100, "a"), (101, "b"))
    edge = asked(tmp_path, Paths(), rows, at((0, "a"), (4, "b"), user="bob"))["edges"][0]
    assert (edge["count"], edge["users"]) == (3, 2)
    assert (edge["mean_seconds"], edge["median_seconds"]) == (120, 60)


def test_a_path_over_midnight_is_that_of_the_day_it_starts(tmp_path):
    midnight = NOON + timedelta(hours=12)
    store = store_of(tmp_path / "s", at((715, "a"), (725, "b")))
    for span, there in ((TimeSpan(NOON, midnight), 1), (TimeSpan(midnight, midnight + GAP), 0)):
        assert len(store.run(Paths(span=span)).result.summary["paths"]) == there


def test_transitions_have_a_start_and_an_end(tmp_path):
    rows = asked(tmp_path, Transitions(), journeys(ada="a b b a", bob="a"))["rows"]
    assert [tuple(row.values()) for row in rows] == [
        ("a", "path_end", 2, 2, 2 / 3),
        ("path_start", "a", 2, 2, 1.0),
        ("a", "b", 1, 1, 1 / 3),
        ("b", "a", 1, 1, 1.0),
    ]


def test_a_share_can_be_of_what_arrives(tmp_path):
    rows = asked(tmp_path, Transitions(share_of="to"), journeys(ada="a b b a", bob="a"))["rows"]
    shares = {(row["from"], row["to"]): row["share"] for row in rows}
    assert shares["path_start", "a"] == pytest.approx(2 / 3)
    assert shares["a", "path_end"] == 1


def test_past_the_limit_transitions_are_one_row(tmp_path):
    rows = asked(tmp_path, Transitions(limit=2), journeys(ada="a b c"))["rows"]
    assert (len(rows), rows[-1]["folded"], sum(row["count"] for row in rows)) == (3, True, 4)


def test_drop_off_is_the_last_thing_done_in_each_session(tmp_path):
    rows = at((0, "a"), (1, "b"), (100, "a"))
    found = asked(tmp_path, DropOff(), rows, at((0, "c"), user="bob"))["rows"]
    assert found == [
        {"event_name": name, "count": 1, "share": pytest.approx(1 / 3)} for name in "abc"
    ]
    per_user = asked(tmp_path / "2", DropOff(per="user_id"), rows, at((0, "c"), user="bob"))["rows"]
    assert [row["event_name"] for row in per_user] == ["a", "c"]


def test_nothing_is_an_answer(tmp_path):
    nothing = events_of([{"event_name": "x"}])
    assert asked(tmp_path, Paths(), nothing) == {"edges": [], "paths": []}
    assert asked(tmp_path / "2", Transitions(), nothing) == {"rows": []}
    assert asked(tmp_path / "3", DropOff(), nothing) == {"rows": []}


def test_a_path_without_a_node_is_refused(tmp_path):
    with pytest.raises(UsageError, match="depth"):
        asked(tmp_path, Paths(depth=0), journeys(ada="a"))
    with pytest.raises(UsageError, match="per step: 0 names tell nothing; write 1 or more"):
        asked(tmp_path / "2", Paths(per_step=0), journeys(ada="a"))


PASSAGES = st.builds(Transitions, share_of=st.sampled_from(["from", "to"]), **ASKED)


@settings(deadline=None, max_examples=100)
@given(parts=towns(), query=QUERIES, seed=st.integers(0, 5))
def test_paths_are_those_of_the_reference_however_events_are_split(parts, query, seed):
    check_paths(with_ids(parts, seed), query)


@settings(deadline=None, max_examples=max(1, cases(1_000) // CROWD))
@given(parts=crowds(), query=QUERIES, seed=st.integers(0, 5))
def test_and_so_they_are_of_a_crowd(parts, query, seed):
    check_paths(with_ids(parts, seed), query)


def check_paths(parts, query):
    result = answer(PathsAnalysis(), query, parts).result
    told = {
        (each["depth"], each["from"], each["to"]): (
            *(each[name] for name in ("count", "users", "mean_seconds", "median_seconds")),
        )
        for each in (row.values for row in result.rows)
    }
    rows = [row for part in parts for row in part]
    wanted = slow_edges(rows, query)
    assert told.keys() == wanted.keys()
    assert all(same(list(told[edge]), list(wanted[edge])) for edge in told)
    ways, rest = slow_paths(rows, query)
    listed = [(tuple(each["path"]), each["count"]) for each in result.summary["paths"]]
    assert listed == [*ways, *([(("… other",), rest)] if rest else [])]


@settings(deadline=None, max_examples=60)
@given(parts=towns(), query=PASSAGES, seed=st.integers(0, 5))
def test_transitions_and_drop_off_are_those_of_the_reference(parts, query, seed):
    check_transitions(with_ids(parts, seed), query)


@settings(deadline=None, max_examples=max(1, cases(1_000) // CROWD))
@given(parts=crowds(), query=PASSAGES, seed=st.integers(0, 5))
def test_and_so_these_are_of_a_crowd(parts, query, seed):
    check_transitions(with_ids(parts, seed), query)


def check_transitions(parts, query):
    walks = list(sessions([row for part in parts for row in part], query.span, query))
    names = [["path_start", *(name for name, _, _ in walk), "path_end"] for walk in walks]
    found = answer(TransitionsAnalysis(), query, parts).result.rows
    told = [tuple(row.values[name] for name in ("from", "to", "count", "share")) for row in found]
    counts = Counter(pair for walk in names for pair in pairwise(walk))
    of = Counter()
    for pair, count in counts.items():
        of[pair[query.share_of == "to"]] += count
    wanted = [(*pair, n, n / of[pair[query.share_of == "to"]]) for pair, n in counts.items()]
    wanted.sort(key=lambda row: (-row[2], *row[:2]))
    rest = sum(row[2] for row in wanted[query.limit :])
    folded = [("… other", "… other", rest, None)] if rest else []
    assert same([list(row) for row in told], [list(row) for row in wanted[: query.limit] + folded])
    asked = DropOff(**{name: getattr(query, name) for name in ASKED})
    lasts = answer(DropOffAnalysis(), asked, parts).result.rows
    ended = Counter(walk[-2] for walk in names)
    ordered = sorted(ended.items(), key=lambda each: (-each[1], each[0]))
    rest = sum(count for _, count in ordered[asked.limit :])
    told = [(row.values["event_name"], row.values["count"]) for row in lasts]
    assert told == ordered[: asked.limit] + ([("", rest)] if rest else [])
