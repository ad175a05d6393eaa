"""Funnels over stores: devices, parts, merges, live edges, and what is asked beside them."""

import json
from datetime import timedelta

import pytest

from store.analytics.funnel.analysis import Funnel
from store.analytics.funnel.drivers import Drivers
from store.analytics.funnel.trend import FunnelTrend
from store.analytics.funnel.why import Why
from store.analytics.query_json import answer_json, query_json, query_of_json
from store.errors import UsageError
from store.maintenance.compaction import Compaction
from store.maintenance.maintainer import Maintainer
from store.parts.layout import StoreFolder
from store.settings import Settings
from store.testing import NOON, FrozenClock, events_of, journeys, store_of, write
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, at_minutes

LATER = FrozenClock(NOON + timedelta(days=9))
STEPS = ("a", "b", "c")


def result(store, query):
    return answer_json(store.run(query))["result"]


def counts(store, query):
    return [step["count"] for step in result(store, query)["steps"]]


DEVICES = [
    {"event_name": "a", "install_id": "phone"},
    {"event_name": "login", "install_id": "phone", "user_id": "ada"},
    {"event_name": "b", "user_id": "ada"},
    {"event_name": "a", "install_id": "tv"},
    {"event_name": "b", "user_id": "bob"},
]


def test_what_a_device_did_its_user_did(tmp_path):
    store = store_of(tmp_path, *(events_of([{"event_id": f"e{n}", **row}]) for n, row in enumerate(DEVICES)), clock=LATER)  # fmt: skip
    linked = result(store, Funnel(steps=("a", "b"), users=True))
    assert [step["count"] for step in linked["steps"]] == [2, 1]
    assert {name: one["level"] for name, one in linked["users"].items()} == {"ada": 2, "tv": 1}
    assert counts(store, Funnel(steps=("a", "b"), link=False)) == [2, 0]


def test_parts_and_merges_change_nothing(tmp_path):
    events = journeys(ada="a b x c", bob="b a c b c", eve="c b a", zoe="a a b b c")
    questions = [
        Funnel(steps=STEPS, users=True),
        Funnel(steps=STEPS, order="strict", by=("event_name",), attribution="last"),
        Funnel(steps=STEPS, order="unordered", exclude=("x",)),
        FunnelTrend(steps=STEPS, interval=MINUTE),
        Drivers(steps=STEPS),
        Why(steps=STEPS, user="bob"),
    ]
    clock = FrozenClock(LATER.now)
    whole = store_of(tmp_path / "whole", events, clock=clock)
    split = store_of(tmp_path / "split", *(events[at : at + 1] for at in range(events.height)), clock=clock)  # fmt: skip
    expected = [result(whole, each) for each in questions]
    assert [result(split, each) for each in questions] == expected
    folder = StoreFolder.open(tmp_path / "split")
    with Maintainer(folder, Settings(store=folder.root), now=clock, eager=True) as maintainer:
        assert not maintainer.round((Compaction(),)).faults
    assert [result(split, each) for each in questions] == expected


@pytest.mark.parametrize("start", [-1, 0, 1, 2.5])
def test_a_span_that_cuts_a_part_counts_what_begins_in_it(tmp_path, start):
    events = at_minutes(ada="a@0 b@1", bob="a@2 b@9", eve="a@3 b@4", zoe="a@1 b@2")
    store = store_of(tmp_path, events, clock=LATER)
    span = TimeSpan(NOON + start * MINUTE, NOON + 3 * MINUTE)
    began = [minute for minute in (0, 1, 2) if start <= minute]
    assert counts(store, Funnel(steps=("a", "b"), span=span)) == [len(began)] * 2
    soon = Funnel(steps=("a", "b"), span=span, window=5 * MINUTE)
    assert counts(store, soon) == [len(began), len([minute for minute in began if minute < 2])]


def test_late_events_count_where_they_happened(tmp_path):
    store = store_of(tmp_path, at_minutes(ada="a@0 c@2"), clock=LATER)
    assert counts(store, Funnel(steps=STEPS)) == [1, 0, 0]
    late = at_minutes(ada="b@1")
    write(tmp_path, late.with_columns(event_id=late["event_id"] + "late"))
    assert counts(store, Funnel(steps=STEPS)) == [1, 1, 1]


def test_the_span_before_stands_beside(tmp_path):
    events = at_minutes(ada="a@-5 b@-4", bob="a@1 b@3", eve="a@-1 b@1")
    store = store_of(tmp_path, events, clock=LATER)
    span = TimeSpan(NOON, NOON + 10 * MINUTE)
    told = answer_json(store.run(Funnel(steps=("a", "b"), span=span, compare="previous")))
    assert [step["count"] for step in told["result"]["steps"]] == [1, 1]
    assert [step["count"] for step in told["previous"]["steps"]] == [2, 2]


def test_sampled_events_are_said_not_weighed(tmp_path):
    rows = [{"event_name": "a", "user_id": "ada", "sample_rate": 10.0}]
    answer = store_of(tmp_path, events_of(rows), clock=LATER).run(Funnel(steps=("a",)))
    assert answer.sampled
    assert answer.result.steps[0].count == 1


def test_the_question_can_be_sent_back(tmp_path):
    query = Funnel(
        steps=("a where b", {"name": "pay", "where": {"plan": "pro"}, "optional": False}),
        window=None,
        exclude=({"name": "x", "after": 1, "before": 2},),
        by=("plan",),
        attribution="step:1",
        span=TimeSpan(NOON, NOON + MINUTE),
    )
    document = json.loads(json.dumps(query_json(query)))
    assert "as_of" not in document
    assert query_of_json(Funnel, document, now=NOON) == query


def test_who_may_still_convert_is_told_by_the_clock(tmp_path):
    clock = FrozenClock(NOON + MINUTE)
    store = store_of(tmp_path, at_minutes(ada="a@0"), clock=clock)
    query = Funnel(steps=("a", "b"), window=10 * MINUTE)
    assert result(store, query)["steps"][1]["still_possible"] == 1
    clock.advance(10 * MINUTE)
    assert result(store, query)["steps"][1]["still_possible"] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": ("plann",)}, "did you mean plan"),
        ({"per": "sesion"}, "no event has 'sesion'"),
        ({"steps": ({"name": "a", "where": "plann=x"},)}, "did you mean plan"),
        ({"order": "strict", "break_on": "plann=x"}, "did you mean plan"),
    ],
)
def test_an_attribute_that_nobody_sent_names_the_nearest(tmp_path, options, says):
    store = store_of(tmp_path, at_minutes(ada="a@0:pro"), clock=LATER)
    with pytest.raises(UsageError, match=says):
        store.run(Funnel(**{"steps": ("a", "b"), **options}))


def test_nothing_stored_is_an_answer(tmp_path):
    store = store_of(tmp_path, clock=LATER)
    assert counts(store, Funnel(steps=STEPS)) == [0, 0, 0]
    assert result(store, Drivers(steps=STEPS))["rows"] == []


def test_another_window_reads_nothing_again(tmp_path, monkeypatch):
    store = store_of(tmp_path, journeys(ada="a b"), journeys(bob="a"), clock=LATER)
    store.run(Funnel(steps=("a", "b")))

    def fail(*_):
        raise AssertionError("it was read again")

    monkeypatch.setattr("store.analytics.batches.scan", fail)
    assert counts(store, Funnel(steps=("a", "b"), window=MINUTE / 2, count="attempts")) == [2, 0]


def test_ids_are_read_only_where_they_decide(tmp_path):
    told = []
    for name, more in (("apart", {}), ("tied", {"eve": "a@0:x a@0:b"})):
        everything = at_minutes(ada="a@0:pro b@1:pro", bob="a@0:free b@1:pro", **more)
        store = store_of(tmp_path / name, everything, clock=LATER)
        query = Funnel(steps=("a", "b"), by=("plan",))
        told.append([group["key"]["plan"] for group in result(store, query)["breakdown"]])
    assert told == [["free", "pro"], ["free", "pro", "x"]]


def test_bare_text_is_found_in_any_attribute_of_text(tmp_path):
    rows = [
        {"event_name": "error", "user_id": who, "message": message, "hint": hint}
        for who, message, hint in [
            ("ada", "not found", None),
            ("bob", "", "Not Found"),
            ("eve", "", ""),
        ]
    ]
    store = store_of(tmp_path, events_of(rows), clock=LATER)
    step = {"name": "error", "where": '"not found"'}
    assert counts(store, Funnel(steps=("error", step))) == [3, 0]
    assert counts(store, Funnel(steps=(step,))) == [2]


def test_a_breakdown_by_an_id_is_folded(tmp_path):
    events = at_minutes(**{f"u{at}": f"a@{at}:p{at} b@{at + 1}" for at in range(500)})
    store = store_of(tmp_path, events, clock=LATER)
    groups = result(store, Funnel(steps=("a", "b"), by=("plan",), limit=3))["breakdown"]
    assert [group["steps"][1]["count"] for group in groups] == [1, 1, 1, 497]
    assert groups[3]["folded"]


def test_strict_runs_that_may_still_go_on_are_told_from_those_that_broke(tmp_path):
    clock = FrozenClock(NOON + 60 * MINUTE)
    events = at_minutes(ada="a@50", bob="a@50 x@55", eve="a@40 x@41 a@45", zoe="a@5 b@6 x@7")
    store = store_of(tmp_path, events, clock=clock)
    query = Funnel(steps=("a", "b", "c"), order="strict", window=30 * MINUTE)
    steps = result(store, query)["steps"]
    assert [step["count"] for step in steps] == [4, 1, 0]
    assert [step["still_possible"] for step in steps] == [0, 2, 0]


def test_strict_what_was_left_out_as_harmless_changes_no_answer(tmp_path, monkeypatch):
    noise = " ".join(f"x@{minute}" for minute in (3, 7, 11, 30, 31))
    events = at_minutes(
        ada=f"a@1 b@2 {noise} a@20 a@21 b@22 c@23",
        bob=f"{noise} a@4 b@8 c@9",
        eve="a@1 x@1 b@2 a@10 b@11 b@12 c@12",
    )
    store = store_of(tmp_path, events, clock=LATER)
    query = Funnel(steps=STEPS, order="strict", window=15 * MINUTE, users=True)
    found = result(store, query)
    monkeypatch.setattr("store.analytics.funnel.asking.can_be_pruned", lambda _: False)
    assert result(store_of(tmp_path / "again", events, clock=LATER), query) == found
    assert [step["count"] for step in found["steps"]] == [3, 2, 2]


def test_once_all_windows_are_over_the_answer_stays(tmp_path, monkeypatch):
    clock = FrozenClock(NOON + 60 * MINUTE)
    store = store_of(tmp_path, at_minutes(ada="a@0 b@1"), clock=clock)
    query = Funnel(steps=("a", "b"), window=10 * MINUTE)
    first = store.run(query)
    clock.advance(MINUTE)
    monkeypatch.setattr("store.analytics.funnel.analysis.asked_of", None)
    assert store.run(query).result == first.result
