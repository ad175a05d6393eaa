"""Who comes back: cohorts, what a return is, and which cells are over."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from store.analytics.query_json import answer_json
from store.analytics.retention import Retention, RetentionAnalysis
from store.errors import UsageError
from store.testing import FrozenClock, events_of, journeys, store_of, write
from store.timespan import MONTH, TimeSpan
from tests.store.analytics.people import DAY, MONDAY, days, first_days, frame_of, told

SIGNUP = {"start_event": "signup", "return_event": "open"}
LATER = MONDAY + 100 * DAY


def cohorts(events, *, now=LATER, **options):
    """`retained` of each cohort."""
    options = {"span": first_days(3), "periods": 3, **options}
    found = told(RetentionAnalysis(), Retention(**options), events, now=now)
    return [each["retained"] for each in found["cohorts"]]


def test_column_0_is_the_size_of_the_cohort_whatever_the_return_is():
    events = days(ada="signup open", bob="signup", eve="- signup")
    assert cohorts(events, **SIGNUP) == [[2, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_a_return_in_the_start_period_counts_nowhere_else():
    assert cohorts(days(ada="signup,open,open"), **SIGNUP)[0] == [1, 0, 0, 0]


def test_a_return_before_the_start_is_none():
    assert cohorts(days(ada="open signup"), **SIGNUP)[1] == [1, 0, 0, 0]


def test_first_time_looks_at_all_that_is_stored_before_the_span():
    events = days(ada="signup - - signup open", bob="- - - signup open")
    late = TimeSpan(MONDAY + 3 * DAY, MONDAY + 4 * DAY)
    assert cohorts(events, span=late, **SIGNUP) == [[1, 1, 0, 0]]
    assert cohorts(events, span=late, mode="recurring", **SIGNUP) == [[2, 2, 0, 0]]


def test_recurring_users_are_in_every_cohort_that_they_begin_in():
    events = days(ada="open open - open")
    assert cohorts(events, mode="recurring") == [[1, 1, 0, 1], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert cohorts(events) == [[1, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_filter_makes_it_the_first_that_matches():
    start = {"name": "open", "where": "plan=pro"}
    rows = days(ada="open open open").with_columns(plan=None)
    pro = rows.with_columns(
        plan=rows["event_time"].replace_strict(
            {rows["event_time"][1]: "pro"}, default=None, return_dtype=rows["event_name"].dtype
        )
    )
    assert cohorts(pro, start_event=start) == [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert cohorts(pro, start_event="open where plan=pro")[1] == [1, 1, 0, 0]


def test_on_or_after_counts_whoever_is_back_then_or_later_also_after_the_last_column():
    events = days(ada="signup - open", bob="signup - - - - - - open", eve="signup")
    assert cohorts(events, on="on-or-after", **SIGNUP)[0] == [3, 2, 2, 1]
    assert cohorts(events, on="exactly", **SIGNUP)[0] == [3, 0, 1, 0]


def test_it_is_said_what_the_numbers_are_of(tmp_path):
    store = store_of(tmp_path / "s", journeys(ada="signup open"))
    said = store.run(Retention()).result.summary
    assert said == {
        "cohorts": "first ever event",
        "back": "exactly in that period",
        "periods": "of the calendar",
    }
    options = {"on": "on-or-after", "clock": "own", "start_event": "signup where plan=pro"}
    plans = journeys(ada="signup").with_columns(plan=pl.lit("pro"))
    store = store_of(tmp_path / "2", plans)
    assert list(store.run(Retention(**options)).result.summary.values()) == [
        "first matching event",
        "in that period or later",
        "from each one's start",
    ]
    recurring = store.run(Retention(mode="recurring")).result.summary
    assert recurring["cohorts"] == "every period's"


def test_so_many_returns_make_one_and_the_start_needs_none():
    events = days(ada="signup open,open open", bob="signup open open,open,open")
    assert cohorts(events, min_returns=2, **SIGNUP)[0] == [2, 1, 1, 0]


def test_the_own_clock_counts_whole_days_from_each_ones_start():
    def at(user, name, hours):
        time = MONDAY + timedelta(hours=hours)
        return {"user_id": user, "event_name": name, "event_time": time}

    events = events_of(
        [
            *(at("ada", "signup", 20), at("ada", "open", 30)),
            *(at("bob", "signup", 20), at("bob", "open", 44)),
            *(at("eve", "signup", 20), at("eve", "open", 68)),
        ]
    )
    assert cohorts(events, **SIGNUP)[0] == [3, 2, 1, 0]
    assert cohorts(events, clock="own", **SIGNUP)[0] == [3, 1, 1, 0]


def test_every_cohort_shows_all_periods_that_have_begun_and_says_which_are_over():
    events = days(ada="signup open open", bob="- signup open")
    query = Retention(span=first_days(3), periods=5, **SIGNUP)
    found = told(RetentionAnalysis(), query, events, now=MONDAY + 2.5 * DAY)["cohorts"]
    assert [(each["retained"], each["complete"]) for each in found] == [
        ([1, 1, 1], 2),
        ([1, 1], 1),
        ([0], 0),
    ]


def test_the_mean_is_weighted_by_size_and_leaves_out_what_is_not_over():
    events = days(ada="s open", bob="s open", eve="s -", zoe="- s open", max="- - s")
    query = Retention(span=first_days(3), periods=1, start_event="s", return_event="open")
    found = told(RetentionAnalysis(), query, events, now=MONDAY + 3.5 * DAY)
    assert found["mean"]["n"] == [5, 4]
    assert found["mean"]["shares"] == [1.0, 0.75]
    assert found["mean"]["low"][1] < 0.75 < found["mean"]["high"][1]


def test_nobody_is_no_division_error():
    found = told(RetentionAnalysis(), Retention(span=first_days(1)), frame_of([]), now=LATER)
    assert found["cohorts"][0]["retained"] == [0] * 8
    assert found["cohorts"][0]["shares"] == [None] * 8
    assert found["mean"]["shares"] == [None] * 8


def test_a_device_is_the_user_that_it_was_linked_to():
    events = days(ada="signup").with_columns(install_id=None)
    rows = [
        {"event_name": "signup", "install_id": "phone", "event_time": MONDAY},
        {"event_name": "open", "user_id": "ada", "install_id": "phone"},
        {"event_name": "open", "install_id": "phone"},
    ]
    for day, row in enumerate(rows):
        row.setdefault("event_time", MONDAY + day * DAY)
    assert events.height == 1
    assert cohorts(events_of(rows), **SIGNUP)[0] == [1, 1, 1, 0]
    assert cohorts(events_of(rows), link=False, **SIGNUP)[0] == [1, 0, 1, 0]


def test_organisations_come_back_as_well_as_users():
    events = days(ada="signup -", bob="- open", eve="signup open").with_columns(
        org=pl.when(pl.col("user_id") == "eve").then(None).otherwise(pl.lit("acme"))
    )
    assert cohorts(events, **SIGNUP)[0] == [2, 1, 0, 0]
    assert cohorts(events, per="org", **SIGNUP)[0] == [1, 1, 0, 0]


def test_weeks_begin_on_the_day_that_was_asked_for():
    events = days(ada="- - - - - - open open")
    weeks = {"span": first_days(14), "interval": 7 * DAY, "periods": 1}
    assert cohorts(events, **weeks) == [[1, 1], [0, 0]]
    assert cohorts(events, week_start="sunday", **weeks) == [[0, 0], [1, 0], [0, 0]]


def test_days_are_those_of_the_zone_also_when_the_clock_changes():
    def at(text):
        time = datetime.fromisoformat(text).astimezone(MONDAY.tzinfo)
        return {"user_id": "ada", "event_time": time}

    # Zurich: the 25th has 25 hours.
    events = events_of([at("2026-10-25T00:30+02:00"), at("2026-10-26T00:15+01:00")])
    span = TimeSpan(events["event_time"][0], events["event_time"][0] + timedelta(hours=1))
    assert cohorts(events, span=span, tz="Europe/Zurich", periods=1) == [[1, 1]]
    assert cohorts(events, span=span, periods=1) == [[1, 1]]
    almost = events_of([at("2026-10-25T00:30+02:00"), at("2026-10-25T23:45+01:00")])
    assert cohorts(almost, span=span, tz="Europe/Zurich", periods=1) == [[1, 0]]


def test_months_are_those_of_the_calendar():
    events = days(start=MONDAY + 28 * DAY, ada="open open - open")
    asked = {"span": first_days(29), "interval": MONTH, "periods": 2}
    assert cohorts(events, **asked) == [[1, 1, 0]]


def test_a_breakdown_is_by_what_the_start_had_and_folds_the_rest(tmp_path):
    rows = [
        ("ada", 0, "signup", "ios"),
        ("ada", 1, "open", "web"),
        ("bob", 0, "signup", "ios"),
        ("eve", 0, "signup", "web"),
        ("eve", 1, "open", "ios"),
        ("zoe", 0, "signup", None),
    ]
    events = events_of(
        {"user_id": who, "event_time": MONDAY + day * DAY, "event_name": name, "os": os}
        for who, day, name, os in rows
    )
    query = Retention(span=first_days(1), periods=1, by=("os",), limit=1, **SIGNUP)
    found = told(RetentionAnalysis(), query, events, now=LATER)["cohorts"]
    assert [(each["key"], each.get("folded"), each["retained"]) for each in found] == [
        ({"os": "ios"}, None, [2, 1]),
        ({"os": ""}, True, [2, 1]),
    ]


def test_late_events_and_spans_that_cut_a_part_change_nothing(tmp_path):
    clock = FrozenClock(LATER)
    events = days(ada="signup open", bob="signup - open", eve="- signup open")
    store = store_of(tmp_path, events, clock=clock)
    for mode in ("first-time", "recurring"):
        query = Retention(
            span=TimeSpan(MONDAY + DAY / 2, MONDAY + DAY), periods=2, mode=mode, **SIGNUP
        )
        assert answer_json(store.run(query))["result"]["cohorts"][0]["retained"] == [2, 1, 1]
    write(tmp_path, days(max="signup open"), clock=clock)
    assert answer_json(store.run(query))["result"]["cohorts"][0]["retained"] == [3, 2, 1]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"periods": 0}, "periods: 0"),
        ({"periods": 1_001}, "fewer"),
        ({"min_returns": 0}, "min returns: 0"),
        ({"mode": "often"}, "'often' is unknown; write first-time or recurring"),
        ({"start_event": ""}, "start event"),
        ({"start_event": "a where =="}, "filter"),
        ({"start_event": "a where plam=pro"}, "did you mean plan"),
        ({"return_event": "a where text"}, "name the field"),
        ({"by": ("plann",)}, "did you mean plan"),
        ({"interval": timedelta(0)}, "interval"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_sentence(tmp_path, options, says):
    store = store_of(tmp_path, days(ada="a b").with_columns(plan=pl.lit("pro")))
    with pytest.raises(UsageError, match=says):
        store.run(Retention(**options))


def test_a_breakdown_by_more_values_than_are_kept_is_a_sentence(tmp_path, monkeypatch):
    store = store_of(tmp_path, days(ada="a a a a a", bob="a a a a a"))
    monkeypatch.setattr("store.analytics.combining.ROWS_MAX", 5)
    assert store.run(Retention()).events_scanned == 10
    with pytest.raises(UsageError, match="different values; filter first"):
        store.run(Retention(by=("event_id",)))


def test_a_span_in_the_future_has_no_cohorts_yet(tmp_path):
    store = store_of(tmp_path, days(ada="a b"), clock=FrozenClock(MONDAY + 2 * DAY))
    future = TimeSpan(MONDAY + 50 * DAY, MONDAY + 60 * DAY)
    assert answer_json(store.run(Retention(span=future)))["result"]["cohorts"] == []


def test_users_are_told_with_when_they_came_back_the_latest_first():
    events = days(ada="signup open", bob="signup", eve="- signup", zoe="signup - open,open")
    query = Retention(span=first_days(3), periods=3, users=True, **SIGNUP)
    found = told(RetentionAnalysis(), query, events, now=LATER)
    assert found["users"] == [
        {"user": "zoe", "start": "2026-11-02T00:00:00Z", "back": [2]},
        {"user": "ada", "start": "2026-11-02T00:00:00Z", "back": [1]},
        {"user": "bob", "start": "2026-11-02T00:00:00Z", "back": []},
        {"user": "eve", "start": "2026-11-03T00:00:00Z", "back": []},
    ]
    later = told(RetentionAnalysis(), replace(query, on="on-or-after"), events, now=LATER)
    assert later["users"][0] == {**found["users"][0], "back": [1, 2]}
    assert "users" not in told(RetentionAnalysis(), replace(query, users=False), events, now=LATER)


def test_more_users_than_are_listed_are_counted_and_the_answer_says_so(monkeypatch):
    monkeypatch.setattr("store.analytics.cohorts.USERS_MAX", 2)
    events = days(ada="signup open", bob="signup open", eve="signup")
    found = told(RetentionAnalysis(), Retention(span=first_days(1), users=True), events, now=LATER)
    assert [user["user"] for user in found["users"]] == ["ada", "bob"]
    assert found["cohorts"][0]["retained"][:2] == [3, 2]


def test_the_triangle_of_a_week_is_the_one_that_product_analytics_publish():
    """The case that PostHog's tests call a day interval."""
    events = days(ada="a a a - - a,a a", bob="- a a a - - a")
    query = Retention(span=first_days(7), periods=6, mode="recurring")
    found = told(RetentionAnalysis(), query, events, now=MONDAY + 6.9 * DAY)["cohorts"]
    assert [each["retained"] for each in found] == [
        [1, 1, 1, 0, 0, 1, 1],
        [2, 2, 1, 0, 1, 2],
        [2, 1, 0, 1, 2],
        [1, 0, 0, 1],
        [0, 0, 0],
        [1, 1],
        [2],
    ]
