"""The first day of a week is a setting: every analysis with weeks begins them there."""

from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.query_json import answer_json, query_of_json
from store.analytics.registry import ANALYSES, find
from store.testing import FrozenClock, journeys, store_of

MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
NOW = MONDAY + timedelta(days=40)
ASKED = {
    "trends": {},
    "funnel-trend": {"steps": ["a", "b"]},
    "retention": {"periods": 2},
    "lifecycle": {},
}


def starts(told):
    """All that reads as the start of a period."""
    if isinstance(told, dict):
        found = [told["start"]] if isinstance(told.get("start"), str) else []
        return found + [each for value in told.values() for each in starts(value)]
    if isinstance(told, list):
        is_point = len(told) == 2 and isinstance(told[0], str) and "T" in told[0]
        return [told[0]] if is_point else [each for value in told for each in starts(value)]
    return []


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(("first", "day"), [(None, 5), ("monday", 0), ("sunday", 6)])
def test_weeks_begin_on_the_day_that_is_set_or_asked_for(tmp_path, name, first, day):
    events = [journeys(start=MONDAY + n * timedelta(days=3), ada="a b") for n in range(9)]
    ids = (each.with_columns(event_id=each["event_id"] + f".{n}") for n, each in enumerate(events))
    store = store_of(tmp_path / "s", *ids, clock=FrozenClock(NOW), week_start="saturday")
    asked = {**ASKED[name], "interval": "1w", **({"week_start": first} if first else {})}
    query = query_of_json(find(name, ANALYSES).query_type, asked, now=NOW)
    found = starts(answer_json(store.run(query))["result"])
    assert len(found) > 2
    assert {datetime.fromisoformat(each).weekday() for each in found} == {day}


def test_stickiness_counts_the_weeks_that_are_set(tmp_path):
    sunday = MONDAY - timedelta(days=1)
    events = journeys(start=sunday, step=timedelta(days=1), ada="a a")
    store = store_of(tmp_path / "s", events, clock=FrozenClock(NOW))
    kind = find("stickiness", ANALYSES).query_type
    for first, weeks in (("monday", 2), ("sunday", 1)):
        query = query_of_json(kind, {"interval": "1w", "week_start": first}, now=NOW)
        rows = answer_json(store.run(query))["result"]["rows"]
        assert [row["intervals"] for row in rows if row["users"]] == [weeks]
