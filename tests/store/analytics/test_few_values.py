"""Percentiles that rest on too few values are named: a p99 needs a hundred, so that one lies beyond."""

from datetime import timedelta

import pytest

from store.analytics.components import Components
from store.analytics.measures import parse_measure
from store.analytics.names import Names
from store.analytics.percentiles import Percentiles
from store.analytics.performance import Performance
from store.analytics.query_json import answer_json
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan, iso

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + 2 * MINUTE)


def lasting(count, minute=0, **rest):
    time = NOON + minute * MINUTE
    return [{"event_time": time, "duration_ms": float(at), **rest} for at in range(count)]


def asked(tmp_path, rows, query):
    return answer_json(store_of(tmp_path, events_of(rows)).run(query))["result"]


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        *(("p50", 2), ("p75", 4), ("p90", 10), ("p95", 20), ("p99", 100), ("p99.9", 1_000)),
        *(("p1", 100), ("p5", 20), ("p0", 1), ("p100", 1), ("max", 1), ("mean", 1)),
    ],
)
def test_a_percentile_needs_as_many_values_that_one_lies_beyond_it(name, needs):
    assert parse_measure(f"{name}:duration_ms").needs == needs


@pytest.mark.parametrize(
    ("count", "few"),
    [
        *((1, ["p50", "p75", "p90", "p95", "p99"]), (2, ["p75", "p90", "p95", "p99"])),
        *((9, ["p90", "p95", "p99"]), (10, ["p95", "p99"]), (19, ["p95", "p99"]), (20, ["p99"])),
        *((99, ["p99"]), (100, None), (101, None)),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_percentiles_name_those_that_rest_on_too_few(tmp_path, count, few, exact):
    (row,) = asked(tmp_path, lasting(count), Percentiles(span=SPAN, exact=exact))["rows"]
    assert row["count"] == count
    assert row.get("few") == few


def test_events_without_the_attribute_are_no_values(tmp_path):
    rows = [*lasting(99), *[{"event_time": NOON, "plan": "pro"}] * 50]
    (row,) = asked(tmp_path, rows, Percentiles(span=SPAN))["rows"]
    assert row["few"] == ["p99"]


def test_what_a_sample_stands_for_is_no_value_that_was_seen(tmp_path):
    rows = lasting(50, sample_rate=10.0)
    (row,) = asked(tmp_path, rows, Percentiles(span=SPAN))["rows"]
    assert (row["count"], row["few"]) == (500, ["p99"])
    (row,) = asked(tmp_path / "more", lasting(100, sample_rate=10.0), Percentiles(span=SPAN))[
        "rows"
    ]
    assert (row["count"], row.get("few")) == (1_000, None)


def test_each_breakdown_value_rests_on_its_own(tmp_path):
    rows = [*lasting(100, plan="pro"), *lasting(60, plan="free"), *lasting(60, plan="old")]
    told = asked(tmp_path, rows, Percentiles(span=SPAN, by=("plan",), limit=1))["rows"]
    assert [(row["key"]["plan"], row.get("few")) for row in told] == [("pro", None), ("", None)]
    told = asked(tmp_path / "2", rows, Percentiles(span=SPAN, by=("plan",)))["rows"]
    found = {row["key"]["plan"]: row.get("few") for row in told}
    assert found == {"pro": None, "free": ["p99"], "old": ["p99"]}


def test_trends_name_the_points(tmp_path):
    rows = [*lasting(100), *lasting(99, minute=1)]
    measures = ("p99:duration_ms", "p95:duration_ms", "count")
    query = Trends(span=SPAN, interval=MINUTE, measures=measures)
    series = asked(tmp_path, rows, query)["series"]
    later = iso(NOON + MINUTE)
    assert {each["measure"]: each.get("few") for each in series} == {
        "p99:duration_ms": [later],
        "p95:duration_ms": None,
        "count": None,
    }


def test_a_point_without_a_value_is_not_one_of_few(tmp_path):
    query = Trends(span=SPAN, interval=MINUTE, measures=("p99:duration_ms",))
    (series,) = asked(tmp_path, lasting(3), query)["series"]
    assert series["points"][1][1] is None
    assert series["few"] == [iso(NOON)]


def test_top_names_and_components_tell_it_of_their_rows(tmp_path):
    rows = lasting(30, event_name="component_load", component="cart")
    store = store_of(tmp_path, events_of(rows))
    found = {
        query.analysis: answer_json(store.run(query))["result"]["rows"][0].get("few")
        for query in (Top(span=SPAN, measure="p99:duration_ms"), Names(span=SPAN), Components())
    }
    assert found == {"top": ["value"], "names": ["p99"], "components": None}
    store = store_of(tmp_path / "less", events_of(rows[:19]))
    (row,) = answer_json(store.run(Components()))["result"]["rows"]
    assert row["few"] == ["load_p95_ms"]


def test_performance_tells_it_metric_by_metric(tmp_path):
    rows = [
        *lasting(19, event_type="metric", event_name="paint", value=1.0),
        *lasting(100, event_type="metric", event_name="heap", value=2.0),
    ]
    told = asked(tmp_path, rows, Performance(span=SPAN))["rows"]
    found = {row["metric"]: row.get("few") for row in told}
    assert found == {"paint": ["p95", "p99"], "heap": None}


@pytest.mark.parametrize(("count", "is_few"), [(99, True), (100, False)])
def test_a_series_tells_whether_the_whole_of_it_rests_on_too_few(tmp_path, count, is_few):
    rows = [*lasting(count - 1), *lasting(1, minute=1)]
    query = Trends(span=SPAN, interval=MINUTE, measures=("p99:duration_ms", "count"))
    last, counted = store_of(tmp_path, events_of(rows)).run(query).result.series
    assert (last.few_total, counted.few_total) == (is_few, False)
    assert list(last.few) == [True, True]
