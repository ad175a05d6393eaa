"""What holds for every analysis there is, for the README's own and for one that is added tomorrow:
parts, the order in which events came, late ones and rollups change no answer, of whatever span, byte
for byte.
"""

import json
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.plugins import known_analyses
from store.analytics.query_json import answer_json
from store.analytics.registry import ANALYSES, Entry
from store.testing import FrozenClock, events_of, store_of, write
from store.timespan import TimeSpan
from tests.cases import cases
from tests.readme import plugin_example
from tests.store.analytics.reference import same
from tests.store.analytics.test_rollups import rolled_up
from tests.store.analytics.test_rollups import told as of_events

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAYS = 3
FIRST = datetime.fromisoformat("2026-11-02T00:00:00+00:00")
"""A Monday."""
EVER = TimeSpan(FIRST - DAY, FIRST + (DAYS + 1) * DAY)
BURST = TimeSpan(FIRST + 30 * HOUR, FIRST + 40 * HOUR)
"""Something happens here that did not before."""
STEPS = {"steps": ("signup", "open", "pay")}
ASKED = {
    "trends": {"measures": ("count", "users", "sessions", "sum:value", "max:duration_ms")},
    "top": {"measure": "users"},
    "funnel": {**STEPS, "users": True},
    "funnel-trend": STEPS,
    "drivers": {"steps": ("signup", "pay")},
    "retention": {"start_event": "signup", "periods": 2},
    "went": {"way": ("open",)},
    "journeys": {"unfold_above": 0.1},
    "compare": {"where": "plan=pro", "against": "plan=free"},
    "adoption": {"features": ("pay", "open where plan=pro")},
    "histogram": {"measures": ("p50", "count")},
}
"""What an analysis needs to be told; of the others, nothing."""


def happened(dice):
    """Much of it around midnight, several at one instant, people who are known late or never."""
    at = (
        FIRST
        + dice.randint(0, DAYS) * DAY
        + dice.randint(-9, 9) * dice.choice((1, 10, 60)) * MINUTE
    )
    plan = dice.choice([None, "", "pro", "pro", "free", "free"])
    return {
        "event_time": at + dice.choice([0, 0, dice.randint(0, 10**6)]) * timedelta(microseconds=1),
        "event_name": dice.choice(["signup", "open", "pay", "look"]),
        "event_type": dice.choice(["log", "error", "performance", "component_load"]),
        "user_id": dice.choice([None, "", "ada", "bob", "eve", "zoe", "kim", "lea"]),
        "install_id": dice.choice([None, "", "phone", "tablet", "ada"]),
        "session_id": dice.choice([None, None, None, "", "s", "t"]),
        "plan": plan,
        "region": dice.choice(["eu", plan or "us"]),
        "service_version": dice.choice(["1.0", "1.1", None]),
        "component": dice.choice(["cart", "list", None]),
        "severity": dice.choice([9, 13, 17, None]),
        "duration_ms": dice.choice([None, 0.5, 16.0, 250.0]),
        "value": dice.choice([None, -1.0, 3.0]),
        "sample_rate": dice.choice([None, None, 1.0, 4.0]),
    }


def measured(dice, number):
    """A counter that goes up and begins anew now and then, and a histogram, as OTLP tells them."""
    time = FIRST + dice.randint(0, DAYS * 24 * 4) * 15 * MINUTE
    counts = [dice.randint(0, 3) for _ in range(3)]
    common = {
        "event_type": "metric",
        "metric_temporality": "cumulative",
        "metric_stream": dice.choice("ab"),
        "metric_start_unix_nano": 1 + number // 8,
        "plan": dice.choice(["pro", "free"]),
    }
    if number % 2:
        bounds = {"metric_bucket_counts": f"{counts}", "metric_explicit_bounds": "[1, 9]"}
        more = {"event_name": "times", "metric_kind": "histogram", **bounds}
        return {**common, "event_time": time, **more, "metric_temporality": "delta"}
    value = float((time - FIRST) / MINUTE)
    more = {"event_name": "requests", "metric_kind": "counter", "metric_is_monotonic": True}
    return {**common, "event_time": time, **more, "value": value}


def town(seed):
    dice = random.Random(seed)
    rows = [happened(dice) for _ in range(100)] + [measured(dice, at) for at in range(16)]
    times = [BURST.start + 70 * MINUTE + at * MINUTE / 60 for at in range(60)]
    rows += [{**happened(dice), "event_time": time, "event_name": "retry"} for time in times]
    return [{"event_id": f"e{at:04}", **row} for at, row in enumerate(rows)]


def ragged(dice):
    """A span whose edges are where they happen to be, in the midst of parts and sessions."""
    first, length = dice.randint(-60, 60 * 24 * DAYS), dice.randint(1, 60 * 24 * DAYS)
    start = FIRST + first * MINUTE + dice.choice([0, 1]) * timedelta(microseconds=1)
    return TimeSpan(start, start + length * MINUTE)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """All of them, by name."""
    found = known_analyses([str(plugin_example(tmp_path_factory.mktemp("plugin")))])
    return {each.name: each.load() if isinstance(each, Entry) else each for each in found}


def questions(known, dice):
    """Each analysis, over this span or that, with a filter or without, broken down or not."""
    for name, analysis in known.items():
        asked = analysis.query_type
        options = {
            "span": dice.choice([EVER, BURST, ragged(dice), ragged(dice)]),
            "by": dice.choice([(), ("plan",)]) if asked.breaks_down else (),
            "where": dice.choice([None, None, "plan=*", "-event_name=look"]),
            "limit": dice.choice([2, 20]),
            "tz": dice.choice(["UTC", "Asia/Kathmandu", "America/New_York"]),
            "link": dice.choice([True, True, False]),
        }
        yield asked(**{**options, **ASKED.get(name, {})})


def told(store, query):
    answer = answer_json(store.run(query), store.analyses)
    return json.dumps({name: value for name, value in answer.items() if name != "generation"})


def opened(root, clock, known):
    """The store at `root`, that keeps nothing yet."""
    return store_of(root, clock=clock, analyses=tuple(known.values()), counted_max=0)


@settings(max_examples=max(3, cases(1_000) // 300), deadline=None)
@given(seed=st.integers(0, 10**9))
def test_neither_parts_nor_order_nor_lateness_changes_an_answer(tmp_path_factory, known, seed):
    root, dice = tmp_path_factory.mktemp("every"), random.Random(seed)
    rows, clock = town(seed), FrozenClock(EVER.end)
    write(root / "plain", events_of(rows), clock=clock)
    dice.shuffle(rows)
    cuts = sorted(dice.sample(range(1, len(rows)), 3))
    *soon, late = (events_of(rows[at:to]) for at, to in zip([0, *cuts], [*cuts, None], strict=True))
    write(root / "live", *soon, clock=clock)
    plain, live = (opened(root / name, clock, known) for name in ("plain", "live"))
    asked = list(questions(known, dice))
    live.run_all(asked)
    write(root / "live", late, clock=clock)
    for query in asked:
        other = dice.choice([live, opened(root / "live", clock, known)])
        assert told(other, query) == told(plain, query), query


@settings(max_examples=max(3, cases(1_000) // 300), deadline=None)
@given(seed=st.integers(0, 10**9))
def test_rollups_change_no_answer_but_what_they_estimate(tmp_path_factory, known, seed):
    root, dice = tmp_path_factory.mktemp("rolled"), random.Random(seed)
    rows, clock = town(seed), FrozenClock(EVER.end)
    dice.shuffle(rows)
    write(root, events_of(rows[:90]), events_of(rows[90:]), clock=clock)
    asked = list(questions(known, dice))
    plain = opened(root, clock, known)
    expected = [plain.run(query) for query in asked]
    rolled_up(root, set(dice.sample(range(12), 6)))
    for query, raw in zip(asked, expected, strict=True):
        found = opened(root, clock, known).run(query)
        assert same(of_events(found, known), of_events(raw, known)), query
        assert found.events_scanned == raw.events_scanned, query


def is_empty(value):
    """Whether an answer says nothing: no rows, or zeros and nulls alone."""
    if isinstance(value, dict):
        told_of_all = ("summary", "interval_seconds")
        return all(is_empty(each) for name, each in value.items() if name not in told_of_all)
    if isinstance(value, list):
        return all(is_empty(each) for each in value)
    return not isinstance(value, (int, float)) or not value


@pytest.mark.parametrize("name", [*(entry.name for entry in ANALYSES), "hours"])
def test_there_is_something_to_say_of_these_events(tmp_path, known, name):
    """Else what is above would hold of nothing. A new analysis tells in ASKED what it needs."""
    clock = FrozenClock(EVER.end)
    write(tmp_path, events_of(town(7)), clock=clock)
    store = opened(tmp_path, clock, known)
    kind = known[name].query_type
    queries = [kind(span=span, **ASKED.get(name, {})) for span in (EVER, BURST)]
    answers = [json.loads(told(store, query)) for query in queries]
    assert not all(is_empty(answer["result"]) for answer in answers)
