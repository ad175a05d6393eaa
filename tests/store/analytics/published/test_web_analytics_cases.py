"""Ways, funnels, hours and retention held against the published tests of web analytics: Plausible's
of its exploration and of hours on days when clocks change, OpenPanel's of retention, retentioneering's
of cohorts, of closed funnels and of the transition matrix; and against what Umami's questions mean.
"""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.paths.journeys import Journeys
from store.analytics.paths.transitions import Transitions
from store.analytics.query_json import answer_json
from store.analytics.retention import Retention, RetentionAnalysis
from store.analytics.trends import Trends
from store.testing import NOON, FrozenClock, events_of, store_of
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, at_minutes, times, told
from tests.store.analytics.people import told as answered

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = FrozenClock(NOON + 99 * DAY)

EXPLORERS = {
    "123": "home@0:c login@30:c home@270:c login@275:c logout@280:c",
    "124": "home@270:f login@275:f docs@280:f logout@285:f",
}
VISIT = {"order": "strict", "window": DAY}


def asked(root, people, query):
    return answer_json(store_of(root, at_minutes(**people), clock=LATER).run(query))["result"]


def ways(root, people, **options):
    """(from, to): (count, users), a user's silences of less than a day being none."""
    rows = asked(root, people, Transitions(session_gap=DAY, limit=99, **options))["rows"]
    return {(row["from"], row["to"]): (row["count"], row["users"]) for row in rows}


@pytest.mark.parametrize(
    ("steps", "where", "expected"),
    [
        ("home login logout", None, (2, 2, 1)),
        ("home login logout", "plan=f", (1, 1, 0)),
        ("home docs", None, (2, 0)),
    ],
)
def test_plausible_a_journey_of_pages_is_a_strict_funnel(steps, where, expected):
    found = [{"name": step, "where": where} if where else step for step in steps.split()]
    assert told(at_minutes(**EXPLORERS), *found, **VISIT) == expected


def test_plausible_backwards_from_a_page(tmp_path):
    query = Journeys(from_="logout", backwards=True, unfold=(("login",), ("docs",)))
    rows = asked(tmp_path, EXPLORERS, query)["rows"]
    found = {(*row["path"], row["to"]): row["count"] for row in rows}
    assert found["login",] == found["docs",] == found["login", "home"] == 1


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, {"docs": (1, 1), "home": (1, 1), "logout": (1, 1)}),
        ("plan=f", {"docs": (1, 1)}),
    ],
)
def test_plausible_what_comes_next(tmp_path, where, expected):
    found = ways(tmp_path, EXPLORERS, where=where)
    assert {to: n for (name, to), n in found.items() if name == "login"} == expected


def test_plausible_repeats_are_one_step(tmp_path):
    people = {
        "123": "home@0 login@30 home@270 login@275 login@276 login@277 logout@280",
        "124": "home@270 login@275 docs@280 docs@281 logout@285",
    }
    assert ways(tmp_path, people) == {
        ("path_start", "home"): (2, 2),
        ("home", "login"): (3, 2),
        ("login", "home"): (1, 1),
        ("login", "docs"): (1, 1),
        ("login", "logout"): (1, 1),
        ("docs", "logout"): (1, 1),
        ("logout", "path_end"): (2, 2),
    }


def test_plausible_what_others_did_in_between_changes_nothing(tmp_path):
    people = {
        "124": "home@0 login@276 logout@280",
        "123": "home@270 login@275 login@277 logout@280",
    }
    found = ways(tmp_path, people)
    assert (found["home", "login"], found["login", "logout"]) == ((2, 2), (2, 2))
    assert len(found) == 4


def test_plausible_two_pages_in_turn_are_never_followed_by_themselves(tmp_path):
    """Several at one instant, some twice; there a page was suggested after itself."""
    pages = "dash@0 sites@0 sites@1 dash@2 sites@3 dash@4 sites@5 dash@6 sites@7 sites@8 sites@9 "
    pages += "dash@10 sites@11 sites@12 dash@13 sites@13 dash@14 sites@15 dash@16 sites@17 dash@18"
    found = ways(tmp_path, {"p": pages})
    inner = {pair for pair in found if not {"path_start", "path_end"} & {*pair}}
    assert inner == {("sites", "dash"), ("dash", "sites")}


def hours(root, zone, first, last, *times):
    """How many events each hour of these days has."""
    rows = events_of({"event_time": datetime.fromisoformat(f"{time}+00:00")} for time in times)
    span = TimeSpan(*(datetime.fromisoformat(f"{edge}+00:00") for edge in (first, last)))
    query = Trends(span=span, interval=HOUR, tz=zone)
    (series,) = answer_json(store_of(root, rows, clock=LATER).run(query))["result"]["series"]
    return [value for _, value in series["points"]]


NEW_YORK = "America/New_York"
AUTUMN = ("2024-11-03T04:00", "2024-11-04T05:00")
SPRING = ("2024-03-10T05:00", "2024-03-11T04:00")


def test_plausible_an_hour_that_comes_twice_is_two(tmp_path):
    seen = ("2024-11-03T05:30", "2024-11-03T06:30", "2024-11-03T06:45")
    assert hours(tmp_path, NEW_YORK, *AUTUMN, *seen) == [0, 1, 2, *[0] * 22]


def test_plausible_an_hour_that_never_was_is_none(tmp_path):
    assert hours(tmp_path, NEW_YORK, *SPRING, "2024-03-11T03:30") == [*[0] * 22, 1]


@pytest.mark.parametrize(
    ("zone", "first", "last", "count"),
    [
        ("Europe/Tallinn", "2025-10-25T21:00", "2025-10-26T22:00", 25),
        ("Pacific/Chatham", "2024-04-06T10:15", "2024-04-07T11:15", 25),
        ("Pacific/Chatham", "2024-09-28T11:15", "2024-09-29T10:15", 23),
        ("Asia/Kathmandu", "2023-12-31T18:15", "2024-01-01T18:15", 24),
    ],
)
def test_plausible_days_have_so_many_hours_that_begin_with_the_zones(
    tmp_path, zone, first, last, count
):
    assert hours(tmp_path, zone, first, last, first) == [1, *[0] * (count - 1)]


MARCH = datetime(2024, 3, 4, tzinfo=UTC)
OPENED = {
    "RU1": ("US", "04 05 06"),
    "RU2": ("US", "04 06"),
    "RU3": ("SE", "04"),
    "RU4": ("US", "05 06"),
    "RU5": ("US", "05"),
}


def cohorts(rows, span, now=NOON, **options):
    """`retained` of each cohort that has somebody, and the mean."""
    query = Retention(span=span, mode="first-time", **options)
    found = answered(RetentionAnalysis(), query, events_of(rows), now=now)
    return [each["retained"] for each in found["cohorts"] if each["size"]], found["mean"]


def opened():
    return [
        {"user_id": who, "plan": country, "event_time": datetime(2024, 3, int(day), 12, tzinfo=UTC)}
        for who, (country, days) in OPENED.items()
        for day in days.split()
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[3, 1, 2], [2, 1, 0]]),
        ({"on": "on-or-after"}, [[3, 2, 2], [2, 1, 0]]),
        ({"where": "plan=US"}, [[2, 1, 2], [2, 1, 0]]),
        ({"where": "user_id=RU1,RU4"}, [[1, 1, 1], [1, 1, 0]]),
    ],
    ids=str,
)
def test_openpanel_days(tmp_path, options, expected):
    span = TimeSpan(MARCH, MARCH + 3 * DAY)
    query = Retention(span=span, mode="first-time", periods=2, **options)
    answer = answer_json(store_of(tmp_path, events_of(opened()), clock=LATER).run(query))
    found = [each["retained"] for each in answer["result"]["cohorts"] if each["size"]]
    assert found == expected


def test_openpanel_weeks_go_on_over_new_year():
    days = {"WU1": ("2024-12-30", "2025-01-06"), "WU2": ("2024-12-30",)}
    rows = [
        {"user_id": who, "event_time": datetime.fromisoformat(f"{day}T12:00+00:00")}
        for who, seen in days.items()
        for day in seen
    ]
    span = TimeSpan(*(datetime(*day, tzinfo=UTC) for day in ((2024, 12, 29), (2025, 1, 7))))
    options = {"interval": 7 * DAY, "periods": 1, "week_start": "sunday"}
    assert cohorts(rows, span, **options)[0] == [[2, 1]]


def test_openpanel_the_mean_is_of_cohorts_whose_period_is_over_a_true_zero_among_them():
    """100, 80 and 60 begin in three weeks; nobody of the second is back in the third week after."""
    back = {0: (50, 25, 10), 1: (40, 0), 2: (30,)}
    begin = datetime(2024, 1, 1, 12, tzinfo=UTC)
    rows = [
        {"user_id": f"{week}.{number}", "event_time": begin + 7 * (week + later) * DAY}
        for week, size in enumerate((100, 80, 60))
        for later, count in enumerate((size, *back[week]))
        for number in range(count)
    ]
    first = datetime(2024, 1, 1, tzinfo=UTC)
    options = {"interval": 7 * DAY, "periods": 3, "now": first + 28 * DAY}
    found, mean = cohorts(rows, TimeSpan(first, first + 21 * DAY), **options)
    assert found == [[100, 50, 25, 10], [80, 40, 0, 0], [60, 30, 0]]
    assert mean["shares"] == pytest.approx([1, 120 / 240, 25 / 180, 10 / 100])


BEGAN = (
    "12-28:1,2 01-03:1 01-04:2 01-05:3 01-06:4 01-07:5 01-08:6 01-13:1 01-15:2 02-03:1 02-04:2 02-05:3 "
    "02-06:4,7 02-07:5,8 02-08:6,9 03-06:7 03-08:9 03-03:10 04-04:2 04-05:3 04-07:8 04-03:10"
)


def begun():
    return [
        {"user_id": who, "event_time": datetime.fromisoformat(f"{year}-{day}T00:05+00:00")}
        for word in BEGAN.split()
        for day, _, people in [word.partition(":")]
        for year in [2021 if day.startswith("12") else 2022]
        for who in people.split(",")
    ]


def test_retentioneering_cohorts_of_months():
    """Its shares 1, 1, 1, -, 0.5 of two; 1, 1, -, 0.25 of four; 1, 0.67, 0.33 of three; 1, 1."""
    span = TimeSpan(*(datetime(*day, tzinfo=UTC) for day in ((2021, 12, 1), (2022, 4, 30))))
    assert cohorts(begun(), span, interval=MONTH, periods=4)[0] == [
        [2, 2, 2, 0, 1],
        [4, 4, 0, 1, 0],
        [3, 2, 1, 0, 0],
        [1, 1, 0, 0, 0],
    ]


BOUGHT = {
    "1": "catalog@1 product1@2 product2@3 cart@7 done@8",
    "2": "product1@1 product2@2 cart@7 done@8",
    "3": "product1@1 product2@2 catalog@3 catalog@4 product18@6.5 cart@7 done@8",
    "4": "catalog@1 product1@2 product2@3 catalog@4 product1@6 product18@6.5 cart@7 done@8",
    "5": "product1@2 product2@3 product1@6 product18@6.5 cart@7 done@8",
    "6": "product1@1 product2@2 catalog@3 catalog@4 product18@6.5 cart@7 done@8",
    "7": "catalog@1 product1@2 product2@3 catalog@4 product1@6 product18@6.5 done@7 cart@8",
    "8": "catalog@1 product1@2 product2@3 catalog@4 product1@6 product18@6.5 done@7 cart@8",
}


def test_retentioneering_a_closed_funnel_with_either_of_two_products():
    """Its open one counts whoever did a step (6, 8, 8, 8), its hybrid one does not mind the order
    after the first (6, 4, 4, 4).
    """
    either = {"name": "*", "where": "event_name=product1,product2"}
    assert told(at_minutes(**BOUGHT), "catalog", either, "cart", "done") == (6, 4, 4, 2)


def test_retentioneering_transitions_of_users_all_at_one_instant(tmp_path):
    """In the order of their ids; a repeat is no way here: it has C to C twice."""
    people = {"user1": "ABACAB", "user2": "ABCCC", "user3": "CDCDCD"}
    rows = [(who, name) for who, names in people.items() for name in names]
    events = events_of(
        {"event_id": f"e{at:02}", "user_id": who, "event_name": name, "event_time": NOON}
        for at, (who, name) in enumerate(rows)
    )
    found = answer_json(store_of(tmp_path, events[::-1], clock=LATER).run(Transitions(limit=99)))
    inner = {
        (row["from"], row["to"]): (row["count"], row["users"])
        for row in found["result"]["rows"]
        if not {"path_start", "path_end"} & {row["from"], row["to"]}
    }
    assert inner == {
        ("A", "B"): (3, 2),
        ("A", "C"): (1, 1),
        ("B", "A"): (1, 1),
        ("B", "C"): (1, 1),
        ("C", "A"): (1, 1),
        ("C", "D"): (3, 1),
        ("D", "C"): (2, 1),
    }


def test_umami_measures_its_window_from_each_step_and_takes_an_event_twice_and_here_neither_is_so():
    late = at_minutes(ada="a@0 b@50 c@100")
    assert told(late, "a", "b", "c", window=60 * MINUTE) == (1, 1, 0)
    assert told(late, "a", "b", "c", window=100 * MINUTE) == (1, 1, 1)
    assert told(at_minutes(ada="a@0"), "a", "a") == (1, 0)
    assert times(at_minutes(ada="a@0 a@1"), "a", "a") == {"ada": [0, 1]}


def test_umami_returns_are_days_since_the_first_one():
    days = {"s1": (0, 1, 31), "s2": (0, 31, 32), "s3": (1, 2)}
    rows = [
        {"user_id": who, "event_time": MARCH + day * DAY + HOUR}
        for who, seen in days.items()
        for day in seen
    ]
    found, _ = cohorts(rows, TimeSpan(MARCH, MARCH + 40 * DAY), periods=31)
    assert [{at: n for at, n in enumerate(row) if n} for row in found] == [
        {0: 2, 1: 1, 31: 2},
        {0: 1, 1: 1},
    ]
