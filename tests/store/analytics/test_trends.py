"""Measures over time: zero-filled, weighted, folded, and never a NaN."""

import math
from datetime import timedelta

import pytest

from store.analytics.percentiles import Percentiles
from store.analytics.query_json import answer_json
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.testing import NOON, events_of, store_of, write
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + 4 * MINUTE)


def event(minute=0, **rest):
    return {"event_time": NOON + minute * MINUTE, **rest}


def trends(tmp_path, rows, **options):
    options = {"span": SPAN, "interval": MINUTE, **options}
    return store_of(tmp_path, events_of(rows)).run(Trends(**options)).result.series


def test_points_without_events_are_zero_and_without_values_unknown(tmp_path):
    count, mean, low = trends(
        tmp_path,
        [event(1, duration_ms=2.0)],
        measures=("count", "mean:duration_ms", "min:duration_ms"),
    )
    assert count.values == [0, 1, 0, 0]
    assert mean.values == low.values == [None, 2, None, None]


def test_a_rate_is_per_second_of_the_span_that_a_point_covers(tmp_path):
    span = TimeSpan(NOON + MINUTE / 2, NOON + 2 * MINUTE)
    (rate,) = trends(tmp_path, [event(0.5), event(0.6), event(1)], measures=("rate",), span=span)
    assert rate.values == [2 / 30, 1 / 60]
    assert rate.total == 3 / 90


def test_events_that_stand_for_more_count_as_often(tmp_path):
    rows = [event(duration_ms=10.0, sample_rate=10.0), event(duration_ms=40.0)]
    store = store_of(tmp_path, events_of(rows))
    answer = store.run(
        Trends(
            span=SPAN,
            measures=("count", "sum:duration_ms", "mean:duration_ms", "max:duration_ms", "users"),
        )
    )
    assert [series.total for series in answer.result.series] == [11, 140, 140 / 11, 40, 0]
    assert answer.sampled
    assert answer.events_scanned == 2


def test_late_events_land_where_they_happened(tmp_path):
    store = store_of(tmp_path, events_of([event(3)]))
    assert store.run(Trends(span=SPAN, interval=MINUTE)).result.series[0].values == [0, 0, 0, 1]
    write(tmp_path, events_of([event(1, received_time=NOON + 60 * MINUTE)]))
    assert store.run(Trends(span=SPAN, interval=MINUTE)).result.series[0].values == [0, 1, 0, 1]


def test_the_rest_is_folded_into_one_series_and_a_real_other_stays_itself(tmp_path):
    names = ["a"] * 5 + ["other"] * 4 + ["b", "c", "c"]
    series = trends(tmp_path, [event(plan=name) for name in names], by=("plan",), limit=2)
    assert [(s.key["plan"], s.folded, s.total) for s in series] == [
        ("a", False, 5),
        ("other", False, 4),
        ("", True, 3),
    ]


def test_a_missing_attribute_is_a_value_of_its_own(tmp_path):
    series = trends(tmp_path, [event(plan="pro"), event(), event(plan="")], by=("plan",))
    assert {s.key["plan"]: s.total for s in series} == {"": 2, "pro": 1}


def test_users_of_a_folded_series_are_counted_once(tmp_path):
    rows = [event(plan=plan, user_id="ada") for plan in "abc"] + [event(plan="d", user_id="bob")]
    series = trends(tmp_path, [*rows, *rows], by=("plan",), limit=1, measures=("users",))
    assert [s.total for s in series] == [1, 2]


def test_named_events_are_series_of_their_own_also_without_any(tmp_path):
    series = trends(tmp_path, [event(event_name="pay")] * 1, events=("pay", "refund"))
    assert [(s.key, s.total) for s in series] == [
        ({"event_name": "pay"}, 1),
        ({"event_name": "refund"}, 0),
    ]


def test_numbers_as_keys_read_the_same_from_every_part(tmp_path):
    store = store_of(tmp_path, events_of([event(code=1)]), events_of([event(code=1.0)]))
    write(tmp_path, events_of([event(code="1"), event(code="x")]))
    rows = store.run(Top(by=("code",), span=SPAN)).result.rows
    assert {row.key["code"]: row.values["value"] for row in rows} == {"1": 3, "x": 1}


def test_severities_break_down_by_class(tmp_path):
    rows = [event(severity=number) for number in (9, 10, 17, 21, 13)] + [event()]
    series = trends(tmp_path, rows, by=("severity_class",))
    assert {s.key["severity_class"]: s.total for s in series} == {
        "info": 2,
        "error": 1,
        "fatal": 1,
        "warning": 1,
        "": 1,
    }


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_comes_out(tmp_path, value):
    store = store_of(tmp_path, events_of([event(duration_ms=value), event(duration_ms=None)]))
    measures = ("sum:duration_ms", "mean:duration_ms", "p99:duration_ms", "max:duration_ms")
    for query in (Trends(measures=measures, span=SPAN), Percentiles(span=SPAN), Top(span=SPAN)):
        told = str(answer_json(store.run(query)))
        assert "nan" not in told.lower()
        assert "inf" not in told.lower()


def test_attributes_named_like_our_columns_are_attributes(tmp_path):
    rows = [
        event(time="noon", n=3, weight=2.0, kind="x"),
        event(time="noon", n=5, weight=4.0, kind="y"),
    ]
    store = store_of(tmp_path, events_of(rows))
    answer = store.run(
        Trends(span=SPAN, by=("time", "kind"), measures=("sum:n", "mean:weight"), interval=MINUTE)
    )
    assert [(s.key, s.total) for s in answer.result.series] == [
        ({"time": "noon", "kind": "y"}, 5),
        ({"time": "noon", "kind": "y"}, 4),
        ({"time": "noon", "kind": "x"}, 3),
        ({"time": "noon", "kind": "x"}, 2),
    ]


def test_percentiles_of_few_values_are_exact(tmp_path):
    rows = [event(duration_ms=float(value)) for value in (15, 20, 35, 40, 50)]
    answer = store_of(tmp_path, events_of(rows)).run(Percentiles(span=SPAN))
    (row,) = answer.result.rows
    assert answer.exact
    assert row.values == {
        "count": 5,
        "mean": 32,
        "min": 15,
        "p50": 35,
        "p75": 40,
        "p90": 46,
        "p95": 48,
        "p99": pytest.approx(49.6),
        "max": 50,
    }


def test_percentiles_are_exact_on_request(tmp_path):
    values = [100 + at / 7 for at in range(1_000)]
    store = store_of(tmp_path, events_of([event(duration_ms=value) for value in values]))
    near, exact = (store.run(Percentiles(span=SPAN, exact=wanted)) for wanted in (False, True))
    assert (near.exact, exact.exact) == (False, True)
    assert exact.result.rows[0].values["p50"] == pytest.approx((values[499] + values[500]) / 2)
    assert near.result.rows[0].values["p50"] == pytest.approx(171.4, rel=0.01)


def test_percentiles_count_only_events_that_have_the_attribute(tmp_path):
    rows = [event(region="eu", duration_ms=1.0), event(region="eu"), event(region="us")]
    answer = store_of(tmp_path, events_of(rows)).run(Percentiles(span=SPAN, by=("region",)))
    assert [(row.key, row.values["count"]) for row in answer.result.rows] == [({"region": "eu"}, 1)]


def test_shares_of_the_top_close_the_sum(tmp_path):
    rows = [event(event_name=name, user_id=name[0]) for name in ("aa", "aa", "ab", "b", "c")]
    store = store_of(tmp_path, events_of(rows))
    top = store.run(Top(span=SPAN, limit=2)).result.rows
    assert [(row.values["value"], row.values["share"], row.folded) for row in top] == [
        (2, 0.4, False),
        (1, 0.2, False),
        (2, 0.4, True),
    ]
    users = store.run(Top(span=SPAN, measure="users")).result.rows
    assert sum(row.values["value"] for row in users) == 4
    assert {row.values["share"] for row in users} == {1 / 3}
    means = store.run(Top(span=SPAN, measure="mean:duration_ms")).result.rows
    assert {row.values["share"] for row in means} == {None}


def test_a_filter_keeps_what_it_says(tmp_path):
    rows = [event(plan="pro", duration_ms=5.0), event(plan="free", duration_ms=500.0)]
    for where in ("duration_ms>100", {"duration_ms": {"$gt": 100}}):
        (series,) = trends(tmp_path / str(len(str(where))), rows, where=where)
        assert series.total == 1


def test_a_measure_is_the_same_alone_as_among_all_others(tmp_path):
    rows = [
        event(0, plan="a", n=2.0),
        event(0, plan="a", n=-1.0),
        event(1, plan="b"),
        event(3, n=4),
    ]
    store = store_of(tmp_path, events_of(rows[:2]), events_of(rows[2:]))
    every = ("count", "sum:n", "mean:n", "min:n", "max:n", "p50:n")
    asked = {"span": SPAN, "interval": MINUTE, "by": ("plan",)}
    together = store.run(Trends(measures=every, **asked)).result.series
    for measure in every:
        alone = store.run(Trends(measures=(measure,), **asked)).result.series
        among = [each for each in together if each.measure == measure]
        assert {each.key["plan"]: each.values for each in alone} == {
            each.key["plan"]: each.values for each in among
        }
