"""Timings, buckets and sketches held against published tests: StatsD's of timers and counters,
OpenTelemetry's Go SDK's of exponential histograms (recording and coarser scales), and DDSketch's of
its relative error over shapes and sizes of data.
"""

import math
from datetime import timedelta

import pytest

from store.analytics.percentiles import Percentiles, PercentilesAnalysis
from store.analytics.trends import Trends, TrendsAnalysis
from store.testing import NOON
from store.timespan import TimeSpan
from tests.store.analytics.pure import answer
from tests.store.analytics.reference import linear
from tests.store.analytics.test_histogram import exponential, values
from tests.store.analytics.test_sketch import QUANTILES, told

FLUSH = TimeSpan(NOON, NOON + timedelta(milliseconds=100))


def timer(numbers, **more):
    rows = [{"event_time": NOON, "duration_ms": float(number), **more} for number in numbers]
    (row,) = answer(PercentilesAnalysis(), Percentiles(span=FLUSH), [rows]).result.rows
    return row.values


@pytest.mark.parametrize(
    ("numbers", "mean", "least", "middle", "most"),
    [
        ([100], 100, 100, 100, 100),
        ([100, 200, 300], 200, 100, 200, 300),
        ([300, 200, 400, 100], 250, 100, 250, 400),
        ([10, 10, 10, 10, 10, 10, 10, 10, 100, 200], 38, 10, 10, 200),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.5, 1, 5.5, 10),
        ([0, 2, 4, 6, 8], 4, 0, 4, 8),
    ],
)
def test_statsd_timers(numbers, mean, least, middle, most):
    found = timer(numbers)
    names = ("count", "mean", "min", "p50", "max")
    assert [found[name] for name in names] == [len(numbers), mean, least, middle, most]


def test_statsd_timers_that_were_sampled_count_as_often_as_they_stand_for():
    found = timer([100, 200, 300], sample_rate=50 / 3)
    assert found["count"] == pytest.approx(50)
    assert found["mean"] == pytest.approx(200)


def test_statsd_counters_are_told_by_the_second():
    rows = [{"event_time": NOON}, {"event_time": NOON + FLUSH.length / 2}]
    query = Trends(span=FLUSH, interval=FLUSH.length, measures=("count", "rate"))
    count, rate = answer(TrendsAnalysis(), query, [rows]).result.series
    assert (count.values, rate.values) == ([2], [20.0])


RECORDED = {
    "2, 4, 1": (3, 0, -1, [1, 1, 1], 0.5, 4),
    "4, 4, 4, 2, 16, 1": (6, -1, -1, [1, 4, 1], 0.25, 16),
    "1, 2, 4 in two": (3, -1, -1, [1, 2], 0.25, 4),
    "2, 2, 2, 1, 8, 0.5": (6, -1, -1, [2, 3, 1], 0.25, 16),
    "1, 0.5, 2": (3, -1, -1, [2, 1], 0.25, 4),
}


@pytest.mark.parametrize("case", RECORDED)
def test_opentelemetry_buckets_hold_what_was_recorded_in_them(case):
    count, scale, offset, counts, least, most = RECORDED[case]
    point = exponential(0, scale, counts, offset)
    assert values([point], measures=("count",))[0] == count
    assert values([point], measures=("p0",))[0] == pytest.approx(least)
    assert values([point], measures=("p100",))[0] == pytest.approx(most)
    mirrored = {"negative_counts": str(counts), "negative_offset": offset}
    below = exponential(0, scale, (), 0, **mirrored)
    assert values([below], measures=("p0",))[0] == pytest.approx(-most)


COARSER = {
    "one bucket": (4, 50, [7], 3, [7]),
    "the same scale": (0, 50, [7, 5], 50, [7, 5]),
    "aligned, by 1": (1, 0, [1, 2, 3, 4, 5, 6], 0, [3, 7, 11]),
    "aligned, by 2": (2, 0, [1, 2, 3, 4, 5, 6], 0, [10, 11]),
    "aligned, by 3": (3, 0, [1, 2, 3, 4, 5, 6], 0, [21]),
    "not aligned, by 1": (1, 5, [1, 2, 3, 4, 5, 6], 2, [1, 5, 9, 6]),
    "not aligned, by 2": (2, 7, [1, 2, 3, 4, 5, 6], 1, [1, 14, 6]),
    "not aligned, by 3": (3, 3, [1, 2, 3, 4, 5, 6], 0, [15, 6]),
    "with a hole": (1, 1, [1, 0, 1], 0, [1, 1]),
    "from below 1": (1, -1, [1, 0, 3], -1, [1, 3]),
    "from far below 1": (1, -4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], -2, [3, 7, 11, 15, 19]),
}


@pytest.mark.parametrize("case", COARSER)
def test_opentelemetry_a_coarser_scale_has_the_counts_of_the_finer_one(case):
    """A stream that grew by one event, in (1, 2], when its scale had become coarser."""
    by, offset, counts, coarser_offset, coarser = COARSER[case]
    missing = max(0, coarser_offset)
    grown = [*[0] * missing, *coarser]
    grown[-min(coarser_offset, 0)] += 1
    points = [
        exponential(0, by, counts, offset, temporality="cumulative"),
        exponential(70, 0, grown, coarser_offset - missing, temporality="cumulative"),
    ]
    assert values(points, measures=("count",))[:2] == [sum(counts), 1]
    assert values(points, measures=("p0",))[1] == 1
    assert values(points, measures=("p100",))[1] == 2


SIZES = (3, 5, 10, 100, 1000)
SHAPES = {
    "uniform, rising": lambda n: [float(at) for at in range(1, n + 1)],
    "uniform, falling": lambda n: [float(at) for at in range(n, 0, -1)],
    "zooming in": lambda n: [float(at if at % 2 else n - at) + 1 for at in range(n)],
    "square roots": lambda n: [math.sqrt(at + 1) for at in range(n)],
    "constant": lambda n: [42.0] * n,
    "below zero": lambda n: [-float(at) for at in range(1, n + 1)],
    "exponential": lambda n: [-math.log(1 - (at + 0.5) / n) * 100 for at in range(n)],
    "over many magnitudes": lambda n: [10 ** (at * 200 / n - 100) for at in range(n)],
    "two humps": lambda n: [1 + at / n if at % 2 else 1e6 + at for at in range(n)],
    "whole numbers": lambda n: [float((at * 7919) % 17 + 1) for at in range(n)],
    # What leads a t-digest astray, which promises nothing of values (Cormode and others, 2021).
    "ever closer to one": lambda n: [1 + 2.0 ** -(at % 52) for at in range(n)],
    "one far away": lambda n: [1.0] * (n - 1) + [1e12],
    "both ends in turn": lambda n: [(-1.0) ** at * 10.0 ** (at % 300) for at in range(n)],
    "nested": lambda n: [2.0 ** -(at % 60) * (1 if at % 2 else 1e9) for at in range(n)],
    "half of them nothing": lambda n: (
        [0.0] * (n // 2) + [1e-9 * at for at in range(1, n - n // 2 + 1)]
    ),
    "the least there are": lambda n: [5e-324 * (at + 1) for at in range(n)],
    "the largest there are": lambda n: [1.7e308 / (at + 1) for at in range(n)],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_ddsketch_every_percentile_is_within_the_error_it_promises(shape, size):
    numbers = SHAPES[shape](size)
    for quantile, found in zip(QUANTILES, told(numbers)[0], strict=True):
        wanted = linear(numbers, quantile)
        assert abs(found - wanted) <= 0.01 * abs(wanted) * (1 + 1e-9)
