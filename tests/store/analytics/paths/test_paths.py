"""Paths, transitions and drop-off: rule by rule, and against a slow reference."""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import groupby, pairwise
from statistics import mean, median

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
from tests.store.analytics.pure import answer
from tests.store.analytics.reference import links, same

MINUTE = timedelta(minutes=1)
GAP = 30 * MINUTE


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def paths(root, *commits, **options):
    """(depth, from, to, count) of each edge, and the paths."""
    found = asked(root, Paths(**options), *commits)
    edges = [
        tuple(edge[name] for name in ("depth", "from", "to", "count")) for edge in found["edges"]
    ]
    return edges, [(*path["path"], path["count"]) for path in found["paths"]]


def at(*minutes_and_names, user="ada"):
    return events_of(
        {
            "event_id": f"{user}{n}",
            "event_time": NOON + minute * MINUTE,
            "event_name": name,
            "user_id": user,
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


def test_both_a_start_and_an_end(tmp_path):
    _, found = paths(tmp_path, journeys(ada="x a y b z", bob="b a"), from_="a", to="b")
    assert found == [("a", "y", "b", 1)]


def test_what_is_left_out_is_removed_before_repeats_are_joined(tmp_path):
    assert paths(tmp_path, journeys(ada="a x a b"), without=("x",))[1] == [("a", "b", 1)]
    assert paths(tmp_path / "2", journeys(ada="a x a b"), only=("a", "b"))[1] == [("a", "b", 1)]


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


def sessions(rows, span):
    """Lists of (name, time of the last repeat, who), session by session."""
    linked, lists = links(rows), defaultdict(list)
    for row in rows:
        who = row["user_id"] or linked.get(row["install_id"]) or row["install_id"]
        if row["session_id"] or who:
            key = ("id", row["session_id"]) if row["session_id"] else ("who", who)
            lists[key].append((row["event_time"], row["event_id"], row["event_name"], who))
    for (kind, _), events in lists.items():
        events.sort(key=lambda event: event[:2])
        parts = [[events[0]]]
        for before, event in pairwise(events):
            if kind == "who" and event[0] - before[0] > GAP:
                parts.append([])
            parts[-1].append(event)
        for part in parts:
            if span.start <= part[0][0] < span.end:
                who = next((event[3] for event in part if event[3]), None)
                runs = [list(run) for _, run in groupby(part, key=lambda event: event[2])]
                yield [(run[-1][2], run[-1][0], who) for run in runs]


def kept(nodes, query):
    """From the start to the end that were asked for; nothing without them."""
    names = [name for name, _, _ in nodes]
    begin = names.index(query.from_) if query.from_ in names else 0
    if query.from_ not in (None, *names) or query.to not in (None, *names[begin:]):
        return []
    if query.to is None:
        return nodes[begin:]
    return nodes[begin : names.index(query.to, begin) + 1][-query.depth :]


def slow_edges(rows, query):
    """{(depth, from, to): (count, users, mean, median)}, a session and an edge at a time."""
    found = defaultdict(list)
    for walk in sessions(rows, query.span):
        nodes = kept(walk, query)
        for depth, (name, time, who) in enumerate(nodes[: query.depth], 1):
            if depth < len(nodes):
                after = nodes[depth]
                to = after[0] if depth < query.depth else "… other"
                found[depth, name, to].append((who, (after[1] - time).total_seconds()))
            elif query.to is None:
                found[depth, name, "… end"].append((who, None))
    return {
        edge: (
            len(passed),
            len({who for who, _ in passed if who}),
            *((None, None) if edge[2] == "… end" else
              (f([seconds for _, seconds in passed]) for f in (mean, median))),
        )
        for edge, passed in found.items()
    }  # fmt: skip


ROWS = st.fixed_dictionaries(
    {
        # Ties and silences of exactly the gap are common.
        "event_time": st.integers(0, 40).map(lambda at: NOON + at * GAP / 5),
        "event_name": st.sampled_from("abc"),
        "user_id": st.sampled_from([None, "ada", "bob"]),
        "install_id": st.sampled_from([None, "phone"]),
        "session_id": st.sampled_from([None, None, None, "s1", "s2"]),
    }
)
PARTS = st.lists(st.lists(ROWS, min_size=1, max_size=12), min_size=1, max_size=5)
SPANS = st.tuples(st.integers(0, 40), st.integers(1, 70)).map(
    lambda at: TimeSpan(NOON + at[0] * GAP / 7, NOON + sum(at) * GAP / 7)
)
QUERIES = st.builds(
    Paths,
    span=SPANS,
    from_=st.sampled_from([None, "a"]),
    to=st.sampled_from([None, "b"]),
    depth=st.integers(1, 4),
)


def with_ids(parts, seed):
    """Ids in an order that is not that of arrival."""
    count = sum(map(len, parts))
    ids = iter(sorted(range(count), key=lambda n: hash((seed, n))))
    return [[{**row, "event_id": f"{next(ids):03}"} for row in part] for part in parts]


@settings(deadline=None, max_examples=cases(1_000))
@given(parts=PARTS, query=QUERIES, seed=st.integers(0, 5))
def test_paths_are_those_of_the_reference_however_events_are_split(parts, query, seed):
    parts = with_ids(parts, seed)
    found = answer(PathsAnalysis(), query, parts).result.rows
    told = {
        (each["depth"], each["from"], each["to"]): (
            *(each[name] for name in ("count", "users", "mean_seconds", "median_seconds")),
        )
        for each in (row.values for row in found)
    }
    wanted = slow_edges([row for part in parts for row in part], query)
    assert told.keys() == wanted.keys()
    assert all(same(list(told[edge]), list(wanted[edge])) for edge in told)


@settings(deadline=None, max_examples=cases(1_000) // 4)
@given(parts=PARTS, span=SPANS, seed=st.integers(0, 5))
def test_transitions_and_drop_off_are_those_of_the_reference(parts, span, seed):
    parts = with_ids(parts, seed)
    walks = list(sessions([row for part in parts for row in part], span))
    names = [["path_start", *(name for name, _, _ in walk), "path_end"] for walk in walks]
    found = answer(TransitionsAnalysis(), Transitions(span=span, limit=99), parts).result.rows
    counts = {(r.values["from"], r.values["to"]): r.values["count"] for r in found}
    assert counts == Counter(pair for walk in names for pair in pairwise(walk))
    lasts = answer(DropOffAnalysis(), DropOff(span=span), parts).result.rows
    assert {r.values["event_name"]: r.values["count"] for r in lasts} == Counter(
        walk[-2] for walk in names
    )
