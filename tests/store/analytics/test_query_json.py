"""Questions and answers as JSON: what scripts send and read."""

import json
from datetime import timedelta

import pytest

from store.analytics import ANALYSES
from store.analytics.paths.paths import Paths
from store.analytics.percentiles import Percentiles
from store.analytics.query_json import answer_json, query_json, query_of_json
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.errors import UsageError
from store.testing import NOON, journeys, store_of
from store.timespan import TimeSpan

HOUR = TimeSpan(NOON, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    "query",
    [
        Trends(),
        Trends(span=HOUR, interval=timedelta(seconds=90), measures=("p95:duration_ms", "users")),
        Trends(where={"duration_ms": {"$gt": 100}}, events=("a", "b"), by=("plan",)),
        Percentiles(exact=True, by=("region",), link=False),
        Top(measure="users", limit=3, tz="Europe/Zurich"),
    ],
)
def test_a_query_comes_back_from_its_json(query):
    document = json.loads(json.dumps(query_json(query)))
    assert query_of_json(type(query), document, now=NOON) == query


def test_options_names_and_single_values_are_taken_as_well():
    asked = query_of_json(
        Trends,
        {"measure": "users", "event": ["a"], "by": "plan", "interval": 60, "last": "15m"},
        now=NOON,
    )
    assert asked == Trends(
        measures=("users",),
        events=("a",),
        by=("plan",),
        interval=timedelta(minutes=1),
        span=TimeSpan(NOON - timedelta(minutes=15), NOON),
    )


def test_a_start_and_a_length_are_a_span_as_on_the_command_line():
    asked = query_of_json(Top, {"since": "2026-11-22T12:00", "last": 3600}, now=NOON)
    assert asked.span == HOUR


def test_times_without_a_zone_follow_that_of_the_question():
    document = {"since": "2026-11-22T13:00", "until": "2026-11-22T14:00", "tz": "Europe/Berlin"}
    assert query_of_json(Top, document, now=NOON) == Top(span=HOUR, tz="Europe/Berlin")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"mesures": ["count"]}, "did you mean measures"),
        ({"limit": "many"}, "limit is 'many', wanted int"),
        ({"limit": True}, "wanted int"),
        ({"interval": [1]}, "wanted a duration"),
        ({"since": "yesterdy"}, "not a time"),
        ({"until": "now"}, "until alone"),
        ({"since": "-1h", "until": "now", "last": "1h"}, "twice"),
        ({"interval": float("inf")}, "longer than any time"),
        ({"last": -1e300}, "longer than any time"),
        ({"tz": "Atlantis/Capital", "since": "2026-11-22"}, "no zone 'Atlantis/Capital'"),
        ({"link": "yes"}, "wanted bool"),
        ([], "not a JSON object"),
    ],
)
def test_a_wrong_query_is_refused_with_a_sentence(document, said):
    with pytest.raises(UsageError, match=said):
        query_of_json(Trends, document, now=NOON)


@pytest.mark.parametrize(
    "analysis", [each.load() for each in ANALYSES], ids=lambda analysis: analysis.name
)
def test_every_answer_is_plain_json_whose_query_can_be_sent_back(tmp_path, analysis):
    store = store_of(tmp_path, journeys(ada="a b c", bob="a"))
    answer = store.run(analysis.query_type(compare="previous", span=HOUR))
    envelope = json.loads(json.dumps(answer_json(answer), allow_nan=False))
    assert envelope["analysis"] == analysis.name
    assert envelope["span"] == {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T13:00:00Z"}
    assert envelope["coverage"] == [{**envelope["span"], "tier": "raw"}]
    again = query_of_json(analysis.query_type, envelope["query"], now=NOON)
    assert answer_json(store.run(again)) == answer_json(answer)


def test_the_points_of_trends_are_pairs(tmp_path):
    answer = store_of(tmp_path, journeys(ada="a b a")).run(
        Trends(span=HOUR, events=("a", "never"), interval=timedelta(minutes=30))
    )
    assert answer_json(answer)["result"] == {
        "interval_seconds": 1800.0,
        "series": [
            {
                "key": {"event_name": name},
                "points": [["2026-11-22T12:00:00Z", count], ["2026-11-22T12:30:00Z", 0]],
            }
            for name, count in (("a", 2), ("never", 0))
        ],
    }


def test_a_field_that_is_a_word_of_python_has_its_plain_name():
    assert query_json(Paths(from_="a"))["from"] == "a"
    assert query_of_json(Paths, {"from": "a"}, now=NOON) == Paths(from_="a")
