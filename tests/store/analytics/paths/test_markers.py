"""Events that are called as a marker is: neither is taken for the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.journeys import Journeys
from store.analytics.paths.markers import MARKERS, event_named, told_name
from store.analytics.paths.paths import Paths
from store.analytics.paths.step_matrix import StepMatrix
from store.analytics.paths.transitions import Transitions
from store.analytics.paths.went import Went
from store.analytics.query_json import answer_json
from store.testing import store_of
from tests.store.analytics.paths.test_paths import at

END, OTHER = "… end", "… other"


def asked(root, query, *commits):
    return answer_json(store_of(root / "s", *commits).run(query))["result"]


def edges(found, *names):
    return sorted(tuple(row[name] for name in (*names, "count")) for row in found)


def test_an_event_called_as_an_end_is_told_in_quotes(tmp_path):
    rows = (at((0, "a"), (1, END)), at((0, "a"), user="bob"))
    found = asked(tmp_path, Paths(), *rows)
    assert edges(found["edges"], "from", "to") == [
        ('"… end"', END, 1),
        ("a", '"… end"', 1),
        ("a", END, 1),
    ]
    assert edges(found["paths"], "path") == [(["a"], 1), (["a", '"… end"'], 1)]


def test_transitions_of_an_event_called_as_their_end_stay_apart_from_it(tmp_path):
    found = asked(tmp_path, Transitions(), at((0, "path_start"), (1, "path_end"), (2, "a")))
    assert edges(found["rows"], "from", "to") == [
        ('"path_end"', "a", 1),
        ('"path_start"', '"path_end"', 1),
        ("a", "path_end", 1),
        ("path_start", '"path_start"', 1),
    ]


def test_one_that_is_in_quotes_already_has_two_pairs(tmp_path):
    found = asked(tmp_path, DropOff(), at((0, END)), at((0, f'"{END}"'), user="bob"))
    assert edges(found["rows"], "event_name") == [('""… end""', 1), ('"… end"', 1)]


def test_an_event_called_other_is_not_folded(tmp_path):
    commits = [at((0, OTHER), user=f"u{n}") for n in range(3)]
    commits += [at((0, "b"), user="x"), at((0, "c"), user="y")]
    found = asked(tmp_path, StepMatrix(limit=1, depth=1), *commits)
    told = [(row["event_name"], row["counts"], row.get("folded")) for row in found["rows"]]
    assert told == [('"… other"', [3], None), (OTHER, [2], True), ("path_end", [0], None)]
    rows = asked(tmp_path / "2", Journeys(limit=1), *commits)["rows"]
    told = [(row["to"], row["count"], row.get("folded")) for row in rows]
    assert told == [('"… other"', 3, None), (OTHER, 2, True)]


def test_a_start_or_an_end_that_is_asked_for_is_an_event(tmp_path):
    rows = at((0, "x"), (1, END), (2, "a"), (3, "path_end"), (4, "b"))
    found = asked(tmp_path, Paths(from_=END, to="path_end"), rows)
    assert [path["path"] for path in found["paths"]] == [['"… end"', "a", '"path_end"']]
    assert asked(tmp_path / "2", Journeys(from_=END), rows)["rows"][0]["to"] == "a"
    left = asked(tmp_path / "3", Paths(without=(END,)), rows)["paths"]
    assert left[0]["path"] == ["x", "a", '"path_end"', "b"]


def test_a_way_tells_the_end_from_the_event(tmp_path):
    commits = (at((0, "a"), (1, END), (2, "b")), at((0, "a"), user="bob"))
    for number, (way, who) in enumerate([(("a", END), "bob"), (("a", '"… end"'), "ada")]):
        rows = asked(tmp_path / str(number), Went(way=way), *commits)["rows"]
        assert [row["user_id"] for row in rows] == [who]


@pytest.mark.parametrize("marker", sorted(MARKERS))
def test_a_marker_is_no_event(marker):
    assert event_named(marker) is None


PIECES = st.lists(st.sampled_from(['"', "x", *sorted(MARKERS)]), max_size=4).map("".join)


@given(name=PIECES, other=PIECES)
def test_every_name_comes_back_and_none_is_told_as_a_marker_or_as_another(name, other):
    assert event_named(told_name(name)) == name
    assert told_name(name) not in MARKERS
    assert (told_name(name) == told_name(other)) == (name == other)
