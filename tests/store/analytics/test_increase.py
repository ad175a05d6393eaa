"""How much counters went up: over repeats, restarts, gaps, any order and any split."""

from datetime import timedelta
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.increase import Increase, IncreaseAnalysis
from store.analytics.query_json import answer_json
from store.testing import FrozenClock, events_of, store_of
from store.timespan import TimeSpan
from tests.store.analytics.people import MONDAY, told

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(MONDAY, MONDAY + 5 * MINUTE)
COLUMNS = {
    "metric_start_unix_nano": pl.UInt64,
    "metric_temporality": pl.String,
    "metric_stream": pl.String,
    "metric_is_monotonic": pl.Boolean,
    "metric_kind": pl.String,
    "metric_count": pl.UInt64,
    "host": pl.String,
}


def started(number):
    """Runs of a program begin after one another, the first one shortly before the first point."""
    return None if number is None else int(MONDAY.timestamp()) * 10**9 - 10**10 + number


def point(seconds, value, stream="s", start=1, **fields):
    return {
        "event_time": MONDAY + timedelta(seconds=seconds),
        "event_type": "metric",
        "event_name": "requests",
        "metric_kind": "counter",
        "metric_temporality": "cumulative",
        "metric_is_monotonic": True,
        "metric_stream": stream,
        "metric_start_unix_nano": started(start),
        "value": value,
        **fields,
    }


def delta(seconds, value, **fields):
    return point(seconds, value, metric_temporality="delta", **fields)


def frame_of(points):
    frame = events_of(points)
    absent = [pl.lit(None, t).alias(name) for name, t in COLUMNS.items() if name not in frame]
    return frame.with_columns(absent)


def series(points, parts=None, groups=(0,), **options):
    options = {"span": SPAN, "interval": MINUTE, **options}
    answer = told(IncreaseAnalysis(), Increase(**options), frame_of(points), parts, groups)
    return {
        tuple(each["key"].values()): [value for _, value in each["points"]]
        for each in answer["series"]
    }


def values(points, *split, **options):
    return series(points, *split, **options)[()]


def test_an_increase_is_what_came_to_the_value_before():
    assert values([point(0, 3), point(70, 10), point(130, 10), point(250, 11)]) == [3, 7, 0, 0, 1]


def test_what_is_repeated_counts_once():
    again = [point(0, 3), point(0, 3), point(70, 10), point(70, 10), point(71, 10)]
    assert values(again) == [3, 7, 0, 0, 0]


def test_after_a_restart_it_begins_at_0():
    assert values([point(0, 30), point(70, 2, start=2), point(130, 9, start=2)]) == [30, 2, 7, 0, 0]


def test_a_late_point_of_before_the_restart_counts_where_it_belongs():
    points = [point(0, 30), point(70, 2, start=2), point(65, 31)]
    assert values(points) == [30, 3, 0, 0, 0]


def test_streams_are_added_up():
    points = [point(0, 3), point(0, 5, "t"), point(70, 4), point(70, 9, "t")]
    assert values(points) == [8, 5, 0, 0, 0]


def test_the_first_point_of_the_span_goes_up_from_the_last_one_before():
    points = [point(-600, 100, start=None), point(10, 103, start=None)]
    assert values(points) == [3, 0, 0, 0, 0]


def test_where_the_start_is_unknown_the_first_value_is_no_increase():
    points = [point(0, 100, start=None), point(5, 101, start=None), point(70, 110, start=None)]
    assert values(points) == [1, 9, 0, 0, 0]


def test_what_was_counted_long_before_anything_was_heard_of_it_is_no_increase():
    boot = int((MONDAY - timedelta(days=3)).timestamp()) * 10**9
    points = [point(s, v, metric_start_unix_nano=boot) for s, v in ((0, 900), (1, 901), (70, 905))]
    assert values(points) == [1, 4, 0, 0, 0]
    assert values([*points, point(130, 7, start=2)]) == [1, 4, 7, 0, 0]


def test_deltas_are_added_up_as_often_as_their_events_stand_for():
    points = [delta(0, 3), delta(1, 3), delta(70, 2, sample_rate=10.0)]
    assert values(points) == [6, 20, 0, 0, 0]


def test_a_counter_without_a_temporality_is_one_of_deltas():
    statsd = {"metric_temporality": None, "metric_stream": None, "metric_is_monotonic": None}
    assert values([point(0, 3, **statsd), point(1, 4, **statsd)])[0] == 7


@pytest.mark.parametrize(
    "fields",
    [
        {"metric_kind": "gauge", "metric_is_monotonic": False},
        {"metric_kind": "gauge", "metric_temporality": None, "metric_is_monotonic": None},
        {"metric_kind": None, "metric_temporality": None},
        {"value": float("nan")},
        {"value": None},
    ],
)
def test_what_is_no_counter_has_no_increase(fields):
    assert values([point(0, 3), {**point(0, 900, "g"), **fields}])[0] == 3


def test_counts_of_histograms_go_up_as_well():
    spread = {"metric_kind": "histogram", "metric_is_monotonic": None}
    points = [point(0, None, **spread, metric_count=4), point(70, None, **spread, metric_count=9)]
    assert values(points, of="metric_count") == [4, 5, 0, 0, 0]


def test_a_rate_is_by_the_second():
    assert values([point(0, 30), point(70, 90)], measure="rate") == [0.5, 1.0, 0, 0, 0]
    half = TimeSpan(MONDAY, MONDAY + 1.5 * MINUTE)
    assert values([point(0, 30), point(70, 90)], measure="rate", span=half) == [0.5, 2.0]


def test_breakdowns_past_the_limit_are_one():
    points = [point(0, n, f"s{n}", host=f"h{n}") for n in (5, 1, 2)]
    assert series(points, by=("host",), limit=1) == {
        ("h5",): [5, 0, 0, 0, 0],
        ("",): [3, 0, 0, 0, 0],
    }


def test_named_metrics_are_series():
    points = [point(0, 3), point(0, 5, "t", event_name="errors"), point(0, 9, "u", event_name="x")]
    found = series(points, events=("requests", "errors"))
    assert found == {("errors",): [5, 0, 0, 0, 0], ("requests",): [3, 0, 0, 0, 0]}


def test_nothing_is_0():
    assert values([]) == [0] * 5


STREAMS = st.lists(
    st.tuples(
        st.sampled_from("st"),
        st.lists(  # the increments of each run of the program
            st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=3
        ),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda each: each[0],
)


def lives(streams):
    """The points that programs send, and what they counted in each minute."""
    points, counted = [], [0] * 5
    for stream, runs in streams:
        second, step = 0, 290 // sum(map(len, runs))
        for start, increments in enumerate(runs, 1):
            total = 0
            for increment in increments:
                total += increment
                points.append(point(second, float(total), stream, start))
                counted[second // 60] += increment
                second += step
    return points, counted


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_split_order_and_repetition_gives_what_was_counted(data):
    points, counted = lives(data.draw(STREAMS))
    again = data.draw(st.lists(st.sampled_from(points), max_size=5))
    shuffled = data.draw(st.permutations(points + again))
    size = len(shuffled)
    parts = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    groups = data.draw(st.lists(st.integers(0, 2), min_size=4, max_size=4))
    assert values(shuffled, parts, groups) == counted


@settings(max_examples=15, deadline=None)
@given(STREAMS, st.integers(1, 4))
def test_spans_side_by_side_add_up(streams, minute):
    points, counted = lives(streams)
    edges = [MONDAY, MONDAY + minute * MINUTE, MONDAY + 5 * MINUTE]
    apart = [values(points, span=TimeSpan(*edge)) for edge in pairwise(edges)]
    assert [*apart[0], *apart[1]] == counted


def test_a_store_answers_it(tmp_path):
    store = store_of(tmp_path, frame_of([point(0, 3), point(70, 10)]), clock=FrozenClock(SPAN.end))
    answer = answer_json(store.run(Increase(span=SPAN, interval=MINUTE)))
    assert [value for _, value in answer["result"]["series"][0]["points"]] == [3, 7, 0, 0, 0]
    assert answer["events_scanned"] == 2
    quiet = store_of(
        tmp_path / "quiet", events_of([{"event_name": "x"}]), clock=FrozenClock(MONDAY)
    )
    assert answer_json(quiet.run(Increase(span=SPAN, interval=MINUTE)))["result"]["series"]
