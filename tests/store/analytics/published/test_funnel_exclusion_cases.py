"""Exclusions held against PostHog's published tests: who leaves the funnel, and who stays."""

import pytest

from store.errors import UsageError
from tests.store.analytics.funnel.asking import MINUTE, at_minutes, counts, times, told

SECOND = MINUTE / 60
STEPS = ("sign", "view", "insight", "invite", "view2")
UNORDERED = {"order": "unordered"}
PEOPLE = {
    "p1": "sign view x insight x invite x view2",
    "p2": "sign view insight x invite x view2",
    "p3": "sign x view insight invite x view2",
}


def between(name, after, before):
    """Steps by their numbers from 0, as PostHog writes them."""
    return {"name": name, "after": after + 1, "before": before + 1}


@pytest.mark.parametrize(
    ("after", "before", "left"),
    [
        (0, 1, {"p1", "p2"}),
        (1, 2, {"p2", "p3"}),
        (2, 3, {"p3"}),
        (3, 4, set()),
        (1, 3, {"p3"}),
    ],
)
def test_who_did_it_in_its_place_leaves(after, before, left):
    options = {"exclude": (between("x", after, before),)}
    assert counts(*STEPS, options=options, **PEOPLE) == (len(left),) * 5


@pytest.mark.parametrize(
    "places",
    [((0, 1), (2, 3)), ((0, 1), (0, 1)), ((0, 4), (0, 4))],
    ids=str,
)
def test_several_exclusions(places):
    people = {
        "p1": "sign x view insight y invite view2",
        "p2": "sign y view insight y invite x view2",
        "p3": "sign x view insight invite x view2",
        "p4": "sign view insight invite view2",
    }
    exclude = tuple(between(name, *place) for name, place in zip("xy", places, strict=True))
    assert counts(*STEPS, options={"exclude": exclude}, **people) == (1,) * 5


TIMED = {
    "it counts although nothing came after, but not after the window": (
        {"p1": "a@0 b@60", "p2": "a@0 x@30 b@60", "p3": "a@0 x@60", "p4": "a@0 x@1500"},
        1440 * 60,
        (2, 1),
    ),
    "a later start is clean": ({"p": f"a@0 x@{1 / 60} a@{31 / 60}"}, 10, (1, 0)),
    "an earlier start is clean": ({"p": f"a@0 a@{31 / 60} x@{32 / 60}"}, 10, (1, 0)),
    "no start is clean": ({"p": f"a@0 a@{1 / 60} x@{2 / 60}"}, 10, (0, 0)),
    "what comes after the window spoils nothing": (
        {"p": f"a@0 x@{11 / 60} b@{12 / 60}"},
        10,
        (1, 0),
    ),
    "the deepest attempt is spoiled": (
        {"p": f"a@0 x@{11 / 60} a@{12 / 60} x@{13 / 60} b@{14 / 60}"},
        10,
        (0, 0),
    ),
    "a later attempt is clean and as deep": (
        {"p": f"a@0 x@{1 / 60} b@{31 / 60} a@60 b@{60 + 29 / 60}"},
        30,
        (1, 1),
    ),
}


@pytest.mark.parametrize("case", TIMED)
def test_exclusions_and_windows(case):
    people, window, expected = TIMED[case]
    options = {"window": window * SECOND, "exclude": ("x",)}
    assert told(at_minutes(**people), "a", "b", **options) == expected


def test_the_clean_attempt_gives_the_time():
    events = at_minutes(p=f"a@0 x@{1 / 60} b@{31 / 60} a@60 b@{60 + 29 / 60}")
    found = times(events, "a", "b", window=30 * SECOND, exclude=("x",))
    assert found == {"p": [60, pytest.approx(60 + 29 / 60)]}


@pytest.mark.parametrize("place", [(0, 1), (1, 2)], ids=str)
def test_what_is_excluded_at_the_instant_of_a_step_does_nothing(place):
    words = ["zero@0", *["one@1"] * 30, "x@1", "two@1", "three@2"]
    exclude = (between("x", *place),)
    events = at_minutes(p=" ".join(words))
    assert told(events, "zero", "one", "two", "three", exclude=exclude) == (1, 1, 1, 1)


def test_an_exclusion_may_have_a_filter():
    people = {
        "out": "one@0 x@1:true two@2",
        "too": "one@0 x@1:yes two@2",
        "first": "one@0",
        "in": "one@0 x@1:false two@2",
    }
    exclude = tuple({"name": "x", "where": f"plan={value}"} for value in ("true", "yes"))
    assert told(at_minutes(**people), "one", "two", exclude=exclude) == (2, 1)


@pytest.mark.parametrize("place", [(1, 1), (1, 2), (2, 1), (0, 2)], ids=str)
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(UsageError, match="exclude"):
        counts("a", "b", options={"exclude": (between("x", *place),)}, p="a b")


def test_unordered_steps_have_no_places():
    with pytest.raises(UsageError, match="unordered"):
        counts("a", "b", "c", options={**UNORDERED, "exclude": (between("x", 0, 1),)}, p="a")


FREE = {
    "what was done so far is nothing any more": (
        ("a", "b"),
        {"p1": "a b", "p2": "a x b", "p3": "a b"},
        ("x",),
        (3, 2),
    ),
    "after completion it does nothing": (("a", "b", "c"), {"p": "a b c x c"}, ("x",), (1, 1, 1)),
    "also two steps of three are nothing any more": (
        ("a", "b", "c"),
        {"p": "a b x c", "q": "a b c"},
        ("x",),
        (2, 1, 1),
    ),
    "who did nothing else is nowhere": (("a", "b"), {"p": "a x"}, ("x",), (0, 0)),
    "five people and two exclusions": (
        STEPS,
        {
            "p1": "sign x view insight y invite view2",
            "p2": "sign y view insight y invite x view2",
            "p3": "sign x view insight invite x view2",
            "p4": "sign view insight invite view2",
            "p5": "sign x view x insight y invite x view2",
        },
        ("x", "y"),
        (5, 2, 1, 1, 1),
    ),
}


@pytest.mark.parametrize("case", FREE)
def test_unordered_an_exclusion_wipes_out_what_was_done(case):
    steps, people, exclude, expected = FREE[case]
    assert counts(*steps, options={**UNORDERED, "exclude": exclude}, **people) == expected


def test_unordered_what_expired_before_the_exclusion_counts():
    events = at_minutes(p="a@0 b@5 x@12", q="a@0 b@5 x@10")
    options = {**UNORDERED, "exclude": ("x",), "window": 10 * MINUTE}
    assert told(events, "a", "b", "c", **options) == (1, 1, 0)
