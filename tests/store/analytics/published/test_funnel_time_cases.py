"""Windows and conversion times of funnels held against PostHog's published tests."""

from datetime import datetime, timedelta

import pytest

from store.testing import events_of
from store.timespan import TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes, told

DAY = 24 * 60
DAYS = timedelta(days=1)
LATE = {
    "ten of twenty-five within seven days": (
        {
            **{f"in{n}": f"one@0 two@{DAY}" for n in range(10)},
            **{f"out{n}": f"one@0 two@{9 * DAY}" for n in range(15)},
        },
        7 * DAY,
        (25, 10, 0),
    ),
    "ten of twenty-five within fifteen seconds": (
        {
            **{f"in{n}": f"one@0 two@{10 / 60}" for n in range(10)},
            **{f"out{n}": f"one@0 two@{20 / 60}" for n in range(15)},
        },
        15 / 60,
        (25, 10, 0),
    ),
    "a window of a century": ({"a": "two@5"}, 3_122_064_000 / 60, (0, 0, 0)),
}


@pytest.mark.parametrize("case", LATE)
def test_in_time(case):
    people, window, expected = LATE[case]
    events = at_minutes(**people)
    assert told(events, "one", "two", "three", window=window * MINUTE) == expected


def test_what_he_did_not_finish_later_does_not_lengthen_his_times():
    events = at_minutes(
        p=f"sign@0 view@60 else@120 sign@{2 * DAY} view@{2 * DAY + 60} "
        f"sign@{3 * DAY} view@{3 * DAY + 180}"
    )
    found = asked(events, "sign", "view", "else", window=DAYS)["steps"]
    assert [found[1][name] for name in ("count", "mean_seconds", "median_seconds")] == [
        1,
        3600,
        3600,
    ]


def test_times_of_three_people():
    events = at_minutes(p="s@0 m@60 b@180", q="s@0 m@120", r="s@0 m@120 b@180")
    steps = asked(events, "s", "m", "b")["steps"]
    assert [step["mean_seconds"] for step in steps] == [None, 6000, 5400]
    assert [step["median_seconds"] for step in steps] == [None, 7200, 5400]


@pytest.mark.parametrize(
    ("window", "expected"), [(14 * DAY, (3, 2, 600)), (5, (3, 1, 300))], ids=str
)
def test_a_shorter_window_leaves_the_quick_ones(window, expected):
    events = at_minutes(p="s@0 v@5", q="s@3", r="s@0 v@15")
    first, second = asked(events, "s", "v", window=window * MINUTE)["steps"]
    assert (first["count"], second["count"], second["mean_seconds"]) == expected


def test_a_window_of_ten_minutes_counts_from_the_last_start():
    events = at_minutes(p="a@10 b@11", q="a@1 a@35 b@41", r="a@1 a@35 a@41")
    step = asked(events, "a", "b", window=10 * MINUTE)["steps"][1]
    assert (step["count"], step["mean_seconds"]) == (2, 210)


def test_a_window_is_so_many_seconds_also_when_the_clock_changes():
    rows = [("view", "2024-03-01T15:10+00:00"), ("sign", "2024-03-15T14:27+00:00")]
    events = events_of(
        {"user_id": "p", "event_name": name, "event_time": datetime.fromisoformat(at)}
        for name, at in rows
    )
    begin = datetime.fromisoformat("2024-02-17T00:00+00:00")
    for order in ("ordered", "unordered"):
        for tz in ("UTC", "America/Los_Angeles"):
            options = {"window": 14 * DAYS, "order": order, "tz": tz}
            span = TimeSpan(begin, begin + 31 * DAYS)
            step = asked(events, "view", "sign", span=span, **options)["steps"][1]
            assert (step["count"], step["mean_seconds"]) == (1, 1_207_020)
            assert step["median_seconds"] == 1_207_020
