"""Percentiles out of buckets held against Prometheus' published cases of `histogram_quantile`, of
classic and of native histograms. (Its native buckets are numbered one higher than OTLP's.)
"""

import math

import pytest

from store.analytics.buckets import Bucket, quantile
from store.errors import UsageError
from tests.store.analytics.test_histogram import answer, explicit, exponential, values

INF = math.inf


def counts(cumulative):
    return [above - below for below, above in zip([0, *cumulative], cumulative, strict=False)]


def share(bounds, cumulative, q):
    """Through the analysis, where the counts are whole."""
    points = [explicit(0, counts(cumulative), bounds)]
    return values(points, measures=(f"p{q * 100:g}",))[0]


POSITIVE = ([0.1, 0.2, 1], [50, 70, 110, 120])
NEGATIVE = ([-0.2, -0.1, 0.3], [10, 20, 20, 30])
MIDDLES = ([0, 2, 4, 6], [0, 1, 2, 3, 3])
FROM_ZERO = ([0, 0.1, 0.2, 1], [0, 50, 70, 110, 110])
BELOW = ([-0.25, -0.2, -0.1, 0.3], [0, 10, 20, 20, 20])


@pytest.mark.parametrize(
    ("histogram", "shares"),
    [
        (POSITIVE, {0: 0, 0.2: 0.048, 0.5: 0.15, 0.8: 0.72, 1: 1}),
        (NEGATIVE, {0: -0.2, 0.2: -0.2, 0.5: -0.15, 0.8: 0.3, 1: 0.3}),
        (FROM_ZERO, {0: 0, 0.25: 0.055, 0.5: 0.125, 0.75: 0.45, 1: 1}),
        (BELOW, {0: -0.25, 0.25: -0.225, 0.5: -0.2, 0.75: -0.15, 1: -0.1}),
    ],
    ids=["positive", "negative", "from 0", "below 0"],
)
def test_linear_between_bounds(histogram, shares):
    found = {q: share(*histogram, q) for q in shares}
    assert found == pytest.approx(shares)


def held(bounds, cumulative):
    """The same without the analysis, for counts that are not whole."""
    lowers = [-INF, *bounds]
    uppers = [*bounds, INF]
    return [
        Bucket(upper, lower, float(count), False)
        for upper, lower, count in zip(uppers, lowers, counts(cumulative), strict=True)
    ]


@pytest.mark.parametrize(("q", "expected"), [(1 / 6, 1), (1 / 2, 3), (5 / 6, 5)])
def test_the_middles_of_buckets(q, expected):
    assert quantile(held(*MIDDLES), q) == pytest.approx(expected)


REQUESTS = {
    ("job1", "ins1"): [1, 3, 4],
    ("job1", "ins2"): [2, 5, 6],
    ("job2", "ins1"): [3, 4, 6],
    ("job2", "ins2"): [4, 7, 9],
}


@pytest.mark.parametrize(
    ("by", "q", "expected"),
    [
        ((), 0.3, {(): 0.075}),
        ((), 0.5, {(): 0.1277777777777778}),
        (("instance",), 0.3, {("ins1",): 0.075, ("ins2",): 0.075}),
        (("instance",), 0.5, {("ins1",): 0.1333333333, ("ins2",): 0.125}),
        (("job",), 0.3, {("job1",): 0.1, ("job2",): 0.0642857142857143}),
        (("job",), 0.5, {("job1",): 0.14, ("job2",): 0.1125}),
        (
            ("job", "instance"),
            0.3,
            dict(zip(REQUESTS, (0.11, 0.09, 0.06, 0.0675), strict=True)),
        ),
        (
            ("job", "instance"),
            0.5,
            dict(zip(REQUESTS, (0.15, 0.1333333333, 0.1, 0.1166666667), strict=True)),
        ),
    ],
    ids=str,
)
def test_histograms_are_added_before_they_are_read(by, q, expected):
    points = [
        {
            **explicit(0, [100 * count for count in counts(cumulative)], [0.1, 0.2]),
            "job": job,
            "instance": instance,
        }
        for (job, instance), cumulative in REQUESTS.items()
    ]
    found = answer(points, by=by, measures=(f"p{q * 100:g}",))
    told = {tuple(each["key"][name] for name in by): each["points"][0][1] for each in found}
    assert told == pytest.approx(expected)


REAL = (
    [1, 5, 10, 25, 50, 64, 80, 100, 250, 1000],
    [6454661.3014166197, 8339611.2001912938, 14118319.2444762159, 14130031.5272856522]
    + [46001270.3030008152] + [46008473.8585563600] * 6,
)  # fmt: skip
SMALL = (
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100],
    [9.6, 9.688888889, 9.755555556, 9.844444444] + [9.888888889] * 11,
)


@pytest.mark.parametrize(
    ("histogram", "shares"),
    [
        (([10, 15, 20, 30], [10, 15, 15, 15, 15]), {1: 15, 0.99: 14.85, 0.9: 13.5, 0.5: 7.5}),
        (
            REAL,
            {1: 64, 0.99: 49.64475715376406, 0.9: 46.39671690938454, 0.5: 31.96098248992002},
        ),
        (
            SMALL,
            {
                1: 0.1,
                0.99: 0.03468750000281261,
                0.9: 0.00463541666671875,
                0.5: 0.0025752314815104174,
            },
        ),
    ],
    ids=["simple", "real", "small"],
)
def test_real_examples(histogram, shares):
    found = {q: quantile(held(*histogram), q) for q in shares}
    assert found == pytest.approx(shares, rel=1e-9)


@pytest.mark.parametrize("measure", ["p-10", "p101", "pNaN"])
def test_a_share_that_is_none_is_refused(measure):
    with pytest.raises(UsageError):
        values([explicit(0, [1, 0, 0])], measures=(measure,))


def native(q, positive=(), negative=(), **fields):
    """Scale 0, its first bucket up to 1, which is OTLP's bucket -1."""
    more = {"negative_counts": str(list(negative)), "negative_offset": -1} if negative else {}
    point = exponential(0, 0, positive, -1, **more, **fields)
    return values([point], measures=(f"p{q * 100}",))[0]


WITH_ZERO = {"zero_count": 2, "zero_threshold": 0.001}
SPARSE = [2, 3, 0, 1, 4]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (1, 16),
        (0.99, 15.67072476139083),
        (0.9, 12.99603834169977),
        (0.6, 4.594793419988138),
        (0.5, 1.5874010519681994),
        (0.1, 0.0006),
        (0, 0),
    ],
)
def test_exponential_between_bounds_and_linear_in_the_zero_bucket(q, expected):
    assert native(q, SPARSE, **WITH_ZERO) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (1, 0),
        (0.99, -0.00006),
        (0.9, -0.0006),
        (0.5, -1.5874010519681996),
        (0.1, -12.996038341699768),
        (0, -16),
    ],
)
def test_negative_ones_are_mirrored(q, expected):
    assert native(q, negative=SPARSE, **WITH_ZERO) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("positive", "negative", "fields", "expected"),
    [
        ([1, 2, 1], [], {}, math.sqrt(2)),
        ([1, 3, 1], [], {}, math.sqrt(2)),
        ([1, 12, 1], [], {}, math.sqrt(2)),
        ([], [1, 2, 1], {}, -math.sqrt(2)),
        ([], [], {"zero_count": 1, "zero_threshold": 0.5}, 0),
    ],
    ids=["single", "five", "fourteen", "negative", "zero alone"],
)
def test_the_median_of(positive, negative, fields, expected):
    assert native(0.5, positive, negative, **fields) == pytest.approx(expected)


def test_a_median_between_two_sides_is_where_the_lower_one_ends():
    """Prometheus reads from above from the median on, and tells where the upper one begins: 0.5."""
    assert native(0.5, [1, 2, 1], [1, 2, 1]) == -0.5


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        (1, 16),
        (0.99, 15.34822590920423),
        (0.9, 10.556063286183155),
        (0.7, 1.2030250360821164),
        (0.55, 0.0006),
        (0.5, 0),
    ],
)
def test_both_sides_of_a_zero_bucket_mirror_each_other(q, expected):
    both = {"zero_count": 4, "zero_threshold": 0.001}
    assert native(q, SPARSE, SPARSE, **both) == pytest.approx(expected)
    assert native(1 - q, SPARSE, SPARSE, **both) == pytest.approx(-expected)


@pytest.mark.parametrize(
    ("scale", "first", "second"),
    [(-1, 2, 8), (0, 2**0.5, 8**0.5), (1, 1.189207, 1.6817928305074292)],
)
def test_a_median_in_one_bucket_is_its_middle_whatever_the_scale(scale, first, second):
    for offset, expected in ((0, first), (1, second)):
        above = exponential(0, scale, [5], offset)
        below = exponential(0, scale, (), 0, negative_counts="[5]", negative_offset=offset)
        assert values([above]) == [pytest.approx(expected), None, None]
        assert values([below]) == [pytest.approx(-expected), None, None]


ROUND_TRIPS = [
    (SPARSE, (), 2, {0.08333333333333333: 0.0005, 0.6320802083934297: 6}),
    ((), SPARSE, 2, {0.9166666666666666: -0.0005, 0.36791979160657035: -6}),
    (SPARSE, SPARSE, 4, {0.5416666666666666: 0.0005, 0.4583333333333333: -0.0005}),
]


@pytest.mark.parametrize(("positive", "negative", "zeros", "shares"), ROUND_TRIPS)
def test_the_share_below_a_value_gives_the_value(positive, negative, zeros, shares):
    more = {"zero_count": zeros, "zero_threshold": 0.001}
    found = {q: native(q, positive, negative, **more) for q in shares}
    assert found == pytest.approx(shares)
