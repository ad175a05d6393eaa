"""Compare held against a plain recomputation: every share, chance and distance from the events."""

import math
import random
from bisect import bisect_right
from collections import Counter
from datetime import timedelta
from statistics import NormalDist

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.compare import Compare
from store.analytics.differences import differences
from store.analytics.profile import Profile, ProfileAnalysis
from store.analytics.query_json import answer_json
from store.testing import NOON, events_of, store_of, write
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.pure import answer

HOUR = timedelta(hours=1)
SPAN = TimeSpan(NOON, NOON + HOUR)
TEXTS, MEASURES = ("plan", "region", "level"), ("size", "took", "status")


def made(seed, start, count):
    """Events whose attributes are drawn from shares of their own; some lack this or that."""
    chance = random.Random(seed)

    def drawn(values):
        weights = [chance.random() ** 3 + 0.01 for _ in values]
        return lambda: chance.choices(values, weights)[0]

    # Numbers of one measure are far enough apart to be buckets of their own.
    sizes = [round(1.07**at, 3) for at in range(10, 50)]
    draw = {
        "plan": drawn(["free", "pro", "team", None]),
        "region": drawn(["eu", "us"]),
        "level": drawn([f"l{at}" for at in range(9)]),
        "size": drawn(sizes),
        "took": drawn([*sizes, None]),
        "status": drawn([200, 404, 500]),
    }
    return [
        {"event_time": start + at * HOUR / count, **{name: of() for name, of in draw.items()}}
        for at in range(count)
    ]


def shares(ours, theirs, attribute, values):
    """The value whose share differs most; and its chance, once for each value but one."""
    (n, of), (m, against) = ((len(each), Counter(each)) for each in (ours, theirs))
    if n < 20 or not m or len(values) < 2:
        return None
    apart = {value: of[value] / n - against[value] / m for value in values}
    best = min(values, key=lambda value: (-round(abs(apart[value]), 12), -apart[value], value))
    pooled = (of[best] + against[best]) / (n + m)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    corrected = abs(apart[best]) - (1 / n + 1 / m) / 2
    p = 2 * NormalDist().cdf(-corrected / deviation) if deviation and corrected > 0 else 1
    p = min(1, p * (len(values) - 1))
    return (attribute, best, of[best] / n, against[best] / m, n, m, p)


def distance(ours, theirs, attribute):
    """Where two sets of numbers are furthest apart, and how likely that is by chance."""
    ours, theirs = sorted(ours), sorted(theirs)
    n, m = len(ours), len(theirs)
    if n < 20 or not m:
        return None

    def upto(numbers, value):
        return bisect_right(numbers, value) / len(numbers)

    def apart(value):
        return round(abs(upto(ours, value) - upto(theirs, value)), 12)

    at = max(sorted({*ours, *theirs}), key=lambda value: (apart(value), -value))
    low, low_b = upto(ours, at), upto(theirs, at)
    root = math.sqrt(n * m / (n + m))
    size = (root + 0.12 + 0.11 / root) * abs(low - low_b)
    # The other series of the same distribution: this one converges where that one does not.
    terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * size**2)) for k in range(1, 60))
    p = 1 - math.sqrt(2 * math.pi) / size * sum(terms) if size > 0.3 else 1
    if low >= low_b:
        return (attribute, f"<= {at:.6g}", low, low_b, n, m, p)
    return (attribute, f"> {at:.6g}", 1 - low, 1 - low_b, n, m, p)


def every_test(ours, theirs):
    """Every test that is made of the two sets."""
    found = []
    for name in TEXTS:
        values = [[row[name] or "" for row in rows] for rows in (ours, theirs)]
        found.append(shares(*values, name, {*values[0], *values[1]}))
    for name in MEASURES:
        numbers = [[row[name] for row in rows] for rows in (ours, theirs)]
        every = {*numbers[0], *numbers[1]}
        if len(every) <= 20:
            texts = [["" if n is None else f"{n:g}" for n in each] for each in numbers]
            found.append(shares(*texts, name, {*texts[0], *texts[1]}))
            continue
        marks = [["" if n is None else "*" for n in each] for each in numbers]
        found.append(shares(*marks, name, {*marks[0], *marks[1]}))
        found.append(distance(*([n for n in each if n is not None] for each in numbers), name))
    return [each for each in found if each]


def reference(ours, theirs):
    """What is beyond chance among all that was tried, the most telling of each attribute; and how
    much that was.
    """
    tried = every_test(ours, theirs)
    ordered = sorted(tried, key=lambda each: each[-1])
    passed = [at for at, each in enumerate(ordered) if each[-1] <= 0.05 * (at + 1) / len(ordered)]
    beyond = ordered[: max(passed, default=-1) + 1]
    best = {}
    for each in sorted(beyond, key=lambda each: (-round(abs(each[2] - each[3]), 12), each[0])):
        if each[2] != each[3]:
            best.setdefault(each[0], each)
    return list(best.values()), len(tried)


def profiled(rows, chance):
    """Through partials of parts."""
    query = Profile(span=TimeSpan(NOON - 9 * HOUR, NOON + 9 * HOUR), texts=TEXTS, measures=MEASURES)
    parts = [[] for _ in range(3)]
    for row in rows:
        chance.choice(parts).append(row)
    return answer(ProfileAnalysis(), query, [part for part in parts if part]).result.frame


@settings(max_examples=cases(60), deadline=None)
@given(seed=st.integers(0, 10**9), sizes=st.tuples(st.integers(15, 200), st.integers(15, 200)))
def test_differences_are_those_of_a_plain_recomputation(seed, sizes):
    chance = random.Random(seed)
    ours, theirs = (made(seed + at % 2, NOON, size) for at, size in enumerate(sizes))
    found, tried = differences(profiled(ours, chance), profiled(theirs, chance))
    expected, count = reference(ours, theirs)
    assert tried == count
    told = [(d.attribute, d.share, d.share_against, d.n, d.n_against, d.p) for d in found]
    wanted = [(name, *rest) for name, _, *rest in expected]
    assert [each[0] for each in told] == [each[0] for each in wanted]
    for one, other in zip(told, wanted, strict=True):
        assert one[1:] == pytest.approx(other[1:], abs=1e-9)
    assert [each.value for each in found] == [each[1] for each in expected]


@pytest.mark.parametrize("seed", range(3))
def test_a_store_ranks_as_the_recomputation_does(tmp_path, seed):
    theirs, ours = made(seed, NOON - HOUR, 150), made(seed + 100, NOON, 90)
    rows = [{"event_id": f"e{at:04}", **row} for at, row in enumerate([*theirs, *ours])]
    store = store_of(tmp_path, events_of(rows[::2]), events_of(rows[1::2]))
    answered = answer_json(store.run(Compare(span=SPAN, attributes=TEXTS + MEASURES)))["result"]
    expected, tried = reference(ours, theirs)
    assert answered["summary"]["tried"] == tried
    assert [(row["attribute"], row["value"]) for row in answered["rows"]] == [
        each[:2] for each in expected
    ]
    for row, (_, _, share, against, n, m, p) in zip(answered["rows"], expected, strict=True):
        told = [row[name] for name in ("share", "share_against", "n", "n_against", "p_value")]
        assert told == pytest.approx([share, against, n, m, p], abs=1e-9)
        assert row["score"] == pytest.approx(abs(share - against))
        assert row["lift"] == (pytest.approx(share / against) if against else None)
        assert row["low"] <= row["share"] <= row["high"]


@settings(max_examples=cases(30), deadline=None)
@given(seed=st.integers(0, 10**9))
def test_the_values_of_an_attribute_share_the_whole_also_in_parts(seed):
    rows = made(seed, NOON, 90)
    frame = profiled(rows, random.Random(seed + 1))
    told = {(name, value): n for name, value, n in frame.select("attribute", "value", "n").rows()}
    for name in TEXTS:
        assert Counter(row[name] or "" for row in rows) == {
            value: n for (attribute, value), n in told.items() if attribute == name
        }
    sums = frame.group_by("attribute").agg(pl.col("n", "weight").sum())
    assert {tuple(sizes) for _, *sizes in sums.rows()} == {(90, 90.0)}


@pytest.mark.parametrize("by", [(), ("region",), ("region", "level")])
@settings(max_examples=cases(5), deadline=None)
@given(seed=st.integers(0, 10**9), against=st.sampled_from([None, "rest", "plan=free"]))
def test_no_split_and_no_order_of_arrival_changes_what_differs(tmp_path_factory, by, seed, against):
    root, chance = tmp_path_factory.mktemp("compare"), random.Random(seed)
    rows = [*made(seed, NOON - HOUR, 120), *made(seed + 1, NOON, 120)]
    rows = [{"event_id": f"e{at:04}", **row} for at, row in enumerate(rows)]
    options = {"where": None if against is None else "plan=pro", "against": against}
    query = Compare(span=SPAN, by=by, limit=3, **options)
    whole = answer_json(store_of(root / "whole", events_of(rows)).run(query))
    chance.shuffle(rows)
    cuts = sorted(chance.sample(range(1, len(rows)), 2))
    parts = [rows[at:to] for at, to in zip([0, *cuts], [*cuts, None], strict=True)]
    live = store_of(root / "live", *(events_of(part) for part in parts[:2]))
    live.run(query)
    write(root / "live", events_of(parts[2]))
    assert answer_json(live.run(query))["result"] == whole["result"]
