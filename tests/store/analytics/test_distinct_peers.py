"""Our distinct counts beside the theory of their size, and beside Apache DataSketches."""

import math
from statistics import fmean

import polars as pl
import pytest
import xxhash
from datasketches import hll_sketch, update_theta_sketch

from store.analytics import distinct

LG_K = 10
K = 2**LG_K
TRIALS = 80
MEMBERS = 12_000
DEVIATION = 1 / math.sqrt(K - 2)
"""Of a bottom-k sketch, relative: https://doi.org/10.1145/1247480.1247504."""
SLACK = 1 + 3 / math.sqrt(2 * TRIALS)
"""So far may the error found in so many trials lie from the true one, in 99.9 % of all runs."""


@pytest.fixture(scope="module")
def people():
    """Each trial's users, as texts."""
    return [[f"user-{trial}-{number}" for number in range(MEMBERS)] for trial in range(TRIALS)]


@pytest.fixture(scope="module")
def hashed(people):
    """Each trial's users as intakes hash them."""
    return [[xxhash.xxh3_64_intdigest(name.encode()) for name in names] for names in people]


def sets_of(hashed):
    """As partials have them before they are cut: ascending."""
    frame = pl.DataFrame({"sets": hashed}, schema={"sets": pl.List(pl.UInt64)})
    return frame.with_columns(distinct.smallest(pl.col("sets"), MEMBERS))


def error(estimates):
    """Root of the mean square, relative to the truth."""
    return math.sqrt(fmean((each / MEMBERS - 1) ** 2 for each in estimates))


def sizes(frame, most=K):
    return frame.select(distinct.size("sets", pl.lit(most), frame.columns)).to_series().to_list()


def of_peer(people, made):
    found = []
    for names in people:
        sketch = made()
        for name in names:
            sketch.update(name)
        found.append(sketch.get_estimate())
    return found


def test_the_error_is_that_of_the_theory_and_no_worse_than_that_of_datasketches(people, hashed):
    ours = sizes(sets_of(hashed).with_columns(distinct.smallest(pl.col("sets"), K)))
    theta = of_peer(people, lambda: update_theta_sketch(LG_K))
    hll = of_peer(people, lambda: hll_sketch(LG_K))
    assert error(ours) <= DEVIATION * SLACK
    assert error(ours) <= error(theta) * SLACK**2
    assert error(ours) <= error(hll) * SLACK**2
    bias = fmean(ours) / MEMBERS - 1
    assert abs(bias) <= 3 * DEVIATION / math.sqrt(TRIALS)


@pytest.mark.parametrize("members", [1, K - 1, K + 64, 2 * K, 4 * K, 8 * K])
def test_of_every_size_the_error_is_that_of_the_theory_and_none_below_k(hashed, members):
    """Of n members k smallest hashes tell n within sqrt((n - k + 1) / (n (k - 2))), relative."""
    found = sets_of([hashes[:members] for hashes in hashed])
    told = sizes(found.with_columns(distinct.smallest(pl.col("sets"), K)))
    if members < K:
        assert told == [members] * TRIALS
        return
    apart = [each / members - 1 for each in told]
    deviation = math.sqrt((members - K + 1) / (members * (K - 2)))
    assert math.sqrt(fmean(each**2 for each in apart)) <= deviation * SLACK
    assert abs(fmean(apart)) <= 3 * deviation / math.sqrt(TRIALS)


def test_sets_of_rollups_that_were_cut_add_up_as_near_as_the_theory_has_it(hashed):
    """Each trial's users in eight overlapping shares, most of them cut, as rollups and events are
    added up.
    """
    size = MEMBERS // 4
    shares = []
    for number in range(8):
        start = number * (MEMBERS - size) // 7
        share = sets_of([hashes[start : start + size] for hashes in hashed])
        share = share.with_columns(trial=pl.int_range(pl.len()))
        shares.append(share.with_columns(distinct.cut("sets", K)) if number % 4 else share)
    one = pl.concat(shares, how="diagonal")
    union = distinct.union("sets", distinct.WHOLE_MAX, one.columns).alias("sets")
    found = one.group_by("trial").agg(union, pl.col("reach.sets").min())
    assert error(sizes(found, distinct.WHOLE_MAX)) <= DEVIATION * SLACK
