"""Statistics held against published examples: Mann and Kendall's test and Sen's slope, Wilson's
interval (Newcombe 1998, table I), the false discovery rate (Benjamini and Hochberg 1995), and
percentiles with linear interpolation (R's type 7, numpy's `linear`).
"""

import math

import polars as pl
import pytest

from store.analytics import sketch
from store.analytics.differences import Difference, _beyond_chance, _p_of_distance
from store.analytics.mann_kendall import trend
from store.analytics.shares import wilson

BY_HAND = [12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7]
"""J. Little, Holy Cross: S = 54, one tie, Z = 2.9058."""


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
