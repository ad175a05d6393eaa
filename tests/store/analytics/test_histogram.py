"""Percentiles out of buckets: Prometheus' rules for explicit ones, geometric for exponential."""

import math
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.buckets import Bucket, quantile
from store.analytics.histogram import Histogram, HistogramAnalysis
from store.errors import UsageError
from store.testing import events_of
from store.timespan import TimeSpan
from tests.store.analytics.people import MONDAY, told

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(MONDAY, MONDAY + 3 * MINUTE)
COLUMNS = {
    **dict.fromkeys(["metric_start_unix_nano", "metric_zero_count"], pl.UInt64),
    **dict.fromkeys(["metric_scale", "metric_positive_offset", "metric_negative_offset"], pl.Int64),
    **dict.fromkeys(["metric_temporality", "metric_stream", "metric_kind", "host"], pl.String),
    **dict.fromkeys(["metric_bucket_counts", "metric_explicit_bounds"], pl.String),
    **dict.fromkeys(["metric_positive_counts", "metric_negative_counts"], pl.String),
    "metric_is_monotonic": pl.Boolean,
    "metric_zero_threshold": pl.Float64,
}


def point(seconds, temporality="delta", start=1, **fields):
    return {
        "event_time": MONDAY + timedelta(seconds=seconds),
        "event_type": "metric",
        "event_name": "times",
        "metric_kind": "histogram",
        "metric_temporality": temporality,
        "metric_stream": "s",
        "metric_start_unix_nano": int(MONDAY.timestamp()) * 10**9 - 10**10 + start,
        **{f"metric_{name}": value for name, value in fields.items()},
    }


def explicit(seconds, counts, bounds=(10, 20), **fields):
    return point(
        seconds, bucket_counts=str(list(counts)), explicit_bounds=str(list(bounds)), **fields
    )


def exponential(seconds, scale, positive=(), offset=0, **fields):
    return point(
        seconds,
        kind="exponential_histogram",
        scale=scale,
        positive_counts=str(list(positive)),
        positive_offset=offset,
        **fields,
    )


def answer(points, parts=None, groups=(0,), **options):
    options = {"span": SPAN, "interval": MINUTE, "measures": ("p50",), **options}
    frame = events_of(points)
    absent = [pl.lit(None, t).alias(name) for name, t in COLUMNS.items() if name not in frame]
    frame = frame.with_columns(absent)
    return told(HistogramAnalysis(), Histogram(**options), frame, parts, groups)["series"]


def values(points, *split, **options):
    (series,) = answer(points, *split, **options)
    return [value for _, value in series["points"]]


@pytest.mark.parametrize(
    ("counts", "measure", "expected"),
    [
        ([4, 0, 0], "p50", 5.0),
        ([2, 2, 0], "p75", 15.0),
        ([0, 4, 0], "p0", 10.0),
        ([0, 4, 0], "p100", 20.0),
        ([0, 0, 4], "p50", 20.0),
        ([1, 1, 2], "p99", 20.0),
    ],
)
def test_explicit_buckets_are_linear_from_0_and_open_ones_tell_their_start(
    counts, measure, expected
):
    assert values([explicit(0, counts)], measures=(measure,))[0] == expected


def test_a_lowest_bucket_below_0_tells_its_bound():
    assert values([explicit(0, [4, 0], [-5])])[0] == -5


def test_one_bucket_without_bounds_tells_nothing():
    assert quantile([Bucket(math.inf, -math.inf, 3.0, False)], 0.5) is None


def test_empty_points_are_null_and_deltas_add_up():
    points = [explicit(0, [4, 0, 0]), explicit(1, [0, 4, 0]), explicit(130, [0, 0, 0])]
    assert values(points) == [10.0, None, None]
    assert values(points, measures=("count",)) == [8, 0, 0]


def test_cumulative_buckets_count_what_came_to_them():
    points = [
        explicit(0, [4, 0, 0], temporality="cumulative"),
        explicit(70, [4, 4, 0], temporality="cumulative"),
        explicit(70, [4, 4, 0], temporality="cumulative"),
        explicit(130, [0, 0, 2], temporality="cumulative", start=2),
    ]
    assert values(points) == [5.0, 15.0, 20.0]
    assert values(points, measures=("count",)) == [4, 4, 2]


def test_without_a_start_buckets_that_fall_begin_anew():
    counts = ([0, 0, 0], [4, 6, 0], [5, 0, 0], [6, 7, 0])
    points = [explicit(10 * at, c, temporality="cumulative") for at, c in enumerate(counts)]
    points = [{**each, "metric_start_unix_nano": None} for each in points]
    # 4 + 1 + 1, and 6 + 7, although the second was empty between.
    assert values(points, measures=("count",)) == [19, 0, 0]
    parts = [at % 2 for at in range(4)]
    assert values(points[::-1], parts, (1, 0), measures=("count",)) == [19, 0, 0]


def test_without_a_start_a_bucket_that_is_new_began_at_0():
    points = [
        exponential(10 * at, 0, c, temporality="cumulative") for at, c in enumerate(([4], [4, 3]))
    ]
    points = [{**each, "metric_start_unix_nano": 0} for each in points]
    assert values(points, measures=("count",)) == [3, 0, 0]


def test_what_was_counted_long_before_is_left_out():
    points = [
        explicit(s, c, temporality="cumulative") for s, c in ((0, [9, 1, 0]), (70, [9, 3, 1]))
    ]
    boot = int((MONDAY - timedelta(days=3)).timestamp()) * 10**9
    points = [{**each, "metric_start_unix_nano": boot} for each in points]
    assert values(points, measures=("count",)) == [0, 3, 0]


def test_exponential_buckets_are_geometric():
    assert values([exponential(0, 0, [4], 1)])[0] == pytest.approx(2 * math.sqrt(2))
    assert values([exponential(0, 1, [4])])[0] == pytest.approx(2**0.25)


def test_negative_ones_and_the_zero_bucket_stand_before():
    negative = {"negative_counts": "[4]", "negative_offset": 0, "zero_count": 4}
    points = [exponential(0, 0, [4], zero_threshold=0.5, **negative)]
    assert values(points, measures=("p0",))[0] == pytest.approx(-2)
    assert values(points)[0] == 0
    assert values(points, measures=("p100",))[0] == 2
    alone = [exponential(0, 0, [4], zero_count=4, zero_threshold=0.5)]
    assert values(alone, measures=("p25",))[0] == 0.25


def test_a_scale_that_becomes_coarser_costs_no_count():
    points = [
        exponential(0, 1, [1, 2, 3, 4], temporality="cumulative"),
        exponential(70, 0, [5, 7], temporality="cumulative"),
    ]
    assert values(points, measures=("count",)) == [10, 2, 0]


@pytest.mark.parametrize("offset", [2**31 - 10, -(2**31)])
def test_buckets_at_the_ends_of_the_world_tell_some_number_or_none(offset):
    found = values([exponential(0, -10, [1, 1], offset)])[0]
    assert found is None or math.isfinite(found)


@pytest.mark.parametrize(
    "fields",
    [
        {"bucket_counts": "[1,2", "explicit_bounds": "[5]"},
        {"bucket_counts": "[1,2,3]", "explicit_bounds": "[5]"},
        {"bucket_counts": "nonsense", "explicit_bounds": "[]"},
        {"bucket_counts": None},
    ],
)
def test_what_was_cut_or_is_no_list_spoils_nothing(fields):
    found = values([explicit(0, [4, 0, 0]), point(1, **fields)])[0]
    assert found is not None


def test_keys_are_apart_and_those_past_the_limit_one():
    points = [{**explicit(0, [n, 0, 0]), "host": f"h{n}"} for n in (3, 1, 2)]
    found = answer(points, by=("host",), limit=1, measures=("count",))
    assert [(each["key"]["host"], each["points"][0][1]) for each in found] == [("h3", 3), ("", 3)]


def test_what_is_no_measure_is_said():
    for measure in ("p101", "mean", "p", ""):
        with pytest.raises(UsageError, match="p0 to p100"):
            answer([explicit(0, [1, 0, 0])], measures=(measure,))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_split_and_order_of_cumulative_points_gives_the_same(data):
    steps = data.draw(
        st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=6)
    )
    total, points = [0, 0, 0], []
    counted = [[0, 0, 0] for _ in range(3)]
    for at, step in enumerate(steps):
        total = [a + b for a, b in zip(total, step, strict=True)]
        points.append(explicit(at * 29, total, temporality="cumulative"))
        minute = at * 29 // 60
        counted[minute] = [a + b for a, b in zip(counted[minute], step, strict=True)]
    shuffled = data.draw(st.permutations(points))
    parts = data.draw(st.lists(st.integers(0, 2), min_size=len(points), max_size=len(points)))
    alone = [explicit(at * 60, counts) for at, counts in enumerate(counted)]
    for measure in ("count", "p50", "p95"):
        split = (parts, (0, 1))
        assert values(shuffled, *split, measures=(measure,)) == values(alone, measures=(measure,))


def test_points_of_too_few_values_are_named():
    rows = [explicit(1, (98, 1, 0)), explicit(61, (99, 1, 0))]
    found = answer(rows, measures=("p99", "p95", "count"))
    assert {series["measure"]: series.get("few") for series in found} == {
        "p99": ["2026-11-02T00:00:00Z"],
        "p95": None,
        "count": None,
    }


def test_a_percentile_in_the_bucket_without_an_end_is_told_to_be_no_less():
    rows = [explicit(1, (1, 1, 2)), explicit(61, (2, 2, 0)), exponential(121, 0, (4,))]
    found = answer(rows, measures=("p50", "p75", "count"))
    assert [value for _, value in found[1]["points"]] == [20.0, 15.0, pytest.approx(2**0.75)]
    assert {series["measure"]: series.get("at_least") for series in found} == {
        "p50": None,
        "p75": ["2026-11-02T00:00:00Z"],
        "count": None,
    }
