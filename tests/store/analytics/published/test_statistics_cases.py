"""Statistics held against published examples: Mann and Kendall's test and Sen's slope, Wilson's
interval (Newcombe 1998, table I), that of a difference (the same year, table II), the false
discovery rate (Benjamini and Hochberg 1995), and percentiles with linear interpolation (R's type 7,
numpy's `linear`).
"""

import math

import polars as pl
import pytest

from store.analytics import sketch
from store.analytics.differences import Difference, _beyond_chance, _p_of_distance
from store.analytics.funnel.shares import wilson as of_funnel
from store.analytics.mann_kendall import trend
from store.analytics.shares import newcombe, wilson

BY_HAND = [12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7]
"""J. Little, Holy Cross: S = 54, one tie, Z = 2.9058."""


RAIN = [
    32, 20, 25, 189, 240, 193, 379, 278, 301, 0, 0, 82, 0, 4, 121, 234, 360, 262, 120, 30, 11, 1,
    7, 3, 31, 31, 355, 102, 248, 274, 308, 5, 26, 11, 16, 6, 48, 388, 539, 431, 272, 404, 186, 0,
    2, 0, 4, 1, 54, 272, 459, 235, 164, 365, 135, 2, 4, 0, 128, 210, 163, 446, 225, 462, 467, 19,
    13, 0, 3, 17, 132, 178, 338, 525, 623, 145, 31, 19, 3, 0, 29, 25, 87, 259, 756, 486, 180, 292,
    43, 92, 1, 0, 16, 2, 0, 130, 253, 594, 111, 273, 30, 0, 4, 0, 27, 24, 41, 292, 378, 499, 265,
    320, 227, 4, 0, 4, 14, 8, 48, 416, 240, 404, 207, 733, 105, 0, 112, 0, 14, 0, 30, 140, 202,
    289, 159, 424, 106, 3, 0, 65, 3, 14, 58, 268, 466, 432, 266, 240, 95, 1, 0, 10, 26, 4, 114,
    94, 289, 173, 208, 263, 156, 5, 0, 16, 16, 14, 0, 111, 475, 534, 432, 471, 117, 70, 1, 3, 28,
    7, 401, 184, 283, 338, 171, 335, 176, 0, 0, 10, 11, 9, 140, 102, 208, 298, 245, 220, 29, 2,
    27, 10, 13, 26, 84, 143, 367, 749, 563, 283, 353, 10, 0, 0, 0, 0, 9, 246, 265, 343, 429, 168,
    133, 17, 0, 18, 35, 76, 158, 272, 250, 190, 289, 466, 84, 0, 0, 0, 0, 0, 22, 217, 299, 185,
    115, 344, 203, 8, 0, 5, 284, 123, 254, 476, 496, 326, 27, 20, 0, 4, 53, 72, 113, 214, 364,
    219, 220, 156, 264, 0, 13, 0, 0, 45, 90, 137, 638, 529, 261, 206, 251, 0, 0, 5, 9, 58, 72,
    138, 130, 471, 328, 356, 523, 0, 1, 0, 0, 12, 143, 193, 184, 192, 138, 174, 69, 1, 0, 0, 18,
    25, 28, 92, 732, 320, 256, 302, 131, 15, 0, 27, 0, 22, 20, 213, 393, 474, 374, 109, 159, 0, 0,
    0, 3, 3, 49, 205, 128, 194, 570, 169, 89, 0, 0, 0, 0, 0, 26, 185, 286, 92, 225, 244, 190, 3,
    20,
]  # fmt: skip
"""Millimetres a month at Bogra, 1981 to 2010, of pyMannKendall's tests; many months had none."""


def p_of(z):
    return math.erfc(abs(z) / math.sqrt(2))


@pytest.mark.parametrize(
    ("values", "word", "z"),
    [
        (BY_HAND, "up", 2.9058),
        (BY_HAND[::-1], "down", -2.9058),
        # S = n (n - 1) / 2 of what only rises: Z = 44 / sqrt(125) for ten values.
        (list(range(10)), "up", 44 / math.sqrt(125)),
        (list(range(10))[::-1], "down", -44 / math.sqrt(125)),
        # S = 0.
        ([1, 2, 3, 4, 4, 3, 2, 1], "flat", 0),
        ([5] * 12, "flat", 0),
    ],
    ids=["by hand", "reversed", "rising", "falling", "there and back", "all equal"],
)
def test_mann_and_kendall(values, word, z):
    found = trend(values)
    assert found.word == word
    assert found.p == pytest.approx(p_of(z), abs=1e-4)


@pytest.mark.parametrize(
    ("values", "slope"),
    [
        # Gilbert 1987, chapter 16: slopes of six pairs, 5, 2, 3.33, -1, 2.5 and 6.
        ([10, 15, 14, 20], 35 / 12),
        ([2 * at + 1 for at in range(9)], 2),
        ([0, 0, 0, 100, 0, 0, 0], 0),
        ([7, None, 9, None, 11], 1),
    ],
)
def test_sens_slope_is_the_median_of_those_of_all_pairs(values, slope):
    assert trend(values).slope == pytest.approx(slope)


def test_rain_of_thirty_years_has_the_trend_that_pymannkendall_says():
    found = trend(RAIN)
    assert (found.word, found.size) == ("flat", 353)
    assert found.p == pytest.approx(0.37591058740506833, rel=1e-12)
    assert found.slope == pytest.approx(-0.0064516129032258064, rel=1e-12)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # R's binom.confint, as statsmodels' tests have it.
        (18, 20, 0.6989663547715128, 0.972133518786232),
        (4, 20, 0.0806576625797981, 0.4160174322518935),
        (4, 200, 0.00780442641634947, 0.05028708690582643),
        (190, 200, 0.910421851861224, 0.972617354399236),
        (1, 30, 5.908590e-03, 0.16670391),
        (29, 30, 0.8332961, 0.9940914),
        (0, 30, 0, 0.11351339),
        (30, 30, 0.8864866, 1),
    ],
)
def test_wilsons_interval_to_seven_digits_of_shares_and_of_funnels(count, of, low, high):
    found = wilson(count, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-8)
    assert of_funnel(count, of) == (found.low, found.high)


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0000),
    ],
)
def test_wilsons_interval(count, of, low, high):
    found = wilson(count, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("now", "before", "difference", "low", "high"),
    [
        ((56, 70), (48, 80), 0.2, 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.6, 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.5714, 0.0582, 0.8062),
        ((5, 56), (0, 29), 0.0893, -0.0381, 0.1926),
        ((0, 10), (0, 20), 0.0, -0.1611, 0.2775),
        ((0, 10), (0, 10), 0.0, -0.2775, 0.2775),
        ((10, 10), (0, 20), 1.0, 0.6791, 1.0),
        ((10, 10), (0, 10), 1.0, 0.6075, 1.0),
    ],
)
def test_newcombes_interval_of_the_difference_of_two_shares(now, before, difference, low, high):
    """His second paper of 1998, table II, method 10."""
    gap = newcombe(wilson(*now), wilson(*before))
    assert tuple(gap) == pytest.approx((difference, low, high), abs=5e-5)
    other = newcombe(wilson(*before), wilson(*now))
    assert tuple(other) == pytest.approx((-difference, -high, -low), abs=5e-5)


def test_a_share_of_nothing_differs_from_none():
    assert tuple(newcombe(wilson(0, 0), wilson(3, 7))) == (None, None, None)
    assert tuple(newcombe(wilson(3, 7), wilson(0, 0))) == (None, None, None)


DISCOVERIES = {
    "thrombolysis, 15 tests": (
        [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
         0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0],
        4,
    ),
    "ten tests": (
        [0.0001, 0.0234, 0.3354, 0.0021, 0.5211, 0.9123, 0.0008, 0.0293, 0.05, 1.0],
        3,
    ),
    "one that fails takes the next along": ([0.01, 0.04, 0.03, 0.045, 0.05], 5),
    "none": ([0.2, 0.9], 0),
}  # fmt: skip


@pytest.mark.parametrize("case", DISCOVERIES)
def test_benjamini_and_hochberg(case):
    chances, passed = DISCOVERIES[case]
    tested = [Difference(f"a{at}", "v", 0.6, 0.5, 99, 99, p) for at, p in enumerate(chances)]
    found = _beyond_chance(tested)
    assert sorted(each.p for each in found) == sorted(chances)[:passed]


@pytest.mark.parametrize(
    ("size", "chance"),
    # Smirnov's table of the limiting distribution: 1.22, 1.36 and 1.63 are 10, 5 and 1 %.
    [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)],
)
def test_kolmogorov_and_smirnov(size, chance):
    many = 10**8
    assert _p_of_distance(size / math.sqrt(many / 2), many, many) == pytest.approx(chance, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "shares"),
    [
        ([15, 20, 35, 40, 50], {0.05: 16, 0.3: 23, 0.4: 29, 0.95: 48}),
        ([1, 2, 3, 4], {0.75: 3.25}),
        ([3, 6, 7, 8, 8, 10, 13, 15, 16, 20], {0.25: 7.25, 0.5: 9, 0.75: 14.5, 1: 20}),
        ([3, 6, 7, 8, 8, 9, 10, 13, 15, 16, 20], {0.25: 7.5, 0.5: 9, 0.75: 14, 0: 3}),
        ([95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.0610, 95.1591, 95.1195, 95.1065,
          95.0925, 95.1990, 95.1682], {0.5: 95.1579, 0.9: 95.19568}),
    ],
    ids=["wikipedia", "four", "ten", "eleven", "NIST's twelve readings"],
)  # fmt: skip
def test_percentiles(values, shares):
    rows = pl.DataFrame({"bucket": [float(value) for value in values], "weight": 1.0})
    buckets = rows.group_by("bucket").agg(sketch.counted(pl.col("weight").sum(), pl.col("bucket")))
    one = buckets.select(sketch.listed()).select(pl.all().implode())
    (found,) = sketch.percentiles(one, tuple(shares)).rows()
    assert found[:-1] == pytest.approx(tuple(shares.values()), abs=1e-4)
    assert found[-1]
