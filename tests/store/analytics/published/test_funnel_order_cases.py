"""Strict and unordered funnels, and funnels over time, held against PostHog's published tests."""

from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from store.analytics.funnel.trend import FunnelTrendAnalysis
from store.testing import events_of
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.funnel.asking import MINUTE, asked, at_minutes, counts, told

DAY = 24 * 60
DAYS = timedelta(days=1)
STRICT, UNORDERED = {"order": "strict"}, {"order": "unordered"}
MAY = datetime(2021, 5, 1, tzinfo=UTC)
STEPS = ("one", "two", "three")


def test_strict_seven_people():
    people = {
        "p1": "sign",
        "p2": "view sign",
        "p3": "sign view x insight",
        "p4": "insight x view sign",
        "p5": "view sign x view insight",
        "p6": "x sign x view",
        "p7": "x sign view insight x",
        "p8": "insight view",
    }
    assert counts("sign", "view", "insight", options=STRICT, **people) == (7, 2, 1)


def test_strict_eight_people_with_filters():
    people = {
        "p1": "signed",
        "p2": "signed pageview",
        "p3": "signed sign:val sign:val2 pageview x insight",
        "p4": "x signed sign:val pageview:val x",
        "p5": "x signed sign:val pageview x",
        "p6": "x signed sign:val pageview view:val1",
        "p7": "x signed sign:val pageview signed view:val",
        "p8": "x signed signed sign:val pageview view:val",
    }
    events = {
        who: " ".join(
            f"{name}@{at}:{plan}"
            for at, (name, _, plan) in enumerate(word.partition(":") for word in words.split())
        )
        for who, words in people.items()
    }
    with_plan = [{"name": name, "where": "plan=val"} for name in ("sign", "view")]
    steps = ("signed", with_plan[0], "pageview", with_plan[1])
    assert told(at_minutes(**events), *steps, **STRICT) == (8, 6, 5, 1)


def test_strict_times():
    events = at_minutes(p="s@0", q="s@0 v@60", r="s@0 v@120 i@240")
    steps = asked(events, "s", "v", "i", **STRICT)["steps"]
    assert [step["mean_seconds"] for step in steps] == [None, 5400, 7200]


def test_strict_a_value_alone_may_convert():
    events = at_minutes(p="sign@0:Chrome x@60:Chrome play@120:Chrome", q="sign@0:Safari play@60")
    found = asked(events, "sign", "play", by=("plan",), **STRICT)["breakdown"]
    assert {
        group["key"]["plan"]: [step["count"] for step in group["steps"]] for group in found
    } == {
        "Safari": [1, 1],
        "Chrome": [1, 0],
    }


UNORDERED_PEOPLE = {
    "eight people, three steps": (
        ("sign", "view", "insight"),
        {
            "p1": "sign",
            "p2": "view sign",
            "p3": "sign view x insight",
            "p4": "insight view sign",
            "p5": "view sign x insight",
            "p6": "x insight",
            "p7": "view x",
            "p8": "insight view",
        },
        (8, 5, 3),
    ),
    "eight people, four steps": (
        ("sign", "view", "insight", "crying"),
        {
            "p1": "sign",
            "p2": "view crying",
            "p3": "sign view x insight",
            "p4": "insight crying sign",
            "p5": "view sign crying insight",
            "p6": "x insight",
            "p7": "view x",
            "p8": "insight view",
        },
        (8, 5, 3, 1),
    ),
}


@pytest.mark.parametrize("case", UNORDERED_PEOPLE)
def test_unordered_so_many_did_so_many(case):
    steps, people, expected = UNORDERED_PEOPLE[case]
    assert counts(*steps, options=UNORDERED, **people) == expected


def test_unordered_the_first_conversion_times():
    """The mean of all conversions would be 6300 and 9000, as older engines have it."""
    day = DAY
    events = at_minutes(
        p="s@0", q="v@0 s@60", r=f"i@0 s@120 v@240 v@{day} i@{day + 180} s@{day + 360}"
    )
    steps = asked(events, "s", "v", "i", window=DAYS, **UNORDERED)["steps"]
    assert [(step["count"], step["mean_seconds"]) for step in steps] == [
        (3, None),
        (2, 5400),
        (1, 7200),
    ]


def test_unordered_any_event_with_an_attribute_and_two_filters_on_one_name():
    saved = {"name": "*", "where": "plan=saved"}
    assert told(at_minutes(p="sign@0 cart@1:saved"), "sign", saved, **UNORDERED) == (1, 1)
    one, two = ({"name": "sign", "where": f"plan~{word}"} for word in ("some", "another"))
    events = at_minutes(p="sign@0:some sign@1:another")
    assert told(events, one, two, **UNORDERED) == (1, 1)


def over_time(people, *steps, days=7, interval=DAYS, start=MAY, **options):
    """[(entered, converted)] of each point; `people` are `name@DAYS.HOURS`."""
    rows = [
        {
            "user_id": who,
            "event_name": name,
            "event_time": start + int(day) * DAYS + float(hour or 0) * timedelta(hours=1),
        }
        for who, words in people.items()
        for name, _, at in (word.partition("@") for word in words.split())
        for day, _, hour in [at.partition("+")]
    ]
    found = asked(
        events_of({"event_id": f"e{at:04}", **row} for at, row in enumerate(rows)),
        *steps,
        analysis=FunnelTrendAnalysis(),
        interval=interval,
        span=options.pop("span", TimeSpan(start, start + days * DAYS)),
        **options,
    )
    return [(point["entered"], point["converted"]) for point in found["points"]]


SAMPLE = {
    "p1": "one@0 two@2 three@4",
    "p2": "one@1 two@3",
    "p3": "one@5",
    "p4": "none@5",
    "p5": "one@0+1 two@0+2 three@0+3",
    "p6": "one@0 two@2 three@4",
    "p7": "one@1 two@3",
}
NOTHING = (0, 0)


@pytest.mark.parametrize(("window", "first"), [(7, (3, 3)), (1, (3, 1))])
def test_conversion_belongs_to_the_day_of_the_entry(window, first):
    expected = [first, (2, 0), NOTHING, NOTHING, NOTHING, (1, 0), NOTHING]
    assert over_time(SAMPLE, *STEPS, window=window * DAYS) == expected


OVER_TIME = {
    "two runs of one user in a day are one": (
        {"p": "one@0 two@0+1 three@0+2 one@0+13 two@0+14 three@0+15"},
        {"days": 1},
        [(1, 1)],
    ),
    "the wrong way round enters": ({"p": "three@0+1 two@0+2 one@0+3"}, {"days": 1}, [(1, 0)]),
    "one user on several days": (
        {
            "p": "one@0+1 two@0+2 three@0+3 one@2+1 two@2+2 one@3+11 two@3+12 three@3+13",
            "q": "one@3+18",
        },
        {"days": 4},
        [(1, 1), NOTHING, (1, 0), (2, 1)],
    ),
    "the same, unordered": (
        {
            "p": "one@0+1 three@0+2 two@0+3 two@2+1 one@2+2 three@3+11 one@3+12 two@3+13",
            "q": "one@3+18",
        },
        {"days": 4, **UNORDERED},
        [(1, 1), NOTHING, (1, 0), (2, 1)],
    ),
    "the same, strict": (
        {
            "p": "one@0+1 two@0+2 three@0+3 one@2+1 two@2+2 x@2+2.5 three@2+3 "
            "one@3+11 two@3+12 three@3+13",
            "q": "one@3+18 x@3+18.3 two@3+19",
        },
        {"days": 4, **STRICT},
        [(1, 1), NOTHING, (1, 0), (2, 1)],
    ),
    "from the second step": (
        {
            "p": "one@0+1 two@1+2 three@1+3",
            "q": "one@0+1",
            "r": "two@1+2 three@1+3",
            "s": "one@1+1 two@1+2",
        },
        {"days": 2, "window": 3 * DAYS, "from_step": 2},
        [(1, 1), (1, 0)],
    ),
    "to the second step": (
        {
            "p": "one@0+1 two@1+2 three@1+3",
            "q": "one@0+1",
            "r": "two@1+2 three@1+3",
            "s": "one@1+1 two@1+2",
        },
        {"days": 2, "window": 3 * DAYS, "to_step": 2},
        [(2, 1), (1, 1)],
    ),
    "unordered, from the second step, of one user": (
        {
            "p": " ".join(
                chain(
                    (f"three@{day}" for day in range(8)),
                    (f"two@{day}+1" for day in range(4)),
                    (f"one@{day}+2" for day in range(2)),
                )
            )
        },
        {"days": 8, "window": 8 * DAYS, "from_step": 2, "to_step": 3, **UNORDERED},
        [(1, 1), (1, 1), (1, 0), (1, 0), NOTHING, NOTHING, NOTHING, NOTHING],
    ),
    "unordered, five users": (
        {
            f"p{n}": " ".join(f"three@{day}" for day in days) + " one@7+1 two@7+2"
            for n, days in enumerate((range(8), range(0, 8, 2), range(0, 8, 4), [0], []))
        },
        {"days": 8, "window": 8 * DAYS, **UNORDERED},
        [(4, 4), (1, 1), (2, 2), (1, 1), (3, 3), (1, 1), (2, 2), (5, 1)],
    ),
    "unordered, an exclusion before the last step": (
        {"p": "one@0+10 two@0+11 x@0+12 three@0+13", "q": "one@0+10 two@0+11 three@0+12"},
        {"days": 1, "window": 360 * MINUTE, "to_step": 2, "exclude": ("x",), **UNORDERED},
        [(2, 1)],
    ),
}


@pytest.mark.parametrize("case", OVER_TIME)
def test_over_time(case):
    people, options, expected = OVER_TIME[case]
    assert over_time(people, *STEPS, **options) == expected


@pytest.mark.parametrize(("tz", "month"), [("UTC", 4), ("America/Los_Angeles", 3)])
def test_months_are_those_of_the_zone(tz, month):
    may = datetime(2020, 5, 1, tzinfo=UTC)
    span = TimeSpan(datetime(2020, 1, 2, tzinfo=UTC), datetime(2020, 7, 2, tzinfo=UTC))
    found = over_time(
        {"p": "one@0 two@0+1 three@0+2"}, *STEPS, start=may, span=span, interval=MONTH, tz=tz
    )
    assert found == [(1, 1) if at == month else NOTHING for at in range(7)]
