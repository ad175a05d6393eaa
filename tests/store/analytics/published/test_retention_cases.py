"""Retention held against the published cases of PostHog (day, week, month and hour triangles,
rolling, returns, first times) and of the `retention` functions of ClickHouse and Doris.
"""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.retention import Retention, RetentionAnalysis
from store.testing import events_of
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.people import told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUNE = datetime(2020, 6, 10, tzinfo=UTC)
"""A Wednesday, the day 0 of these cases."""


def date(day, month=0):
    return datetime(2020, 6 + month, 10, 5, tzinfo=UTC) + day * DAY


def events(*told_of, name="view"):
    """`(who, time)`, with a name and a plan where there are more."""
    rows = []
    for who, time, *more in told_of:
        called, plan = (*more, None, None)[:2]
        rows.append(
            {"user_id": who, "event_time": time, "event_name": called or name, "plan": plan}
        )
    return events_of({"event_id": f"e{at:04}", **row} for at, row in enumerate(rows))


def triangle(rows, first, count, **options):
    """What is retained of each cohort, without the zeros at the end."""
    interval = options.setdefault("interval", DAY)
    end = first + (count - 1) * (30 * DAY if interval == MONTH else interval)
    asked = {
        "span": TimeSpan(first, end + HOUR / 60),
        "periods": count - 1,
        "mode": "recurring",
        **options,
    }
    found = told(RetentionAnalysis(), Retention(**asked), rows, now=first + 500 * DAY)
    return [trimmed(each["retained"]) for each in found["cohorts"]]


def trimmed(cells):
    cells = list(cells)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def all_trimmed(rows):
    return [trimmed(row) for row in rows]


TWO = [("p1", date(day)) for day in (0, 1, 2, 5, 5, 6)] + [
    ("p2", date(day)) for day in (1, 2, 3, 6)
]
TWO_DAYS = [
    [1, 1, 1, 0, 0, 1, 1],
    [2, 2, 1, 0, 1, 2],
    [2, 1, 0, 1, 2],
    [1, 0, 0, 1],
    [],
    [1, 1],
    [2],
    *[[]] * 4,
]
ONES = [[1, 1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1], [1, 0, 0, 1, 1], [], [], [1, 1], [1]]


def test_days():
    assert triangle(events(*TWO), JUNE, 11) == TWO_DAYS
    assert triangle(events(*TWO), JUNE, 11, return_event="view") == TWO_DAYS


def test_one_of_them():
    rows = [row for row in TWO if row[0] == "p1"]
    assert triangle(events(*rows), JUNE, 7) == ONES


def test_so_many_returns_in_a_day():
    expected = [[1, 0, 0, 0, 0, 1], [2, 0, 0, 0, 1], [2, 0, 0, 1], [1], [], [1], [2], *[[]] * 4]
    assert triangle(events(*TWO), JUNE, 11, min_returns=2) == expected


def test_so_many_returns_of_one_of_them():
    rows = [row for row in TWO if row[0] == "p1"] * 2 + [("p1", date(3))]
    expected = [ONES[0], ONES[1], ONES[2], [1, 0, 1, 1], [], [1, 1], [1]]
    assert triangle(events(*rows), JUNE, 7, min_returns=2) == expected


def test_returns_with_a_filter():
    rows = [(*row, "view", "target") if row == ("p1", date(1)) else row for row in TWO]
    expected = [[1, 1], [2], [2], [1], [], [1], [2], *[[]] * 4]
    returning = {"name": "view", "where": "plan=target"}
    assert triangle(events(*rows), JUNE, 11, return_event=returning) == expected


def test_first_times_and_returns_with_a_filter():
    rows = [*TWO, ("p1", date(5), "view", "target")]
    options = {"return_event": {"name": "view", "where": "plan=target"}, "mode": "first-time"}
    expected = [[1, 0, 0, 0, 0, 1], [1], *[[]] * 9]
    assert triangle(events(*rows), JUNE, 11, **options) == expected


MONTHLY = {
    "p1": (-5, -4, -3, -1, 0, 3),
    "p2": (-5, -4, -3, 0, 1, 5),
}
ELEVEN = all_trimmed(
    [
        [2, 2, 2, 0, 1, 2, 1, 0, 1, 0, 1],
        [2, 2, 0, 1, 2, 1, 0, 1, 0, 1],
        [2, 0, 1, 2, 1, 0, 1, 0, 1],
        [0],
        [1, 1, 0, 0, 1, 0, 0],
        [2, 1, 0, 1, 0, 1],
        [1, 0, 0, 0, 1],
        [0],
        [1, 0, 0],
        [0],
        [1],
    ]
)


def test_months():
    rows = [(who, date(0, month=at)) for who, months in MONTHLY.items() for at in months]
    january = datetime(2020, 1, 10, tzinfo=UTC)
    assert triangle(events(*rows), january, 11, interval=MONTH) == ELEVEN


def test_two_who_are_one_are_there_in_each_month():
    rows = [("p", date(0, month=at)) for at in range(-5, 6)]
    found = triangle(events(*rows), datetime(2020, 1, 10, tzinfo=UTC), 11, interval=MONTH)
    assert [cells[: 11 - at] for at, cells in enumerate(found)] == [
        [1] * (11 - at) for at in range(11)
    ]


@pytest.mark.parametrize("tz", ["UTC", "America/Los_Angeles"])
def test_hours_are_the_same_in_each_zone(tz):
    hours = {"p1": (6, 7, 8, 10, 11, 14), "p2": (6, 7, 8, 11, 12, 16)}
    rows = [(who, JUNE + at * HOUR) for who, times in hours.items() for at in times]
    assert triangle(events(*rows), JUNE + 6 * HOUR, 11, interval=HOUR, tz=tz) == ELEVEN


@pytest.mark.parametrize(("week_start", "first"), [("sunday", -3), ("monday", -2)])
def test_weeks_from_sunday_and_from_monday(week_start, first):
    both, one = ("p1", "p2"), ("p1",)
    days = [(0, both), (1, both), (7, both), (14, one), (24, both), (31, both), (45, ("p2",))]
    rows = [(who, date(day)) for day, people in days for who in people]
    options = {"interval": 7 * DAY, "week_start": week_start}
    assert triangle(events(*rows), JUNE + first * DAY, 7, **options) == all_trimmed(
        [[2, 2, 1, 2, 2, 0, 1], [2, 1, 2, 2, 0, 1], [1, 1, 1], [2, 2, 0, 1], [2, 0, 1], [], [1]]
    )


FIVE = {"p1": (0, 3, 4), "p2": (0, 1), "p3": (1, 2, 3), "p4": (3, 4), "p5": (4,)}


@pytest.mark.parametrize(
    ("begin", "repeats", "least", "expected"),
    [
        (1, {}, 1, [[2, 1, 1], [1, 1], [3, 2], [3], []]),
        (0, {}, 1, [[2, 2, 1, 1, 1], [2, 1, 1], [1, 1], [3, 2], [3], []]),
        (1, {("p1", 4): 3, ("p3", 3): 3}, 3, [[2, 1, 1], [1, 1], [3, 1], [3], []]),
    ],
    ids=["four days", "nobody twice", "thrice or not at all"],
)
def test_rolling(begin, repeats, least, expected):
    rows = [
        (who, date(day))
        for who, days in FIVE.items()
        for day in days
        for _ in range(repeats.get((who, day), 1))
    ]
    options = {"on": "on-or-after", "min_returns": least}
    assert triangle(events(*rows), JUNE + begin * DAY, len(expected), **options) == expected


SIGNUP = {"start_event": "sign", "return_event": "view", "mode": "first-time"}


def test_the_first_time_of_another_event():
    rows = [("p", date(day), "one") for day in (0, 1, 2)]
    rows += [("p", date(day), "two") for day in (2, 3)]
    options = {"start_event": "two", "mode": "first-time"}
    for back in (None, "two"):
        found = triangle(events(*rows), JUNE - DAY, 4, return_event=back, **options)
        assert found == [[], [], [], [1, 1]]


def test_first_signups_and_so_many_views():
    views = [("p1", 2), ("p1", 2), ("p1", 4), ("p3", 4)]
    views += [("p2", day) for day in (3, 3, 3, 5, 5)]
    rows = [(f"p{n}", date(n), "sign") for n in (1, 2, 3)]
    rows += [(who, date(day), "view") for who, day in views]
    found = triangle(events(*rows), JUNE, 8, min_returns=2, **SIGNUP)
    assert found == [[], [1, 1], [1, 1, 0, 1], [1], [], [], [], []]


def test_first_signups_by_cohort():
    """What somebody did before he signed up does not matter, nor what he was then."""
    signups = {"p1": 2, "p2": 1, "p3": 2, "p4": 4}
    views = {"p1": (1, 3, 5), "p2": (2, 4), "p3": (3, 5), "p4": (3, 5, 6)}
    plans = {"p1": "young", "p2": "old", "p3": "young", "p4": "old"}
    rows = [(who, date(day), "sign", plans[who]) for who, day in signups.items()]
    rows += [(who, date(day), "view", plans[who]) for who, days in views.items() for day in days]
    query = Retention(
        span=TimeSpan(JUNE, JUNE + 8 * DAY), periods=6, by=("plan",), interval=DAY, **SIGNUP
    )
    found = told(RetentionAnalysis(), query, events(*rows), now=JUNE + 99 * DAY)["cohorts"]
    of = {"young": [], "old": []}
    for each in found:
        of[each["key"]["plan"]].append(trimmed(each["retained"]))
    assert of["young"] == [[], [], [2, 2, 0, 2], [], [], [], [], []]
    assert of["old"] == [[], [1, 1, 0, 1], [], [], [1, 1, 1], [], [], []]


def test_first_signups_over_weeks():
    rows = [("p1", date(1), "sign"), ("p1", date(8)), ("p1", date(15))]
    rows += [("p2", date(8)), ("p2", date(14), "sign"), ("p2", date(20))]
    rows += [("p3", date(14), "sign"), ("p3", date(20)), ("p3", date(20, month=1))]
    options = {"interval": 7 * DAY, "week_start": "sunday", **SIGNUP}
    found = triangle(events(*rows), JUNE, 8, **{**options, "periods": 4})
    assert found == [[1, 1, 1], [], [2, 2], *[[]] * 5]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        # ClickHouse: users 0 to 4, 0 to 9 and 0 to 14 on three days.
        ({n: [d for d in range(3) if n < 5 * (d + 1)] for n in range(15)}, [5, 5, 5]),
        # Doris: one on three days, one on two, one on one.
        ({0: (0, 1, 2), 1: (0, 1), 2: (0,)}, [3, 2, 1]),
    ],
    ids=["clickhouse", "doris"],
)
def test_the_first_days_users_on_the_days_after(people, expected):
    rows = [(f"u{n}", date(day)) for n, days in people.items() for day in days]
    assert triangle(events(*rows), JUNE, 3)[0] == expected


def test_past_the_limit_values_are_one():
    countries = {"USA": 5, "Canada": 3, "Germany": 2, "France": 1, "Spain": 1}
    rows = [
        (f"{country}{n}", date(0), "view", country)
        for country, count in countries.items()
        for n in range(count)
    ]
    query = Retention(span=TimeSpan(JUNE, JUNE + DAY), periods=7, by=("plan",), limit=3)
    found = told(RetentionAnalysis(), query, events(*rows), now=JUNE + 99 * DAY)["cohorts"]
    assert [(each["key"]["plan"], each.get("folded", False), each["size"]) for each in found] == [
        ("USA", False, 5),
        ("Canada", False, 3),
        ("Germany", False, 2),
        ("", True, 2),
    ]
