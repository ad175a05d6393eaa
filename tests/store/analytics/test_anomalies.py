"""When it was not as usual: the same hour of the week, and what there is while weeks are few."""

import random
from datetime import timedelta

import pytest

from store.analytics.anomalies import Anomalies
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import FrozenClock, events_of, store_of
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.people import MONDAY

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def hourly(count_of, hours, start=MONDAY, **rest):
    """So many events in each hour."""
    return [
        {
            "event_time": start + hour * HOUR + timedelta(seconds=at),
            "event_id": f"{'.'.join(map(str, rest.values()))}-{hour:05}-{at:04}",
            **rest,
        }
        for hour in range(hours)
        for at in range(count_of(hour))
    ]


def told(tmp_path, rows, now, **options):
    options = {"interval": HOUR, **options}
    store = store_of(tmp_path, events_of(rows), clock=FrozenClock(now))
    return answer_json(store.run(Anomalies(**options)))["result"]["rows"]


def weekly(hour):
    """Busy on Mondays at 10h, quiet else; never quite the same."""
    busy = 20 if hour % 168 == 10 else 3
    return busy + hour // 168 % 3


def test_what_is_usual_is_told_by_the_same_hour_of_the_week(tmp_path):
    weeks = 6 * 168
    end = MONDAY + 6 * WEEK + DAY

    def busy(hour):
        # The seventh Monday: 10h as always, at 15h as many as at 10h.
        return 21 if hour == weeks + 15 else weekly(hour)

    (row,) = told(tmp_path, hourly(busy, weeks + 24), end, span=TimeSpan(MONDAY + 6 * WEEK, end))
    assert (row["start"], row["end"]) == ("2026-12-14T15:00:00Z", "2026-12-14T16:00:00Z")
    assert (row["value"], row["expected"]) == (21, 4.0)
    assert row["reason"] == "21, usual 0 to 8 for Mondays 15h"
    assert row["score"] == 17.0


def test_hours_that_should_be_busy_and_are_not_are_told_as_well(tmp_path):
    weeks = 6 * 168
    end = MONDAY + 6 * WEEK + DAY
    rows = hourly(lambda hour: 0 if hour == weeks + 10 else weekly(hour), weeks + 24)
    (row,) = told(tmp_path, rows, end, span=TimeSpan(MONDAY + 6 * WEEK, end))
    assert (row["value"], row["expected"], row["low"]) == (0, 21.0, 17.0)


def test_with_few_weeks_the_seven_days_before_are_what_is_usual(tmp_path):
    chance = random.Random(3)
    counts = [8 + chance.randrange(5) for _ in range(240)]
    counts[230] = 60
    rows = hourly(lambda hour: counts[hour], 240)
    (row,) = told(
        tmp_path, rows, MONDAY + 10 * DAY, span=TimeSpan(MONDAY + 9 * DAY, MONDAY + 10 * DAY)
    )
    assert row["value"] == 60
    assert row["reason"].endswith("in the 7 days before")


def test_counts_that_never_change_stray_like_poisson_numbers(tmp_path):
    for extra, is_odd in ((12, False), (30, True)):
        rows = hourly(lambda hour, extra=extra: 10 + extra * (hour == 40), 48)
        found = told(
            tmp_path / str(extra), rows, MONDAY + 2 * DAY, span=TimeSpan(MONDAY, MONDAY + 2 * DAY)
        )
        assert [row["value"] for row in found] == ([40] if is_odd else [])
    assert 6 < found[0]["score"] < 7


def test_one_event_in_silence_is_none_seven_are(tmp_path):
    for count in (6, 7):
        rows = [
            *hourly(lambda hour: int(hour == 0), 1),
            *hourly(lambda _, n=count: n, 1, MONDAY + DAY),
        ]
        found = told(
            tmp_path / str(count), rows, MONDAY + 2 * DAY, span=TimeSpan(MONDAY, MONDAY + 2 * DAY)
        )
        assert len(found) == int(count == 7)


def test_the_hour_that_is_still_running_is_no_fall(tmp_path):
    rows = hourly(lambda hour: 20, 47)
    whole = TimeSpan(MONDAY, MONDAY + 2 * DAY)
    assert told(tmp_path, rows, MONDAY + 2 * DAY - HOUR / 2, span=whole) == []
    assert len(told(tmp_path / "over", rows, MONDAY + 2 * DAY, span=whole)) == 1


def test_what_was_before_the_first_event_is_no_history(tmp_path):
    rows = hourly(lambda hour: 20, 12)
    whole = TimeSpan(MONDAY - WEEK, MONDAY + 12 * HOUR)
    assert told(tmp_path, rows, MONDAY + WEEK, span=whole) == []


def test_each_value_has_its_own_usual_and_a_measure_too(tmp_path):
    rows = hourly(lambda hour: 2, 48, kind="a", duration_ms=100.0)
    rows += hourly(lambda hour: 20, 48, kind="b", duration_ms=10.0)
    for row in rows:
        if row["kind"] == "a" and row["event_time"] >= MONDAY + 47 * HOUR:
            row["duration_ms"] = 500.0
    whole = TimeSpan(MONDAY, MONDAY + 2 * DAY)
    options = {"span": whole, "by": ("kind",), "measure": "mean:duration_ms"}
    (row,) = told(tmp_path, rows, MONDAY + 2 * DAY, **options)
    assert (row["key"], row["value"], row["expected"]) == ({"kind": "a"}, 500, 100)
    assert (row["low"], row["high"]) == (80, 120)


def test_noise_is_seldom_odd(tmp_path):
    chance = random.Random(11)
    rows = hourly(lambda hour: 10 + chance.randrange(11), 240)
    found = told(tmp_path, rows, MONDAY + 10 * DAY, span=TimeSpan(MONDAY, MONDAY + 10 * DAY))
    assert len(found) <= 2


@pytest.mark.parametrize("interval", [DAY, WEEK, MONTH])
def test_days_are_held_against_their_weekday_and_longer_points_against_those_before(
    tmp_path, interval
):
    counts = {DAY: 12, WEEK: 14, MONTH: 24}[interval]
    rows = [
        {"event_time": MONDAY + at * DAY * 7 / 8 + timedelta(seconds=n), "event_id": f"{at}-{n}"}
        for at in range(counts * 6)
        for n in range(3)
    ]
    end = rows[-1]["event_time"]
    rows += [{"event_time": end - DAY, "event_id": f"x{n}"} for n in range(900)]
    span = TimeSpan(MONDAY, end + 60 * DAY)
    found = told(tmp_path, rows, end + 90 * DAY, span=span, interval=interval)
    assert any(row["value"] > 900 for row in found)
    assert {"for " in row["reason"] for row in found if row["value"] > 900} == {interval == DAY}


def test_nothing_and_nonsense(tmp_path):
    assert told(tmp_path / "none", [], MONDAY) == []
    future = TimeSpan(MONDAY + 500 * DAY, MONDAY + 501 * DAY)
    assert told(tmp_path / "later", hourly(lambda _: 1, 3), MONDAY + DAY, span=future) == []
    with pytest.raises(UsageError, match="measure"):
        told(tmp_path / "wrong", hourly(lambda _: 1, 3), MONDAY + DAY, measure="p95")
    with pytest.raises(UsageError, match="not numbers"):
        told(tmp_path / "text", hourly(lambda _: 1, 3), MONDAY + DAY, measure="sum:event_name")
