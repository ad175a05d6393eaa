"""Sessions by the values of attributes: rule by rule, and against a slow reference."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.went import Went
from store.analytics.query_json import answer_json
from store.analytics.sessions.analysis import Sessions, SessionsAnalysis
from store.testing import events_of, store_of
from tests.cases import cases
from tests.store.analytics.paths.path_reference import split, values_of, with_ids
from tests.store.analytics.pure import answer
from tests.store.analytics.sessions.test_sessions import ROWS, SPAN, event


def asked(root, query, *rows):
    return answer_json(store_of(root / "s", events_of(rows)).run(query))["result"]


SHOP = [
    event(0, "ada"),
    event(2, "ada", plan="pro", severity=17),
    event(3, "ada", plan="free"),
    event(90, "ada", plan="free"),
    event(1, "bob", plan="pro"),
    event(5, "eve"),
]


@pytest.mark.parametrize("sort", ["start", "events"])
def test_each_value_has_its_summary_and_each_session_its_values(tmp_path, sort):
    told = asked(tmp_path, Sessions(by=("plan",), sort=sort), *SHOP)
    (pro, none, free) = told["breakdown"]
    assert [group["key"] for group in (pro, none, free)] == [
        {"plan": "pro"},
        {"plan": ""},
        {"plan": "free"},
    ]
    assert pro["summary"] == {
        "sessions": 2,
        "mean_seconds": 90.0,
        "median_seconds": 180.0,
        "events_per_session": 2.0,
        "with_errors": 1,
        "bounced": 1,
    }
    assert {(row["user_id"], row["key"]["plan"]) for row in told["rows"]} == {
        ("ada", "pro"),
        ("ada", "free"),
        ("bob", "pro"),
        ("eve", ""),
    }
    plain = asked(tmp_path / "2", Sessions(sort=sort), *SHOP)
    assert told["summary"] == plain["summary"]
    assert [{**row, "key": None} for row in told["rows"]] == [
        {**row, "key": None} for row in plain["rows"]
    ]


def test_values_past_the_limit_are_one(tmp_path):
    rows = [event(n, f"u{n}", plan=f"p{n // 2}") for n in range(7)]
    told = asked(tmp_path, Sessions(by=("plan", "user_id"), limit=2), *rows)["breakdown"]
    assert told[0]["key"] == {"plan": "p0", "user_id": "u0"}
    assert told[-1]["key"] == {"plan": "", "user_id": ""}
    assert (told[-1]["folded"], told[-1]["summary"]["sessions"]) == (True, 5)


def test_an_attribute_that_is_named_twice_is_named_once(tmp_path):
    told = asked(tmp_path, Sessions(by=("plan", "plan")), *SHOP)
    assert told["breakdown"][0]["key"] == {"plan": "pro"}
    assert told["rows"][0]["key"] == {"plan": "free"}


def test_of_values_at_one_instant_the_one_of_the_least_id_is_first(tmp_path):
    rows = [event(0, "ada", event_id=i, plan=p) for i, p in (("2", "b"), ("1", "c"), ("3", "a"))]
    for number, order in enumerate((rows, rows[::-1])):
        store = store_of(tmp_path / str(number), *(events_of([row]) for row in order))
        for query in (Sessions(by=("plan",)), DropOff(by=("plan",))):
            (group,) = answer_json(store.run(query))["result"]["breakdown"]
            assert group["key"] == {"plan": "c"}


def test_who_went_some_way_is_broken_down_as_sessions_are(tmp_path):
    rows = [{**row, "event_name": "ab"[at % 2]} for at, row in enumerate(SHOP)]
    told = asked(tmp_path, Went(way=("a",), by=("plan",)), *rows)
    assert told["summary"]["went"] == sum(
        group["summary"]["sessions"] for group in told["breakdown"]
    )
    assert all("plan" in row["key"] for row in told["rows"])


def test_a_span_without_a_session_is_an_answer(tmp_path):
    assert asked(tmp_path, Sessions(by=("plan",)), event(0, plan="x"))["breakdown"] == []


VALUED = st.builds(
    lambda row, more: {**row, **more, "event_name": "a"},
    ROWS,
    st.fixed_dictionaries(
        {
            "plan": st.sampled_from([None, "", "pro", "free"]),
            "seats": st.sampled_from([None, 1.0, 2.5]),
        }
    ),
)
PARTS = st.lists(st.lists(VALUED, min_size=1, max_size=12), min_size=1, max_size=5)


@settings(deadline=None, max_examples=cases(1_000) // 8)
@given(
    parts=PARTS,
    span=SPAN,
    by=st.sampled_from([("plan",), ("plan", "seats")]),
    sort=st.sampled_from(["start", "events"]),
    limit=st.sampled_from([1, 2, 99]),
    seed=st.integers(0, 5),
)
def test_they_are_those_of_the_reference_however_events_are_split(
    parts, span, by, sort, limit, seed
):
    parts = with_ids(parts, seed)
    query = Sessions(span=span, by=by, sort=sort, limit=limit)
    wanted = defaultdict(list)
    for session in split([row for part in parts for row in part], span):
        wanted[values_of(session, by)].append(len(session))
    order = sorted(wanted, key=lambda values: (-len(wanted[values]), values))
    told = SessionsAnalysis().as_json(answer(SessionsAnalysis(), query, parts).result)
    found = [
        (tuple(group["key"].values()), group["summary"]["sessions"],
         group["summary"]["events_per_session"], group.get("folded", False))
        for group in told["breakdown"]
    ]  # fmt: skip
    counts = [(values, wanted[values], False) for values in order[:limit]]
    rest = [count for values in order[limit:] for count in wanted[values]]
    counts += [(("",) * len(by), rest, True)] if rest else []
    assert found == [
        (values, len(each), sum(each) / len(each), folded) for values, each, folded in counts
    ]
    shown = sorted((*row["key"].values(), row["events"]) for row in told["rows"])
    every = sorted((*values, count) for values, each in wanted.items() for count in each)
    assert shown == every if limit == 99 else set(shown) <= set(every)
