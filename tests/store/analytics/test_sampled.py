"""Every answer says whether an event that it was made of stood for more than one."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from store.analytics.adoption import Adoption
from store.analytics.anomalies import Anomalies
from store.analytics.changes import Changes
from store.analytics.compare import Compare
from store.analytics.components import Components
from store.analytics.funnel.analysis import Funnel
from store.analytics.funnel.drivers import Drivers
from store.analytics.funnel.trend import FunnelTrend
from store.analytics.funnel.why import Why
from store.analytics.histogram import Histogram
from store.analytics.increase import Increase
from store.analytics.lifecycle import Lifecycle
from store.analytics.names import Names
from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.journeys import Journeys
from store.analytics.paths.paths import Paths
from store.analytics.paths.step_matrix import StepMatrix
from store.analytics.paths.transitions import Transitions
from store.analytics.paths.went import Went
from store.analytics.percentiles import Percentiles
from store.analytics.performance import Performance
from store.analytics.query_json import answer_json
from store.analytics.reach import Reach
from store.analytics.registry import ANALYSES
from store.analytics.releases import Releases
from store.analytics.retention import Retention
from store.analytics.sessions.analysis import Sessions
from store.analytics.stickiness import Stickiness
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)
HOUR = TimeSpan(NOON, NOON + 60 * MINUTE)
LATER = NOON + timedelta(days=2)
STEPS = ("open", "pay")
METRIC = {"event_type": "metric", "metric_temporality": "delta", "metric_is_monotonic": True}
BUCKETS = {"metric_bucket_counts": "[1,2]", "metric_explicit_bounds": "[10]"}
VISITS = [
    *(Sessions(), Sessions(sort="length"), Sessions(ignore_session_id=True)),
    *(Paths(), Journeys(), Transitions(), StepMatrix(), DropOff()),
]
WENT = Went(way=("pay",), from_="open")
QUESTIONS = [
    *(Trends(), Percentiles(), Top(), Names(), Releases(), Reach(), Components(), Performance()),
    *(Funnel(steps=STEPS), FunnelTrend(steps=STEPS), Drivers(steps=STEPS)),
    *(Drivers(steps=STEPS, of="attributes"), Why(steps=STEPS, user="ada")),
    *(*VISITS, WENT),
    *(Retention(), Lifecycle(), Stickiness(), Adoption()),
    *(Compare(where="event_name = pay", against="rest"), Anomalies(), Changes()),
    *(Increase(), Histogram()),
]


def rows(rate):
    """Two people in one store, before and within the hour; ada's events within it have the rate."""
    common = {"service_name": "api", "component": "cart", "duration_ms": 5.0, "severity": 9}
    for at, version in ((-50, "1"), (5, "2")):
        for who in ("ada", "bob"):
            own = {**common, "user_id": who, "service_version": version}
            if who == "ada" and at > 0 and rate:
                own["sample_rate"] = rate
            time = NOON + at * MINUTE
            yield {**own, "event_time": time, "event_name": "open"}
            yield {
                **own,
                "event_time": time + MINUTE,
                "event_name": "look",
                "session_id": who + version,
            }
            yield {**own, "event_time": time + 2 * MINUTE, "event_name": "pay"}
            counter = {**METRIC, "metric_kind": "counter", "value": 3.0, "event_name": "requests"}
            yield {**own, **counter, "event_time": time + 3 * MINUTE}
            histogram = {**METRIC, "metric_kind": "histogram", **BUCKETS, "event_name": "times"}
            yield {**own, **histogram, "event_time": time + 3 * MINUTE}


def asked(tmp_path, query, found, span=HOUR):
    """The answer about the hour, of two parts: the second has no rates."""
    named = [{"event_id": f"e{at:03}", **row} for at, row in enumerate(found)]
    plain = [{k: v for k, v in row.items() if k != "sample_rate"} for row in named]
    of_ada = [row for row in named if row["user_id"] == "ada"]
    of_bob = [row for row in plain if row["user_id"] == "bob"]
    store = store_of(tmp_path, events_of(of_ada), events_of(of_bob), clock=FrozenClock(LATER))
    return store.run(replace(query, span=span))


def ids(query):
    return query.analysis


def test_every_analysis_is_asked():
    assert {each.analysis for each in QUESTIONS} == {each.name for each in ANALYSES} | {"why"}


@pytest.mark.parametrize("query", QUESTIONS, ids=ids)
@pytest.mark.parametrize(("rate", "is_sampled"), [(None, False), (1.0, False), (10.0, True)])
def test_an_answer_says_whether_what_it_is_made_of_was_sampled(tmp_path, query, rate, is_sampled):
    answer = asked(tmp_path, query, rows(rate))
    assert answer.events_scanned
    assert answer.sampled is answer_json(answer)["sampled"] is is_sampled


@pytest.mark.parametrize("query", VISITS, ids=ids)
@pytest.mark.parametrize("name", ["open", "look", "pay"])
def test_one_event_of_a_visit_is_enough(tmp_path, query, name):
    found = [
        {**row, "sample_rate": 2.0 if row["event_name"] == name else None} for row in rows(9.0)
    ]
    assert asked(tmp_path, query, found).sampled


@pytest.mark.parametrize("query", [*VISITS, WENT], ids=ids)
def test_visits_are_counted_as_seen_and_those_of_another_time_say_nothing(tmp_path, query):
    told = [asked(tmp_path / f"{rate}", query, rows(rate)) for rate in (None, 10.0)]
    plain, sampled = (json.dumps(answer_json(each)["result"]) for each in told)
    assert plain == sampled
    before = TimeSpan(NOON - 60 * MINUTE, NOON - 20 * MINUTE)
    assert not asked(tmp_path / "before", query, rows(10.0), before).sampled


def test_why_says_it_of_one_user_alone(tmp_path):
    assert not asked(tmp_path, Why(steps=STEPS, user="bob"), rows(10.0)).sampled


def test_a_release_counts_what_its_events_stand_for(tmp_path):
    (row,) = asked(tmp_path, Releases(), rows(10.0)).result.rows
    assert row.values["count"] == 5 * 10 + 5
