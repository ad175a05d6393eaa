"""Counters held against Prometheus' published cases of `increase`, `rate` and resets, and against
VictoriaMetrics' of resets.

Prometheus stretches what it saw to the edges of the range; an increase here is what came between
the points. So the cases are those where both agree, and where they do not, the test says by what.
Its series have no start: a value that falls has begun anew at 0.
"""

from datetime import timedelta
from itertools import pairwise

import pytest

from store.timespan import TimeSpan
from tests.store.analytics.people import MONDAY
from tests.store.analytics.test_increase import point, values

MINUTE = timedelta(minutes=1)
DAY = TimeSpan(MONDAY, MONDAY + timedelta(days=1))


def run(*pieces):
    """`(10, 10, 3)` is 10, 20, 30, 40, as `10+10x3` there."""
    found = []
    for piece in pieces:
        first, step, times = piece if isinstance(piece, tuple) else (piece, 0, 0)
        found += [first + step * at for at in range(times + 1)]
    return found


def series(numbers, minutes=5, **fields):
    return [
        point(at * minutes * 60, float(value), **{"start": None, **fields})
        for at, value in enumerate(numbers)
    ]


def increase(points, parts=None, groups=(0,), **options):
    options = {"span": DAY, "interval": timedelta(days=1), **options}
    (found,) = values(points, parts, groups, **options)
    return found


INCREASES = {
    "straight": (run((0, 10, 10)), 100),
    "reset at its half": (run((0, 18, 5), (0, 18, 4)), 90 + 72),
    "from 10 on; stretched, 105": (run((10, 10, 10)), 100),
    "from 1 on; stretched, 101": (run((1, 10, 10)), 100),
    "a small fall": ([0, 1, 2, 3, 2, 3, 4], 7),
    "reset in the middle": (run((0, 27, 4), (0, 27, 5)), 108 + 135),
    "reset at the end": (run((0, 10, 9), 0, 10), 90 + 10),
    "three falls": ([1, 2, 3, 0, 1, 0, 0, 1, 2, 0], 2 + 1 + 2),
    "a fall to one": ([1, 2, 3, 4, 5, 1, 2, 3, 4, 5], 4 + 5),
    "once": ([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 1),
    "eighty each": (run((0, 80, 10)), 800),
    "a single value": ([7], 0),
    "down and up": ([0, 50, 100, 50], 100 + 50),
    "twelve values": ([123, 34, 44, 21, 54, 34, 99, 12, 44, 32, 34, 34], 398 - 123),
    "a small start counts for nothing": ([5, 6, 8], 3),
}


@pytest.mark.parametrize("case", INCREASES)
def test_what_a_counter_went_up_by(case):
    numbers, expected = INCREASES[case]
    assert increase(series(numbers)) == expected


@pytest.mark.parametrize("case", INCREASES)
def test_it_does_not_hang_on_the_order_of_arrival_nor_on_repeats(case):
    numbers, expected = INCREASES[case]
    points = series(numbers)
    mixed = [*points[1::2], *points[::2], *points[::3]]
    parts = [at % 3 for at in range(len(mixed))]
    assert increase(mixed, parts, (1, 0)) == expected


@pytest.mark.parametrize("case", INCREASES)
def test_each_interval_has_what_came_in_it(case):
    numbers, expected = INCREASES[case]
    told = values(series(numbers), span=DAY, interval=5 * MINUTE)
    assert sum(told) == expected
    falls = [later - (earlier if later >= earlier else 0) for earlier, later in pairwise(numbers)]
    assert told[: len(numbers)] == [0, *falls]


@pytest.mark.parametrize("case", INCREASES)
def test_where_the_start_is_told_a_fall_without_a_new_start_is_no_reset(case):
    """OTLP says of a reset by a new start; a point out of turn is none."""
    numbers, _ = INCREASES[case]
    expected = max(numbers)
    assert increase(series(numbers, start=1)) == expected


def test_resets_that_say_so_are_counted_like_those_that_do_not():
    numbers = run((0, 18, 5), (0, 18, 4))
    told = [point(at * 300, float(v), start=1 + (at > 5)) for at, v in enumerate(numbers)]
    assert increase(told) == increase(series(numbers)) == 162


def test_a_start_of_zero_is_none():
    fields = {"metric_start_unix_nano": 0}
    assert increase(series([0, 1, 2, 3, 2, 3, 4], **fields)) == 7


def test_a_rate_is_the_increase_by_the_second():
    numbers = run((0, 80, 10))
    (found,) = values(series(numbers), measure="rate", span=DAY, interval=timedelta(days=1))
    assert found == pytest.approx(800 / 86_400)
    tens = values(series(run((0, 10, 10))), measure="rate", span=DAY, interval=10 * MINUTE)
    assert tens[1:5] == pytest.approx([20 / 600] * 4)


def test_several_series_are_added():
    one = series(run((0, 10, 10)), stream="a")
    two = series(run((0, 20, 10)), stream="b")
    assert increase([*one, *two]) == 300


def test_victoriametrics_takes_a_small_fall_for_jitter_and_here_it_is_a_reset_unless_a_start_is_told():
    """There 100, 95, 120, 119, 139, 50 went up by 95: a fall of less than an eighth adds itself."""
    numbers = [100, 95, 120, 119, 139, 50]
    assert increase(series(numbers)) == 95 + 25 + 119 + 20 + 50
    assert increase(series(numbers, start=1)) == 139


def test_victoriametrics_a_running_total_never_falls_by_fractions():
    numbers = [34.094223, 2.7518, 2.140669, 0.044878, 1.887095, 2.546569, 2.490149, 0.045]
    numbers += [0.035684, 0.062454, 0.058296]
    told = values(series(numbers), span=DAY, interval=5 * MINUTE)
    assert min(told) >= 0
    assert increase(series(numbers)) == pytest.approx(sum(told)) == pytest.approx(10.094937)
