"""Funnels held against the published cases of `windowFunnel` in ClickHouse, Doris and
duckdb-behavioral, and of ClickHouse's `sequenceMatch`.

Levels are those of their tests where both mean the same; where ours means something else on
purpose, the test says what. (ClickHouse lets one event be several steps, but for `strict_once`.)
"""

import polars as pl
import pytest

from store.schema import INSTANT
from store.testing import NOON
from tests.store.analytics.funnel.asking import MINUTE, at_minutes, times, told

SECOND = MINUTE / 60
NINE = " ".join(f"{1000 + at}@{at}" for at in range(9))


def at_seconds(**people):
    """`a@5` is five seconds on; without a time, a second after the other."""
    found = {}
    for who, words in people.items():
        told = [(name, int(at or n)) for n, (name, _, at) in enumerate(
            word.partition("@") for word in words.split())]  # fmt: skip
        found[who] = " ".join(f"{name}@{at / 60}" for name, at in told)
    return at_minutes(**found)


def level(words, *steps, window=10_000, **options):
    """How far one user comes."""
    return sum(told(at_seconds(u=words), *steps, window=window * SECOND, **options))


@pytest.mark.parametrize(
    ("steps", "window", "expected"),
    [
        ("1000", 10_000, 1),
        ("1000 1001", 10_000, 2),
        ("1000 1001 1002", 10_000, 3),
        ("1000 1001 1002 1008", 10_000, 4),
        ("1000", 1, 1),
        ("1003 1004 1005 1006 1007", 2, 3),
        ("1003 1004 1005 1006 1007", 3, 4),
        ("1003 1004 1005 1006 1007", 4, 5),
        ("1001 1008", 10_000, 2),
        ("1008 1001", 10_000, 1),
    ],
)
def test_the_end_of_the_window_is_inside(steps, window, expected):
    assert level(NINE, *steps.split(), window=window) == expected


def test_conditions_that_overlap_take_an_event_each():
    steps = [{"name": "*", "where": f"event_name=~{pattern}"} for pattern in
             ("100[1-7]", "100[2-8]", "100[1-6]", "100[4-8]")]  # fmt: skip
    assert level(NINE, *steps, window=4) == 4


def test_a_repeat_changes_nothing():
    words = "1000@0 1001@10 1002@20 1003@30 1004@40 1005@50 1005@51 1006@60"
    assert level(words, *(str(1000 + at) for at in range(7))) == 7


ORDERS = {
    "a b c": (3, 3),
    "a d b c": (3, 1),
    "a a b b c c": (3, 3),
    "a a a a b b c c": (3, 3),
    "a a b b d c c": (3, 2),
    "c c b b a a": (1, 1),
    "a c b": (2, 1),
    # allow_reentry
    "a b a c": (3, 2),
    "a b c b d": (3, 3),
    "a b c a b c d": (3, 3),
}


@pytest.mark.parametrize("words", ORDERS)
def test_default_and_strict_order(words):
    found = (level(words, *"abc"), level(words, *"abc", order="strict"))
    assert found == ORDERS[words]


def test_strict_who_begins_again_can_convert():
    """There he stays where he first was stopped, and `allow_reentry` takes him on; a new run is
    what strict means here.
    """
    assert level("a b a b c", *"abc", order="strict") == 3
    assert level("a b c a b c d", *"abcd", order="strict") == 4


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("out@100 view@200 out@300 pay@400", 3),
        ("out@100 view@200 view@250 out@300 pay@400", 3),
        ("out@100 view@200 pay@300", 3),
    ],
)
def test_shoppers_who_step_back_still_pay(words, expected):
    assert level(words, "out", "view", "pay", window=600) == expected


def test_the_same_step_wants_as_many_events():
    assert level("1004@2", "1004", "1004", "1004") == 1
    people = {
        "u234": "no@100 no@250",
        "u345": "yes@200 no@210 yes@230",
        "u123": "no@180 no@220 yes@250",
    }
    found = times(at_seconds(**people), "no", "no", "yes", window=200 * SECOND)
    assert {who: len(steps) for who, steps in found.items()} == {"u123": 3, "u234": 2, "u345": 1}


def test_three_steps_at_one_instant_are_three():
    """`strict_increase` would have 2."""
    words = "1000@0 1001@1 1002@1 1003@1 1004@2"
    assert level(words, "1000", "1001", "1002", "1003", "1004") == 5


@pytest.mark.parametrize(
    ("pages", "steps", "expected"),
    [
        ("a1 a2", ("a1", "a2"), 2),
        ("a2 a1", ("a1", "a2"), 1),
        ("", ("a1",), 0),
    ],
)
def test_users_without_the_first_are_nowhere(pages, steps, expected):
    assert level(pages or "other", *steps) == expected


INSTALLS = "install@0 start@5 login@10 install@15 start@20 install@25 start@30 login@35 end@40"
SHOP = "look@0 click@600 pay@1800 click@2400"


@pytest.mark.parametrize(
    ("words", "steps", "window", "expected"),
    [
        # ClickHouse issue 37177: what users expect of it.
        (INSTALLS, "install start login end", 60, 4),
        (INSTALLS, "install start login end", 10, 3),
        # Issue 36256.
        (SHOP, "look click order pay", 1800, 2),
        (SHOP, "look click pay", 1800, 3),
        # Issue 21835, each user of its first example.
        ("e1@100 e2@99", "e1 e2", 50, 1),
        ("e2@250", "e1 e2", 50, 0),
        ("e1@200 e1@210 e2@230 e2@240", "e1 e2", 50, 2),
        # Its second example: both at one instant count, in the order of the steps.
        ("e1@100 e2@100", "e1 e2", 50, 2),
        # duckdb-behavioral, each user of its test.
        ("view@0 cart@300 purchase@600", "view cart purchase", 3600, 3),
        ("view@0 cart@300", "view cart purchase", 3600, 2),
        ("view@0 cart@18000", "view cart purchase", 3600, 1),
        ("view@0 cart@300 purchase@600", "nonexistent cart", 3600, 0),
        # Doris: five minutes from login to payment.
        ("login@60 visit@120 order@240 pay@600", "login visit order pay", 300, 3),
        ("login@60 visit@120 order@240 pay@360", "login visit order pay", 300, 4),
    ],
)
def test_cases_that_users_reported(words, steps, window, expected):
    assert level(words, *steps.split(), window=window) == expected


SEQUENCE = "z@0 z@1 z@2 z@3 a@4 b@5 z@6 z@7 z@8 z@9 a@10 a@11"


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("z", True),
        ("a", True),
        ("b", True),
        ("c", False),
        ("z z z z", True),
        ("z z z z z", False),
        ("z z z z a", True),
        ("z z z z a b", True),
        ("a b z z z z a a", True),
        ("a a b", False),
    ],
)
def test_what_follows_at_once_is_a_strict_funnel(pattern, matches):
    steps = pattern.split()
    assert (level(SEQUENCE, *steps, order="strict") == len(steps)) is matches


@pytest.mark.parametrize(
    ("steps", "expected"),
    [("A B C", (1, 1, 1)), ("A B A", (1, 1, 0)), ("A B B C", (1, 1, 1, 1)), ("C B A", (1, 0, 0))],
)
def test_one_user_with_a_million_events_in_between(steps, expected):
    """Theirs failed before its algorithm was another one."""
    many, at = 1_000_000, pl.col("at")
    numbers = pl.DataFrame({"at": range(many + 1)})
    name = (
        pl.when(at == 0).then(pl.lit("A")).when(at == many).then(pl.lit("C")).otherwise(pl.lit("B"))
    )
    one = at_minutes(u="A@0").drop("event_time", "event_name", "event_id")
    events = numbers.select(
        pl.format("e{}", at.cast(pl.String).str.zfill(7)).alias("event_id"),
        (NOON + at * pl.duration(microseconds=1)).cast(INSTANT).alias("event_time"),
        name.alias("event_name"),
    ).join(one, how="cross")
    assert told(events, *steps.split()) == expected
