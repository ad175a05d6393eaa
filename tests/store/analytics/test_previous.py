"""The span before beside the one that was asked for: of the same length, up to its first instant."""

from datetime import timedelta

import pytest

from store.analytics.percentiles import Percentiles
from store.analytics.query_json import answer_json
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + 4 * MINUTE)


@pytest.fixture
def store(tmp_path):
    """Minutes from noon on; what is at an edge, and beyond the span before, as well."""
    told = [(-5, "a", 1), (-4, "a", 2), (-1, "b", 4), (-0.001, "b", 6), (0, "a", 10), (3, "c", 30)]
    return store_of(
        tmp_path / "s",
        events_of(
            {"event_time": NOON + at * MINUTE, "event_name": name, "duration_ms": float(took)}
            for at, name, took in told
        ),
    )


def both(store, query):
    found = answer_json(store.run(query))
    return found["result"], found["previous"]


def test_trends_have_the_points_of_the_span_before(store):
    now, before = both(store, Trends(span=SPAN, interval=2 * MINUTE, compare="previous"))
    assert [value for _, value in now["series"][0]["points"]] == [1, 1]
    assert before["series"][0]["points"] == [
        ["2026-11-22T11:56:00Z", 1],
        ["2026-11-22T11:58:00Z", 2],
    ]


def test_percentiles_are_of_the_values_of_the_span_before(store):
    now, before = both(store, Percentiles(span=SPAN, compare="previous"))
    names = ("count", "mean", "min", "p50", "max")
    assert [now["rows"][0][name] for name in names] == [2, 20, 10, 20, 30]
    assert [before["rows"][0][name] for name in names] == [3, 4, 2, 4, 6]


def test_the_top_of_the_span_before_has_shares_of_its_own(store):
    now, before = both(store, Top(span=SPAN, compare="previous"))
    assert [(row["key"]["event_name"], row["value"]) for row in now["rows"]] == [("a", 1), ("c", 1)]
    assert [(row["key"]["event_name"], row["value"]) for row in before["rows"]] == [
        ("b", 2),
        ("a", 1),
    ]
    assert before["rows"][0]["share"] == pytest.approx(2 / 3)
