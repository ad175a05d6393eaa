"""What components report: loads, plays, errors, load times, frames."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.components import Components
from store.analytics.performance import Performance
from store.analytics.query_json import answer_json
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.reference import linear, same


def load(component="hero", **rest):
    return {"component": component, "event_type": "component_load", **rest}


def asked(tmp_path, query, *rows):
    return answer_json(store_of(tmp_path, *map(events_of, rows)).run(query))["result"]


def test_loads_plays_and_errors_are_counted_by_type_or_by_name(tmp_path):
    rows = [
        load(duration_ms=100.0, user_id="ada"),
        load(load_time=300.0, user_id="bob", event_name="hero loads"),
        {"component": "hero", "event_name": "animation_play", "user_id": "ada"},
        {"component": "hero", "event_type": "animation_play"},
        {"component": "hero", "event_type": "error"},
        {"component": "hero", "severity": 17},
        {"component": "hero", "fps": 60, "event_type": "performance"},
        {"component": "hero", "fps": 30.0, "event_type": "performance"},
        {"component": "button", "event_name": "component_load"},
        {"component": "", "event_name": "component_load"},
        {"event_name": "component_load"},
    ]
    hero, button = asked(tmp_path, Components(), rows)["rows"]
    assert {name: hero[name] for name in ("component", "loads", "plays", "errors", "users")} == {
        "component": "hero",
        "loads": 2,
        "plays": 2,
        "errors": 2,
        "users": 2,
    }
    assert (hero["load_ms"], hero["fps"], hero["load_p95_ms"]) == (200, 45, 290)
    assert hero["last_seen"] == "2026-11-22T12:00:07Z"
    assert (button["loads"], button["load_ms"], button["fps"]) == (1, None, None)


def test_a_number_that_is_text_somewhere_is_read_where_it_is_one(tmp_path):
    rows = [load(fps="60")], [load(fps=30)], [load(fps="fast")]
    (hero,) = asked(tmp_path, Components(), *rows)["rows"]
    assert (hero["loads"], hero["fps"]) == (3, 45)


def test_components_past_the_limit_are_one_row(tmp_path):
    rows = [load(name, user_id="ada") for name in ("a", "a", "b", "c")]
    a, rest = asked(tmp_path, Components(limit=1), rows)["rows"]
    assert (a["component"], a["loads"]) == ("a", 2)
    assert (rest["folded"], rest["loads"], rest["users"]) == (True, 2, 1)


def metric(found, name, **key):
    rows = [row for row in found["rows"] if row["metric"] == name and row["key"] == key]
    return rows[0] if rows else None


def test_metrics_come_from_attributes_from_loads_and_from_metric_events(tmp_path):
    rows = [
        load(duration_ms=100.0),
        load(loadTime=200.0),
        {"component": "hero", "frame_time_ms": 16.0},
        {"component": "hero", "event_type": "metric", "event_name": "frameTime", "value": 18.0},
        {"component": "hero", "event_type": "metric", "event_name": "heap_mb", "value": 12.5},
        {"component": "hero", "event_type": "performance", "duration_ms": 5.0},
        {"component": "hero", "event_type": "log", "event_name": "fps", "value": 60.0},
        {"component": "hero", "event_type": "error", "fps": 30.0},
    ]
    found = asked(tmp_path, Performance(), rows)
    hero = {"component": "hero"}
    assert metric(found, "load_time", **hero)["mean"] == 150
    assert metric(found, "frame_time", **hero)["p50"] == 17
    assert metric(found, "heap_mb", **hero)["max"] == 12.5
    assert metric(found, "duration_ms", **hero)["count"] == 1
    assert metric(found, "fps", **hero)["count"] == 1
    assert (found["error_rate"], found["events"]) == (1 / 8, 8)
    assert found["error_rate_low"] < 1 / 8 < found["error_rate_high"]


def test_what_is_folded_stays_apart_by_metric(tmp_path):
    rows = [{"component": name, "fps": 60.0, "frame_time": 16.0} for name in ("a", "a", "b", "c")]
    found = asked(tmp_path, Performance(limit=1), rows)
    assert [
        (row["metric"], row["key"], row.get("folded"), row["count"]) for row in found["rows"]
    ] == [
        ("fps", {"component": "a"}, None, 2),
        ("frame_time", {"component": "a"}, None, 2),
        ("fps", {"component": ""}, True, 2),
        ("frame_time", {"component": ""}, True, 2),
    ]


def test_numbers_that_stand_for_more_weigh_more(tmp_path):
    rows = [{"fps": 60.0, "sample_rate": 3.0}, {"fps": 20.0}]
    (row,) = asked(tmp_path, Performance(by=()), rows)["rows"]
    assert (row["count"], row["mean"], row["min"]) == (4, 50, 20)


@pytest.mark.parametrize("query", [Performance(), Components(), Performance(by=())])
def test_nothing_of_the_kind_is_an_empty_table(tmp_path, query):
    assert asked(tmp_path / "none", query)["rows"] == []
    found = asked(tmp_path / "some", query, [{"event_name": "a"}])
    assert found["rows"] == []
    if isinstance(query, Performance):
        assert found["error_rate"] == 0.0


values = st.one_of(st.none(), st.floats(0.01, 1e5), st.sampled_from([float("inf"), float("nan")]))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "component": st.sampled_from(["a", "b", None]),
            "fps": values,
            "severity": st.sampled_from([9, 17]),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=cases(15))
@given(found=rows, cut=st.integers(0, 12))
def test_performance_is_what_counting_one_by_one_gives(tmp_path_factory, found, cut):
    folder = tmp_path_factory.mktemp("store")
    pieces = [piece for piece in (found[:cut], found[cut:]) if piece]
    span = TimeSpan(NOON, NOON.replace(hour=13))
    told = asked(folder, Performance(span=span), *pieces)
    assert same(told["error_rate"], sum(row["severity"] == 17 for row in found) / len(found))
    for name in ("a", "b", ""):
        numbers = [row["fps"] for row in found if (row["component"] or "") == name]
        finite = [value for value in numbers if value is not None and abs(value) < float("inf")]
        row = metric(told, "fps", component=name)
        assert (row is None) == (not finite)
        if finite:
            assert (row["count"], row["max"]) == (len(finite), pytest.approx(max(finite)))
            assert row["p95"] == pytest.approx(linear(finite, 0.95), rel=0.0101)


def test_components_are_broken_down_by_other_attributes_as_well(tmp_path):
    rows = [
        load("hero", duration_ms=100.0, service_version="1", users="many"),
        load("hero", duration_ms=300.0, service_version="2", users="few"),
        load("hero", duration_ms=500.0, service_version="2", users="few"),
        load("button", duration_ms=700.0, users="few"),
        {"service_version": "2"},
    ]
    found = asked(tmp_path, Components(by=("service_version",)), rows)["rows"]
    assert [(row["component"], row["key"]["service_version"], row["load_ms"]) for row in found] == [
        ("hero", "2", 400),
        ("button", "", 700),
        ("hero", "1", 100),
    ]
    found = asked(tmp_path, Components(by=("users", "service_version"), limit=1))["rows"]
    assert (found[0]["key"], found[0]["users"]) == ({"users": "few", "service_version": "2"}, 0)
    assert (found[1]["folded"], found[1]["loads"]) == (True, 2)
    assert "key" not in asked(tmp_path, Components(by=("component",)))["rows"][0]
