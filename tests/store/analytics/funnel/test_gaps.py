"""How far conversions are from what they were in the span before, with Newcombe's interval."""

from datetime import timedelta

import pytest

from store.analytics.funnel.analysis import Funnel
from store.analytics.query_json import answer_json
from store.analytics.shares import newcombe, wilson
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

HOUR = timedelta(hours=1)
NOW = TimeSpan(NOON, NOON + HOUR)


def people(start, came, paid, name, **rest):
    """So many came, and so many of them paid a minute later."""
    return [
        {"event_time": start + minute, "event_name": event, "user_id": f"{name}{at}", **rest}
        for at in range(came)
        for event, minute in (("signup", timedelta()), ("pay", timedelta(minutes=1)))
        if event == "signup" or at < paid
    ]


def compared(tmp_path, rows, **options):
    options = {"steps": ("signup", "pay"), "span": NOW, "window": HOUR / 2, **options}
    query = Funnel(compare="previous", **options)
    return answer_json(store_of(tmp_path, events_of(rows)).run(query))["compared"]


@pytest.mark.parametrize(
    ("now", "before"), [((70, 56), (80, 48)), ((10, 9), (10, 3)), ((10, 0), (20, 0))]
)
def test_each_conversion_is_held_against_the_one_before(tmp_path, now, before):
    rows = [*people(NOON, *now, "a"), *people(NOON - HOUR, *before, "b")]
    first, last = compared(tmp_path, rows)["steps"]
    assert first == {"step": "signup", "difference": None, "difference_interval": None}
    gap = newcombe(wilson(now[1], now[0]), wilson(before[1], before[0]))
    assert last["step"] == "pay"
    assert last["difference"] == gap.difference == now[1] / now[0] - before[1] / before[0]
    assert last["difference_interval"] == [gap.low, gap.high]


def test_where_nobody_came_there_is_no_difference(tmp_path):
    _, last = compared(tmp_path, people(NOON, 3, 1, "a"))["steps"]
    assert last == {"step": "pay", "difference": None, "difference_interval": None}
    _, last = compared(tmp_path / "2", people(NOON - HOUR, 3, 1, "a"))["steps"]
    assert last["difference"] is None
    _, last = compared(tmp_path / "3", [])["steps"]
    assert last["difference"] is None


def test_each_breakdown_value_is_held_against_itself(tmp_path):
    rows = [
        *people(NOON, 4, 2, "a", plan="pro"),
        *people(NOON - HOUR, 4, 1, "b", plan="pro"),
        *people(NOON, 2, 1, "c", plan="new"),
        *people(NOON - HOUR, 2, 1, "d", plan="old"),
    ]
    (group,) = compared(tmp_path, rows, by=("plan",))["breakdown"]
    assert group["key"] == {"plan": "pro"}
    assert group["steps"][1]["difference"] == 0.25


def test_values_that_are_folded_are_held_against_those_that_were(tmp_path):
    rows = [
        row
        for at, plan in enumerate("xyz")
        for row in (
            *people(NOON, 4 - at, 1, f"a{plan}", plan=plan),
            *people(NOON - HOUR, 4 - at, 0, f"b{plan}", plan=plan),
        )
    ]
    groups = compared(tmp_path, rows, by=("plan",), limit=1)["breakdown"]
    told = [(g["key"]["plan"], g.get("folded"), g["steps"][1]["difference"]) for g in groups]
    assert told == [("x", None, 0.25), ("", True, 2 / 5)]


def test_without_a_span_before_nothing_is_compared(tmp_path):
    store = store_of(tmp_path, events_of(people(NOON, 3, 1, "a")))
    assert "compared" not in answer_json(store.run(Funnel(steps=("signup", "pay"), span=NOW)))
