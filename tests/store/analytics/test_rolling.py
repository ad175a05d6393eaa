"""Rolling windows: the users of seven days, on every day, whether or not something happened on it."""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.query_json import answer_json, query_json, query_of_json
from store.analytics.trends import Trends, TrendsAnalysis
from store.errors import UsageError
from store.testing import FrozenClock, events_of, store_of, write
from store.timespan import MONTH, TimeSpan
from tests.cases import cases
from tests.store.analytics import rolling_reference
from tests.store.analytics.people import (
    CROWD,
    DAY,
    MONDAY,
    MONDAYS,
    SPANS,
    TOWN,
    ZONES,
    begun,
    crowds,
    days,
    first_days,
    frame_of,
    moved,
    span_since,
    told,
)
from tests.store.analytics.reference import same

HOUR = timedelta(hours=1)
LATER = MONDAY + 5_000 * DAY
EVERY = ("users", "count", "sum:value", "max:value", "min:value", "p50:value")


def points(store, measure="users", **options):
    options = {"span": first_days(6), "interval": DAY, "rolling": 3 * DAY, **options}
    (series,) = store.run(Trends(measures=(measure,), **options)).result.series
    return series.values


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("told_of", "users"),
    [
        ({"ada": "a - - - - -"}, [1, 1, 1, 0, 0, 0]),
        ({"ada": "- - a - - -"}, [0, 0, 1, 1, 1, 0]),
        ({"ada": "a - - a - -"}, [1, 1, 1, 1, 1, 1]),
        ({"ada": "a a,a a a a a"}, [1, 1, 1, 1, 1, 1]),
        ({"ada": "a - - - - -", "bob": "- - a - - -"}, [1, 1, 2, 1, 1, 0]),
        ({"ada": "- - - - - a"}, [0, 0, 0, 0, 0, 1]),
        ({"ada": "- - - - - - a"}, [0, 0, 0, 0, 0, 0]),
    ],
)
def test_somebody_counts_in_each_window_that_he_was_there_in(tmp_path, told_of, users):
    assert points(store_of(tmp_path, days(**told_of))) == users


def test_days_without_any_event_have_their_users_too(tmp_path):
    store = store_of(tmp_path, days(ada="a - - - - -", bob="a - - - - -"))
    assert points(store) == [2, 2, 2, 0, 0, 0]


def test_the_edges_of_a_window_are_the_first_instant_inside_and_the_first_one_after(tmp_path):
    instants = [MONDAY, MONDAY + DAY - timedelta.resolution, MONDAY + 3 * DAY]
    rows = [{"event_time": time, "user_id": f"u{n}"} for n, time in enumerate(instants)]
    assert points(store_of(tmp_path, events_of(rows))) == [2, 2, 2, 1, 1, 1]


def test_what_lies_before_the_span_counts_as_far_as_the_first_window_goes(tmp_path):
    store = store_of(tmp_path, days(ada="a - - - - -", bob="- a - - - -"))
    late = TimeSpan(MONDAY + 3 * DAY, MONDAY + 5 * DAY)
    answer = store.run(Trends(measures=("users",), rolling=3 * DAY, interval=DAY, span=late))
    (series,) = answer.result.series
    assert (series.values, series.total) == ([1, 0], 1)
    assert answer.span == late
    assert answer.events_scanned == 1
    assert answer.result.windows == [MONDAY + DAY, MONDAY + 2 * DAY]


def test_a_span_that_cuts_a_day_tells_of_its_whole_window_up_to_the_span_s_end(tmp_path):
    store = store_of(tmp_path, days(ada="a - -", bob="- - a"))
    noon = TimeSpan(MONDAY + DAY / 2, MONDAY + 2 * DAY + DAY / 8)
    assert points(store, span=noon) == [1, 1, 1]
    assert points(store, span=replace(noon, end=MONDAY + 2 * DAY + DAY / 2)) == [1, 1, 2]


def test_a_window_of_one_point_is_that_point(tmp_path):
    store = store_of(tmp_path, days(ada="a - a a", bob="a - - a"))
    for measure in ("users", "count"):
        assert points(store, measure, rolling=DAY) == points(store, measure, rolling=None)


@pytest.mark.parametrize("size", range(1, 17))
def test_any_number_of_points_makes_a_window(tmp_path, size):
    store = store_of(tmp_path, days(ada="a - - - - a a - - - - - - - - - -"))
    (series,) = store.run(
        Trends(rolling=size * DAY, interval=DAY, span=first_days(17), measures=("count",))
    ).result.series
    assert series.values == [
        sum(max(0, point - size + 1) <= day <= point for day in (0, 5, 6)) for point in range(17)
    ]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("count", [2, 3, 4, 2, 1, 0]),
        ("sum:value", [3, 7, 15, 12, 8, 0]),
        ("mean:value", [1.5, 7 / 3, 3.75, 6, 8, None]),
        ("min:value", [1, 1, 1, 4, 8, None]),
        ("max:value", [2, 4, 8, 8, 8, None]),
        ("p50:value", [1.5, 2, 3, 6, 8, None]),
        ("sessions", [1, 2, 2, 2, 1, 0]),
    ],
)
def test_every_measure_can_roll(tmp_path, measure, expected):
    told_of = [(0, 1.0, "s"), (0, 2.0, "s"), (1, 4.0, "t"), (2, 8.0, "s")]
    rows = [
        {"event_time": MONDAY + day * DAY, "value": value, "session_id": session}
        for day, value, session in told_of
    ]
    assert points(store_of(tmp_path, events_of(rows)), measure) == pytest.approx(expected)


def test_a_rate_is_over_the_whole_window_also_before_the_span_and_up_to_its_end(tmp_path):
    store = store_of(tmp_path, days(ada="a,a,a - a"))
    half = TimeSpan(MONDAY + 2 * DAY, MONDAY + 2 * DAY + DAY / 2)
    assert points(store, "rate", span=half) == [4 / (2.5 * 86_400)]


def test_events_that_stand_for_more_count_as_often_and_their_users_once(tmp_path):
    rows = [{"event_time": MONDAY, "user_id": "ada", "sample_rate": 10.0}]
    store = store_of(tmp_path, events_of(rows))
    assert points(store, "count") == [10, 10, 10, 0, 0, 0]
    assert points(store) == [1, 1, 1, 0, 0, 0]


def test_each_breakdown_value_has_its_own_windows_and_the_rest_is_one(tmp_path):
    rows = [
        {"event_time": MONDAY + day * DAY, "user_id": user, "plan": plan}
        for day, user, plan in [
            *((0, "ada", "pro"), (1, "bob", "pro"), (0, "eve", "free"), (2, "eve", "old")),
        ]
    ]
    store = store_of(tmp_path, events_of(rows))
    query = Trends(
        span=first_days(4),
        interval=DAY,
        rolling=2 * DAY,
        by=("plan",),
        measures=("users",),
        limit=1,
    )
    found = store.run(query).result.series
    assert [(s.key["plan"], s.folded, s.values, s.total) for s in found] == [
        ("pro", False, [1, 2, 1, 0], 2),
        ("", True, [1, 1, 1, 1], 1),
    ]


def test_a_filter_and_names_choose_whose_windows_they_are(tmp_path):
    store = store_of(tmp_path, days(ada="open pay - -", bob="pay - - -"))
    assert points(store, where="event_name=pay") == [1, 2, 2, 1, 0, 0]
    answer = store.run(
        Trends(
            span=first_days(3),
            interval=DAY,
            rolling=2 * DAY,
            events=("pay", "refund"),
            measures=("users",),
        )
    )
    assert [s.values for s in answer.result.series] == [[1, 2, 1], [0, 0, 0]]


def test_the_span_before_has_windows_of_its_own(tmp_path):
    store = store_of(tmp_path, days(ada="a - - -", bob="- a - -"))
    span = TimeSpan(MONDAY + 2 * DAY, MONDAY + 4 * DAY)
    query = Trends(
        span=span, interval=DAY, rolling=2 * DAY, measures=("users",), compare="previous"
    )
    answer = store.run(query)
    assert [s.values for s in answer.result.series] == [[1, 0]]
    assert [s.values for s in answer.previous.series] == [[1, 2]]


def test_devices_that_became_somebody_are_that_one(tmp_path):
    rows = [
        {"event_time": MONDAY, "install_id": "phone"},
        {"event_time": MONDAY + DAY, "install_id": "phone", "user_id": "ada"},
    ]
    store = store_of(tmp_path, events_of(rows))
    assert points(store) == [1, 1, 1, 1, 0, 0]
    assert points(store, link=False) == [1, 2, 2, 1, 0, 0]


def test_the_running_day_is_marked(tmp_path):
    clock = FrozenClock(MONDAY + 2 * DAY + HOUR)
    store = store_of(tmp_path, days(ada="a - a"), clock=clock)
    answer = store.run(Trends(span=first_days(3), interval=DAY, rolling=2 * DAY))
    assert answer.incomplete_from == MONDAY + 2 * DAY


def test_a_late_event_counts_in_all_windows_that_it_is_in(tmp_path):
    store = store_of(tmp_path, days(ada="- - - a"))
    assert points(store) == [0, 0, 0, 1, 1, 1]
    write(tmp_path, days(bob="a"))
    assert points(store) == [1, 1, 1, 1, 1, 1]


# Calendars


def test_seven_days_are_seven_midnights_of_the_zone_when_the_clock_changes(tmp_path):
    zone, first, last = "Europe/Zurich", at("2026-03-24T23:00Z"), at("2026-03-31T21:59:59Z")
    rows = [
        {"event_time": first - timedelta.resolution, "user_id": "before"},
        {"event_time": first, "user_id": "ada"},
        {"event_time": last, "user_id": "bob"},
    ]
    store = store_of(tmp_path, events_of(rows))
    span = TimeSpan(at("2026-03-30T22:00Z"), at("2026-03-31T22:00Z"))
    query = Trends(span=span, interval=DAY, rolling=7 * DAY, tz=zone, measures=("users", "rate"))
    users, rate = store.run(query).result.series
    assert users.values == [2]
    # An hour less, since the clock went forward.
    assert rate.values == [2 / (7 * 86_400 - 3_600)]


def test_weeks_and_months_are_those_of_the_calendar(tmp_path):
    rows = [{"event_time": at("2026-02-01T00:00Z"), "user_id": "ada"}]
    rows += [{"event_time": at("2026-01-31T23:59Z"), "user_id": "bob"}]
    store = store_of(tmp_path, events_of(rows))
    span = TimeSpan(at("2026-03-01T00:00Z"), at("2026-04-01T00:00Z"))
    assert points(store, span=span, interval=MONTH, rolling=2 * MONTH) == [1]
    assert points(store, span=span, interval=MONTH, rolling=MONTH) == [0]
    # The week of Sunday 1 February begins with it, or ends with it.
    week = TimeSpan(at("2026-02-09T00:00Z"), at("2026-02-10T00:00Z"))
    weeks = {"span": week, "interval": 7 * DAY, "rolling": 14 * DAY}
    assert points(store, **weeks, week_start="sunday") == [1]
    assert points(store, **weeks, week_start="monday") == [0]


@pytest.mark.parametrize(
    ("rolling", "width"),
    [
        *((7 * DAY, DAY), (30 * DAY, DAY), (DAY, DAY), (MONTH, MONTH), (3 * HOUR, HOUR)),
        (timedelta(minutes=90), timedelta(minutes=30)),
    ],
)
def test_points_are_days_or_what_fits_into_the_window(tmp_path, rolling, width):
    store = store_of(tmp_path, days(ada="a a a"))
    answer = store.run(Trends(span=first_days(3), rolling=rolling))
    assert answer.query.interval == width


# Wrong questions


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rolling": timedelta()}, "0s is no window; write 7d, 30d"),
        ({"rolling": -DAY}, "is no window"),
        ({"rolling": 5 * DAY, "interval": 2 * DAY}, "take a window of 6d, or an interval"),
        ({"rolling": HOUR, "interval": DAY}, "1h is no whole number of points of 1d"),
        ({"rolling": 30 * DAY, "interval": MONTH}, "take a window of month, or an interval"),
        ({"rolling": 10_000 * DAY, "interval": DAY}, "too many to read back"),
        ({"rolling": 9_990 * 100 * DAY, "interval": 100 * DAY}, "before the year 1"),
    ],
)
def test_windows_that_cannot_be_are_refused(tmp_path, options, sentence):
    store = store_of(tmp_path, days(ada="a"))
    with pytest.raises(UsageError, match="rolling: ") as refused:
        store.run(Trends(span=first_days(2), **options))
    assert sentence in str(refused.value)


def test_an_empty_store_and_a_span_of_nothing_have_their_windows_too(tmp_path):
    answer = store_of(tmp_path).run(Trends(rolling=7 * DAY, measures=("users",)))
    assert set(answer.result.series[0].values) == {0}
    nothing = TimeSpan(MONDAY, MONDAY)
    assert points(store_of(tmp_path / "2", days(ada="a")), span=nothing) == []


def test_the_question_reads_back_and_the_answer_tells_where_windows_begin(tmp_path):
    query = Trends(span=first_days(2), interval=DAY, rolling=7 * DAY)
    document = query_json(query)
    assert document["rolling"] == "1w"
    assert query_of_json(Trends, document, now=LATER) == query
    found = answer_json(store_of(tmp_path, days(ada="a")).run(query))["result"]
    assert found["windows"] == ["2026-10-27T00:00:00Z", "2026-10-28T00:00:00Z"]


@pytest.mark.parametrize(
    ("first", "full_from"),
    [
        # Of the first day only a part is known, as of any that a store begins with.
        (MONDAY + 2 * DAY + HOUR, "2026-11-06T00:00:00Z"),
        (MONDAY - 2 * DAY, "2026-11-02T00:00:00Z"),
        (MONDAY + 4 * DAY, None),
    ],
)
def test_windows_that_begin_before_all_that_is_stored_are_told_to_be_short(
    tmp_path, first, full_from
):
    rows = [{"event_time": first + at * DAY, "user_id": f"u{at}"} for at in range(9)]
    store = store_of(tmp_path, events_of(rows))
    query = Trends(span=first_days(6), interval=DAY, rolling=3 * DAY, measures=("users",))
    found = answer_json(store.run(query))["result"]
    assert found["full_from"] == full_from
    assert "full_from" not in answer_json(store.run(replace(query, rolling=None)))["result"]
    before = answer_json(store.run(replace(query, compare="previous")))["previous"]
    assert before["full_from"] is None


def test_windows_are_put_together_out_of_what_was_read_before(tmp_path):
    store = store_of(tmp_path, days(ada="a a a"))
    assert Trends(rolling=DAY).key() == Trends().key()
    plain = {"span": TimeSpan(MONDAY - 2 * DAY, MONDAY + 6 * DAY), "rolling": None}
    assert points(store, **plain)[2:] == [1, 1, 1, 0, 0, 0]
    for path in tmp_path.rglob("*.parquet"):
        path.write_bytes(b"")
    assert points(store) == [1, 1, 1, 1, 1, 0]


# Held against the slow reference

widths = st.sampled_from([DAY, DAY, 7 * DAY, 3 * DAY, MONTH, HOUR, 6 * HOUR, 12 * HOUR])
asked = {
    "monday": MONDAYS,
    "span": SPANS,
    "width": widths,
    "size": st.sampled_from([1, 2, 3, 4, 5, 7]),
    "tz": ZONES,
    "week_start": st.sampled_from(["monday", "sunday", "saturday"]),
    "link": st.booleans(),
    "seed": st.integers(0, 9),
}


@settings(max_examples=60, deadline=None)
@given(towns=st.lists(TOWN, min_size=4, max_size=4), **asked)
def test_windows_hold_what_looking_at_each_event_gives(towns, **how):
    """Four cases at once: nobody lives in two towns."""
    check(towns, **how)


@settings(max_examples=max(1, cases(1_000) // CROWD), deadline=None)
@given(towns=crowds(), **asked)
def test_and_so_they_do_of_a_crowd(towns, **how):
    check(towns, **how)


def check(towns, *, monday, span, width, size, seed, **options):
    homes = [
        [{**row, "value": float(hash((seed, at)) % 7)} for at, row in enumerate(home)]
        for home in (moved(begun(monday, town), number) for number, town in enumerate(towns))
    ]
    query = Trends(
        span=span_since(monday, span),
        interval=width,
        rolling=size * width,
        measures=EVERY,
        by=("town",),
        limit=99,
        **options,
    )
    rows = [row for home in homes for row in home]
    wanted = {str(at): rolling_reference.values(home, query) for at, home in enumerate(homes)}
    shown = {town: values for town, values in wanted.items() if any(values["count"])}
    found = {}
    parts = [hash((seed, at)) % 4 for at in range(len(rows))]
    events = frame_of(rows)
    if not rows:
        events = events.with_columns(town=pl.lit(""), value=pl.lit(0.0))
    answer = told(TrendsAnalysis(), query, events, parts, (0, 1, 0), LATER)
    for series in answer["series"]:
        of = found.setdefault(series["key"]["town"], {})
        of[series["measure"]] = [value for _, value in series["points"]]
    assert same(dict(sorted(found.items())), dict(sorted(shown.items())))
