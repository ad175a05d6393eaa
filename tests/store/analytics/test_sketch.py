"""Percentiles out of buckets: within 1 % of the exact ones, and exact where that is cheap."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics import sketch
from tests.store.analytics.reference import linear

QUANTILES = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)
sizes = st.floats(1e-300, 1e300)


def sketched(values, weights=None, *, exact=False):
    frame = pl.DataFrame({"value": values, "weight": weights or [1.0] * len(values)})
    value = pl.col("value")
    code = value if exact else sketch.bucket(value)
    buckets = frame.group_by(code.alias("bucket")).agg(
        sketch.counted(pl.col("weight").sum(), value)
    )
    return buckets.select(sketch.listed()).select(pl.all().implode())


def told(values, weights=None, *, exact=False):
    (row,) = sketch.percentiles(sketched(values, weights, exact=exact), QUANTILES).rows()
    return row[:-1], row[-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=60), st.sampled_from([1.0, -1.0]))
def test_answers_are_within_one_percent_for_values_of_one_sign(values, sign):
    values = [sign * value for value in values]
    for quantile, found in zip(QUANTILES, told(values)[0], strict=True):
        wanted = linear(values, quantile)
        assert abs(found - wanted) <= 0.01 * abs(wanted)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_values_themselves_give_the_linear_percentile(values):
    found, is_exact = told(values, exact=True)
    assert is_exact
    assert found == pytest.approx([linear(values, q) for q in QUANTILES], rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("values", [[7.0], [1.0, 3.0], [0.0, 0.0, 5.0], [-2.0, 0.0, 2.0]])
def test_a_handful_of_values_is_exact(values):
    found, is_exact = told(values)
    assert is_exact
    assert found == pytest.approx([linear(values, q) for q in QUANTILES])


def test_a_crowded_bucket_says_that_it_is_an_estimate():
    assert not told([100.0, 100.1, 100.2, 100.3])[1]


def test_a_weight_counts_as_often_as_it_says():
    values, weights = [1.0, 2.0, 50.0], [3.0, 5.0, 2.0]
    repeated = [value for value, n in zip(values, weights, strict=True) for _ in range(int(n))]
    assert told(values, weights)[0] == pytest.approx(told(repeated)[0], rel=0.01)


def test_the_extremes_are_the_extremes():
    values = [float(value) for value in range(1, 5_000)]
    found, _ = told(values)
    assert (found[0], found[-1]) == (1.0, 4_999.0)


def test_every_row_has_its_own_answer():
    both = pl.concat([sketched([1.0]), sketched([5.0, 7.0, 9.0])])
    assert sketch.percentiles(both, [0.5]).rows() == [(1.0, True), (7.0, True)]


def test_no_rows_and_no_quantiles_are_fine():
    assert sketch.percentiles(sketched([1.0]).clear(), [0.5]).height == 0
    assert sketch.percentiles(sketched([1.0]), []).rows() == [(True,)]


def test_many_values_give_what_few_give_however_they_are_sorted(monkeypatch):
    lists = pl.Series([[3.0, 1.0, 2.0, 10.0], [7.5], list(map(float, range(101, 0, -1)))])
    sketches = pl.DataFrame({"bucket": lists})
    short = sketch.percentiles(sketches, QUANTILES)
    monkeypatch.setattr(sketch, "MANY", 0)
    monkeypatch.setattr(sketch, "LONG", 0)
    assert sketch.percentiles(sketches, QUANTILES).equals(short)
    assert short["is_exact"].all()
