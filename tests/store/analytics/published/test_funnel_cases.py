"""Ordered funnels held against PostHog's published tests of its funnels (people at each step,
optional and first-time steps, groups): the journeys and the numbers, as facts.

A case is its steps, its people, and how many of them come to each step.
"""

from datetime import timedelta

import pytest

from store.testing import events_of, journeys
from tests.store.analytics.funnel.asking import at_minutes, counts, times, told

DAY = 24 * 60
DAYS = timedelta(days=1)
SIGNED = ("sign", "pay", "movie")

COUNTED = {
    "who skips, turns round or only ends": (
        SIGNED,
        {"a": "sign", "b": "sign pay", "c": "sign pay movie", "d": "movie", "e": "pay sign movie"},
        (4, 2, 1),
    ),
    "a skipped step ends it": (SIGNED, {"a": "sign movie"}, (1, 0, 0)),
    "two steps in whatever order they came": (
        ("sign", "movie"),
        {"a": "sign", "b": "sign", "c": "sign movie", "d": "movie", "e": "movie sign"},
        (4, 1),
    ),
    "any event thrice": (
        ("*", "*", "*"),
        {"a": "sign", "b": "sign movie", "c": "sign movie", "d": "movie", "e": "movie sign movie"},
        (5, 3, 1),
    ),
    "the same step twice": (("sign", "sign"), {"a": "sign sign", "b": "sign"}, (2, 1)),
    "four views after signing up": (
        ("sign", "view", "view", "view", "view"),
        {
            "a": "sign",
            "b": "sign view",
            "c": "sign view x view",
            "d": "sign view x view view x",
            "e": "sign view view view view",
        },
        (5, 4, 3, 2, 1),
    ),
    "views before signing up are none": (
        ("sign", "view", "view", "view", "view"),
        {
            "a": "view sign",
            "b": "sign view",
            "c": "view sign x view",
            "d": "x view x view sign view",
            "e": "sign view x view view view",
            "f": "view x view view view",
        },
        (5, 4, 1, 1, 1),
    ),
    "who is alone with the second step is nowhere": (("sign", "cart"), {"a": "cart"}, (0, 0)),
    "a name with quotes is a name": (("test'1", "*"), {"a": "test'1 test'2"}, (1, 1)),
}


@pytest.mark.parametrize("case", COUNTED)
def test_so_many_come_to_each_step(case):
    steps, people, expected = COUNTED[case]
    assert counts(*steps, **people) == expected


def plan(value):
    return {"where": f"plan={value}"}


FILTERED = {
    "a filter for all": (
        ("sign", "pay"),
        {"a": "sign@0:safari pay@1:safari", "b": "sign@0 pay@1", "c": "sign@0:safari pay@1"},
        {"where": "plan=safari"},
        (2, 1),
    ),
    "a filter for each step": (
        (
            {"name": "sign", "where": "plan=safari plan!=chrome"},
            {"name": "pay", **plan("safari")},
            {"name": "movie", **plan("firefox")},
        ),
        {
            "a": "sign@0:safari pay@1:safari movie@2",
            "b": "sign@0 pay@1:safari",
            "c": "sign@0 pay@1 movie@2",
        },
        {},
        (1, 1, 0),
    ),
    "one name with two filters": (
        ("one", {"name": "two", **plan("a")}, {"name": "two", **plan("c")}),
        {"a": "one@0 two@1:a"},
        {},
        (1, 1, 0),
    ),
    "the second step is a narrower first": (
        ({"name": "sign", **plan("val")}, "sign"),
        {"a": "sign@0:val sign@1", "b": "sign@0:val"},
        {},
        (2, 1),
    ),
    "one page after another": (
        (
            "sign",
            {"name": "view", **plan("aloha")},
            *[{"name": "view", **plan("aloha2")}] * 2,
            "view",
        ),
        {
            "a": "sign@0",
            "b": "sign@0 view@1:aloha",
            "c": "sign@0 view@1:aloha x@2:aloha view@3:aloha2",
            "d": "sign@0 view@1:aloha view@2:aloha2 view@3:aloha2 x@4",
            "e": "sign@0 view@1:aloha x@2 view@3:aloha2 view@4:aloha view@5:aloha2",
        },
        {},
        (5, 4, 3, 2, 0),
    ),
    "any event with an attribute": (
        ("sign", {"name": "*", **plan("saved")}),
        {"a": "sign@0 cart@1:saved"},
        {},
        (1, 1),
    ),
}


@pytest.mark.parametrize("case", FILTERED)
def test_filters_choose_the_steps(case):
    steps, people, options, expected = FILTERED[case]
    where = options.get("where")
    if where:
        steps = tuple({"name": step, "where": where} for step in steps)
    assert told(at_minutes(**people), *steps) == expected


def test_eight_people_and_two_optional_steps():
    people = {
        "b": "one",
        "c": "one two three",
        "d": "one three",
        "e": "one two three four five",
        "f": "one two three five",
        "g": "one three four",
        "h": "one three four five",
        "i": "one three five",
    }
    two, four = ({"name": name, "optional": True} for name in ("two", "four"))
    assert counts("one", two, "three", four, "five", **people) == (8, 3, 7, 3, 4)


def test_an_event_that_is_an_optional_step_and_the_next_one_is_the_next():
    people = {
        "one": "same@0",
        "two": "same@0 same@1",
        "three": "same@0 same@1 same@2",
        "match": "same@0 same@1:url same@2",
    }
    steps = ("same", {"name": "same", "optional": True}, {"name": "same", **plan("url")}, "same")
    assert told(at_minutes(**people), *steps) == (4, 2, 1, 1)


def test_twenty_starts_at_one_instant_convert_once():
    people = " ".join(["one@0"] * 20) + f" two@{DAY}"
    assert told(at_minutes(p=people), "one", "two", window=14 * DAYS) == (1, 1)


def test_ten_steps_at_one_instant_take_an_event_each():
    """Older engines fail on this one."""
    told_of = "one-ten two-three-seven two-three-seven four-five-eight four-five-eight six-nine "
    told_of += "two-three-seven four-five-eight six-nine one-ten"
    steps = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    named = [{"name": "*", "where": f"event_name~{step}"} for step in steps]
    events = at_minutes(p=" ".join(f"{name}@0" for name in told_of.split()))
    assert told(events, *named) == (1,) * 10


def test_two_steps_at_one_instant_convert():
    assert told(at_minutes(p="sign@0 view@0", q="sign@0"), "sign", "view") == (2, 1)
    assert told(at_minutes(p="view@0 sign@0", q="sign@0"), "sign", "view") == (2, 1)


def first(name, **more):
    return {"name": name, "first_time": True, **more}


FIRSTS = {
    "then any": ((first("view"), "view"), {"p": "view@0 view@1"}, (1, 1)),
    "then the first again": ((first("view"), first("view")), {"p": "view@0 view@1"}, (1, 0)),
    "after any": (("view", first("view")), {"p": "view@0 view@1"}, (1, 0)),
    "with a filter": ((first("view", **plan("c")), "view"), {"p": "view@0:c view@1:c"}, (1, 1)),
    "only in the span": (
        (first("view"), "view"),
        {"p": f"view@-{366 * DAY} view@0 view@60", "q": "view@0 view@60", "r": "view@120"},
        (2, 1),
    ),
    "a third step that was done long ago": (
        ("sign", "pay", first("movie")),
        {"a": "sign@0", "b": "sign@0 pay@1", "c": f"movie@-{9 * DAY} sign@0 pay@1 movie@2"},
        (3, 2, 0),
    ),
}


@pytest.mark.parametrize("case", FIRSTS)
def test_the_first_time_ever(case):
    steps, people, expected = FIRSTS[case]
    assert told(at_minutes(**people), *steps) == expected


def test_the_first_that_fits_the_filter_counts_where_others_were_before():
    """PostHog's "first time with filters"; its "first time" wants the very first to fit."""
    events = at_minutes(p="event1@0 event1@1:woah event2@3", q="event1@2")
    assert told(events, first("event1", **plan("woah")), "event2") == (1, 1)


GROUPED = {
    "one by two people": ([("sign", "5"), ("sign", "6"), ("pay", "5")], (2, 1)),
    "apart": ([("sign", "5"), ("pay", "5"), ("sign", ""), ("pay", ""), ("pay", None)], (1, 1)),
    "crosswise": ([("sign", "5"), ("sign", "6"), ("pay", "6"), ("pay", "5")], (2, 2)),
}


@pytest.mark.parametrize("case", GROUPED)
def test_a_group_goes_on_with_whoever_belongs_to_it(case):
    rows, expected = GROUPED[case]
    events = events_of(
        {"event_name": name, "org": org, "user_id": f"u{at}"} for at, (name, org) in enumerate(rows)
    )
    assert told(events, "sign", "pay", per="org") == expected


def test_sessions_count_each_users_count_once():
    rows = [
        ("u", name, session)
        for session, names in (("1", "sign cart out"), ("2", "sign cart"))
        for name in names.split()
    ]
    events = events_of(
        {"user_id": who, "event_name": name, "session_id": session}
        for who, name, session in [*rows, ("v", "sign", "3")]
    )
    steps = ("sign", "cart", "out")
    assert told(events, *steps) == (2, 1, 1)
    assert told(events, *steps, per="session_id") == (3, 2, 1)


def test_who_comes_to_which_step_is_told():
    people = {"a": "sign", "b": "sign pay", "c": "sign pay movie", "d": "movie"}
    found = times(journeys(**people), *SIGNED)
    assert {name: len(steps) for name, steps in found.items()} == {"a": 1, "b": 2, "c": 3}
