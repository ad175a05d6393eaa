"""New, returning, resurrecting, dormant; and on how many days people are there."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.lifecycle import Lifecycle, LifecycleAnalysis
from store.analytics.query_json import answer_json
from store.analytics.stickiness import Stickiness, StickinessAnalysis
from store.errors import UsageError
from store.testing import FrozenClock, events_of, store_of, write
from store.timespan import MONTH, TimeSpan
from tests.cases import cases
from tests.store.analytics import cohort_reference
from tests.store.analytics.people import DAY, MONDAY, days, first_days, frame_of, moved, told

STATES = ("new", "returning", "resurrecting", "dormant")


def points(events, **options):
    options = {"span": first_days(4), "interval": DAY, **options}
    found = told(LifecycleAnalysis(), Lifecycle(**options), events)["points"]
    return [tuple(point[state] for state in STATES) for point in found]


def users(events, **options):
    options = {"span": first_days(4), "interval": DAY, **options}
    rows = told(StickinessAnalysis(), Stickiness(**options), events)["rows"]
    return {row["intervals"]: row["users"] for row in rows}


def test_a_life_goes_from_new_over_returning_and_dormant_to_resurrecting():
    assert points(days(ada="a a - a")) == [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, -1), (0, 0, 1, 0)]


def test_dormant_is_said_once():
    assert points(days(ada="a - - -")) == [(1, 0, 0, 0), (0, 0, 0, -1), (0, 0, 0, 0), (0, 0, 0, 0)]


def test_new_is_the_first_event_in_all_history_not_in_the_span():
    events = days(ada="a - a", bob="- a a")
    assert points(events, span=TimeSpan(MONDAY + 2 * DAY, MONDAY + 3 * DAY)) == [(0, 1, 1, 0)]


def test_who_was_there_just_before_the_span_may_be_gone_in_its_first_period():
    events = days(ada="a - -", bob="- a -")
    assert points(events, span=TimeSpan(MONDAY + 2 * DAY, MONDAY + 3 * DAY)) == [(0, 0, 0, -1)]


def test_new_for_an_event_is_the_first_such_event():
    events = days(ada="a pay - pay")
    assert points(events, event="pay")[1] == (1, 0, 0, 0)
    assert points(events, event="pay")[3] == (0, 0, 1, 0)


def test_a_late_event_may_make_somebody_new_earlier(tmp_path):
    clock = FrozenClock(MONDAY + 5 * DAY)
    store = store_of(tmp_path, days(ada="- - a"), clock=clock)
    query = Lifecycle(span=first_days(4), interval=DAY)
    before = answer_json(store.run(query))["result"]["points"]
    write(tmp_path, days(ada="a"), clock=clock)
    after = answer_json(store.run(query))["result"]["points"]
    assert [point["new"] for point in before] == [0, 0, 1, 0]
    assert [point["new"] for point in after] == [1, 0, 0, 0]
    assert [point["resurrecting"] for point in after] == [0, 0, 1, 0]


def test_the_running_period_is_marked(tmp_path):
    store = store_of(tmp_path, days(ada="a a"), clock=FrozenClock(MONDAY + 1.5 * DAY))
    told = answer_json(store.run(Lifecycle(span=first_days(2), interval=DAY)))
    assert told["incomplete_from"] == "2026-11-03T00:00:00Z"


def test_each_value_has_lives_of_its_own_and_the_rest_is_one():
    events = events_of(
        {"user_id": who, "event_time": MONDAY + day * DAY, "os": system}
        for who, day, system in [
            *(("ada", 0, "ios"), ("ada", 1, "web"), ("ada", 2, "tv")),
            *(("bob", 0, "ios"), ("bob", 1, "ios")),
        ]
    )
    query = Lifecycle(span=first_days(3), interval=DAY, by=("os",), limit=1)
    ios, rest = told(LifecycleAnalysis(), query, events)["series"]
    assert (ios["key"], ios.get("folded")) == ({"os": "ios"}, None)
    assert [tuple(p[s] for s in STATES) for p in ios["points"]] == [
        (2, 0, 0, 0),
        (0, 1, 0, -1),
        (0, 0, 0, -1),
    ]
    assert rest["folded"]
    assert [tuple(p[s] for s in STATES) for p in rest["points"]] == [
        (0, 0, 0, 0),
        (1, 0, 0, 0),
        (0, 1, 0, 0),
    ]


def test_a_life_over_months_and_over_a_changed_clock():
    rows = [{"user_id": "ada", "event_time": MONDAY + day * DAY} for day in (-40, 0, 35)]
    months = TimeSpan(MONDAY - 40 * DAY, MONDAY + 40 * DAY)
    assert points(events_of(rows), span=months, interval=MONTH) == [
        (1, 0, 0, 0),
        (0, 0, 0, -1),
        (0, 0, 1, 0),
        (0, 1, 0, 0),
    ]

    def at(text):
        return datetime.fromisoformat(text).astimezone(MONDAY.tzinfo)

    # Zurich: the 25th has 25 hours.
    rows = [
        {"user_id": "ada", "event_time": at("2026-10-25T00:10+02:00")},
        {"user_id": "ada", "event_time": at("2026-10-26T23:50+01:00")},
    ]
    span = TimeSpan(at("2026-10-25T00:00+02:00"), at("2026-10-27T00:00+01:00"))
    assert points(events_of(rows), span=span, tz="Europe/Zurich") == [(1, 0, 0, 0), (0, 1, 0, 0)]


def test_stickiness_keeps_its_zeros():
    events = days(ada="a,a a a -", bob="a - a a", eve="- - - a", zoe="- - - -")
    assert users(events) == {1: 1, 2: 0, 3: 2, 4: 0}


def test_stickiness_counts_periods_not_events_and_only_those_of_the_span(tmp_path):
    store = store_of(tmp_path, days(start=MONDAY - 2 * DAY, ada="a a a,a,a -"))

    def counts(**options):
        told = answer_json(store.run(Stickiness(span=first_days(4), interval=DAY, **options)))
        return [row["users"] for row in told["result"]["rows"]]

    assert counts() == [1, 0, 0, 0]
    assert counts(event="b") == [0, 0, 0, 0]


def test_shares_of_stickiness_stand_beside_their_interval():
    (row,) = told(
        StickinessAnalysis(), Stickiness(span=first_days(1), interval=DAY), days(ada="a", bob="a")
    )["rows"]
    assert row["share"] == 1.0
    assert 0.3 < row["low"] < 0.5
    assert row["high"] == 1.0


@pytest.mark.parametrize("question", [Lifecycle, Stickiness])
def test_nothing_is_no_error_and_a_wrong_name_is_a_sentence(tmp_path, question):
    empty = store_of(tmp_path / "empty")
    assert answer_json(empty.run(question()))["events_scanned"] == 0
    store = store_of(tmp_path / "some", days(ada="a"))
    future = TimeSpan(MONDAY + 900 * DAY, MONDAY + 901 * DAY)
    assert answer_json(store.run(question(span=future)))["result"]
    with pytest.raises(UsageError, match="did you mean user_id"):
        store.run(question(event="a where usr_id=ada"))


times = st.integers(0, 8 * 24).map(lambda hours: MONDAY + timedelta(hours=hours))
people = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": times,
            "event_name": st.sampled_from("ab"),
            "user_id": st.sampled_from([None, "", "ada", "bob", "eve"]),
            "install_id": st.sampled_from([None, "phone", "ada"]),
        }
    ),
    max_size=24,
)
asked = st.fixed_dictionaries(
    {
        "event": st.sampled_from([None, "a"]),
        "interval": st.sampled_from([DAY, DAY, 7 * DAY]),
        "tz": st.sampled_from(["UTC", "UTC", "America/New_York"]),
        "week_start": st.sampled_from(["monday", "sunday"]),
        "link": st.booleans(),
        "span": st.integers(1, 5).map(
            lambda day: TimeSpan(MONDAY + day * DAY, MONDAY + (day + 3) * DAY)
        ),
    }
)


@settings(max_examples=cases(1_000) // 4)
@given(towns=st.lists(people, min_size=4, max_size=4), options=asked, data=st.data())
def test_lives_are_what_looking_at_one_user_after_the_other_gives(towns, options, data):
    """Four cases at once: nobody lives in two towns."""
    rows = [row for at, town in enumerate(towns) for row in moved(town, at)]
    parts = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    apart = data.draw(st.booleans())
    query = Lifecycle(**options, by=("town",) if apart else ())
    events = frame_of(rows) if rows else frame_of([]).with_columns(town=pl.lit(""))
    found = told(LifecycleAnalysis(), query, events, parts, (0, 1, 0))
    wanted = [
        [states for _, *states in cohort_reference.lifecycle(moved(town, at), query)]
        for at, town in enumerate(towns)
    ]
    if apart:
        by_town = {each["key"]["town"]: states_of(each["points"]) for each in found["series"]}
        nobody = [[0] * len(STATES)] * len(wanted[0])
        assert [by_town.get(f"{at}", nobody) for at in range(4)] == wanted
    else:
        sums = [[sum(state) for state in zip(*of, strict=True)] for of in zip(*wanted, strict=True)]
        assert states_of(found["points"]) == sums


def states_of(points):
    return [[point[state] for state in STATES] for point in points]


@settings(max_examples=cases(100))
@given(rows=people, options=asked, data=st.data())
def test_stickiness_is_what_counting_by_hand_gives(rows, options, data):
    query = Stickiness(**options)
    inside = [row for row in rows if query.span.contains(row["event_time"])]
    anew = replace(query, link=False)
    found = told(StickinessAnalysis(), anew, frame_of(inside))["rows"]
    assert [row["users"] for row in found] == cohort_reference.stickiness(rows, anew)
