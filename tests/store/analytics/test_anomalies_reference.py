"""Anomalies held against a plain recomputation of the rule, one point after the other.

Expected is the median of the same hour of the week in the eight weeks before, or of all points of
seven days where there are less than four weeks of history; usual is four median deviations around
it; where nothing strayed, counts are a Poisson number's and other measures a twentieth.
"""

import math
import random
from datetime import timedelta
from statistics import median
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.anomalies import Anomalies
from store.analytics.query_json import answer_json
from store.analytics.usual import SERIES, Usual, judged
from store.schema import INSTANT
from store.testing import FrozenClock, events_of, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.people import MONDAY

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def slot(time, width, tz):
    local = time.astimezone(ZoneInfo(tz))
    return (local.weekday(), local.hour if width < DAY else 0)


def judge(points, first, width, tz, *, counts):
    """{time: (expected, low, high, score)} of one series; `points` are (time, value) in order."""
    found = {}
    for time, value in points:
        if width > DAY:
            before = [v for t, v in points if time - 26 * width <= t < time]
            least = 4
        elif time >= first + 4 * WEEK:
            mine = slot(time, width, tz)
            before = [
                v for t, v in points if time - 8 * WEEK <= t < time and slot(t, width, tz) == mine
            ]
            least = 4
        else:
            before = [v for t, v in points if time - WEEK <= t < time]
            least = 12
        if len(before) >= least:
            found[time] = against(value, before, counts=counts)
    return found


def against(value, before, *, counts):
    expected = median(before)
    stray = median(abs(each - expected) for each in before)
    if stray:
        low, high = expected - 4 * stray, expected + 4 * stray
        score = abs(value - expected) / stray
    elif counts:
        # Anscombe: 2 sqrt(x + 3/8) of a Poisson number strays by 1.
        root = 2 * math.sqrt(max(expected, 0) + 3 / 8)
        low, high = ((max(root + side, 0) / 2) ** 2 - 3 / 8 for side in (-4, 4))
        score = abs(2 * math.sqrt(max(value, 0) + 3 / 8) - root)
    else:
        share = abs(expected) / 20
        low, high = expected - 4 * share, expected + 4 * share
        score = abs(value - expected) / share if share else 0
    return (expected, max(low, 0) if expected >= 0 else low, high, score)


def series(seed, width, count, *, gaps):
    """Numbers with the rhythm of a week, some far away, many of them equal, perhaps with holes."""
    chance = random.Random(seed)
    level = chance.choice([0, 1, 5, 40])
    points = []
    for at in range(count):
        time = MONDAY + at * width
        rhythm = 1 + (time.hour % 12) / 12 + (time.weekday() > 4)
        value = float(round(level * rhythm + chance.choice([0, 0, 0, 1, -1]) * chance.random() * 2))
        if chance.random() < 0.03:
            value *= chance.choice([0, 5, 20])
        if not gaps or chance.random() > 0.2:
            points.append((time, value))
    return points


WIDTHS = st.sampled_from([(6 * HOUR, 260), (DAY, 75), (WEEK, 40), (2 * HOUR, 150)])


@settings(max_examples=cases(25), deadline=None)
@given(
    seeds=st.lists(st.integers(0, 10**9), min_size=1, max_size=3),
    width=WIDTHS,
    tz=st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu"]),
    counts=st.booleans(),
    gaps=st.booleans(),
)
def test_each_point_is_judged_by_the_rule(seeds, width, tz, counts, gaps):
    of = {at: series(seed, *width, gaps=gaps) for at, seed in enumerate(seeds)}
    rows = [(at, time, value) for at, points in of.items() for time, value in points]
    schema = {SERIES: pl.UInt32, "time": INSTANT, "value": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    mixed = frame.sample(fraction=1, shuffle=True, seed=seeds[0])
    told = judged(mixed, MONDAY, Usual(width[0], tz, counts=counts))
    found = {
        (row[SERIES], row["time"]): tuple(row[n] for n in ("expected", "low", "high", "score"))
        for row in told.iter_rows(named=True)
    }
    expected = {
        (at, time): each
        for at, points in of.items()
        for time, each in judge(points, MONDAY, width[0], tz, counts=counts).items()
    }
    assert found.keys() == expected.keys()
    assert all(found[key] == pytest.approx(expected[key], abs=1e-9) for key in found)


@pytest.mark.parametrize(("seed", "tz"), [(1, "UTC"), (2, "Europe/Zurich"), (3, "UTC")])
def test_a_store_says_just_those_that_are_further_than_usual(tmp_path, seed, tz):
    points = series(seed, DAY, 60, gaps=False)
    # So that days of the zone hold the same events.
    rows = [
        {"event_time": time + 12 * HOUR + n * timedelta(seconds=1), "event_id": f"{time:%m%d}-{n}"}
        for time, value in points
        for n in range(int(value) + 1)
    ]
    end = MONDAY + 60 * DAY
    span = TimeSpan(end - 25 * DAY, end)
    store = store_of(tmp_path, events_of(rows), clock=FrozenClock(end + DAY))
    answered = answer_json(store.run(Anomalies(span=span, interval=DAY, tz=tz)))["result"]["rows"]
    counted = [(time, value + 1) for time, value in points]
    expected = judge(counted, MONDAY, DAY, "UTC", counts=True)
    odd = {
        f"{time:%Y-%m-%d}": (value, *expected[time])
        for time, value in counted
        if time in expected and expected[time][-1] > 4 and time >= span.start
    }
    midnight = {"UTC": timedelta(), "Europe/Zurich": HOUR}[tz]
    told = {}
    for row in answered:
        start = row["start"].replace("Z", "+00:00")
        day = (pl.Series([start]).str.to_datetime(time_zone="UTC")[0] + midnight).date()
        told[f"{day}"] = tuple(row[n] for n in ("value", "expected", "low", "high", "score"))
    assert told.keys() == odd.keys()
    assert all(told[day] == pytest.approx(odd[day]) for day in odd)
    scores = [row["score"] for row in answered]
    assert scores == sorted(scores, reverse=True)
