"""Adoption before and after an instant or a release: as many whole intervals on both sides, and the
difference of the shares with Newcombe's interval.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.adoption import Adoption, AdoptionAnalysis
from store.analytics.query_json import answer_json, query_of_json
from store.analytics.shares import newcombe, wilson
from store.errors import UsageError
from store.testing import FrozenClock, events_of, store_of, write
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.people import DAY, MONDAY, days, first_days, frame_of, told

LATER = MONDAY + 300 * DAY
HOUR = timedelta(hours=1)
SIDES = ("before_users", "before_active", "after_users", "after_active")


def asked(events, at=None, *features, now=LATER, **options):
    options = {"span": first_days(6), "interval": DAY, **options}
    when = None if at is None else (MONDAY + at * DAY).isoformat()
    query = Adoption(features=features or ("x",), at=when, **options)
    return told(AdoptionAnalysis(), query, events, now=now)


def sides(*how, **options):
    (row,) = asked(*how, **options)["rows"]
    return [row[name] for name in SIDES]


def released(day, version="2.0", hour=12, **rest):
    time = MONDAY + day * DAY + hour * HOUR
    return events_of([{"event_time": time, "service_version": version, **rest}])


def both(*frames):
    return pl.concat(frames, how="diagonal")


def test_users_and_active_ones_are_counted_on_both_sides():
    events = days(
        ada="x x - x - -", bob="open - x open - -", eve="- open open - x -", zoe="- - - x,x x -"
    )
    (row,) = asked(events, 3)["rows"]
    assert [row[name] for name in SIDES] == [2, 3, 3, 4]
    assert (row["before_rate"], row["after_rate"]) == (2 / 3, 3 / 4)
    gap = newcombe(wilson(3, 4), wilson(2, 3))
    found = (row["difference"], row["difference_low"], row["difference_high"])
    assert found == tuple(gap)
    assert gap.low < gap.difference == 3 / 4 - 2 / 3 < gap.high


def test_the_day_that_the_instant_lies_in_is_of_neither_side():
    events = days(ada="x - - x", bob="- x - x", eve="- - x -", zoe="open - open -")
    assert sides(events, 1.5, span=first_days(4)) == [1, 2, 1, 2]
    assert sides(events, 1, span=first_days(4)) == [1, 2, 1, 1]
    assert sides(events, 2 - 1e-6, span=first_days(4)) == [1, 2, 1, 2]
    assert sides(events, 2, span=first_days(4)) == [2, 3, 3, 4]


def test_both_sides_are_of_the_same_length_and_next_to_it():
    events = days(ada="x - - - - -", bob="- x - - - -", eve="- - - - - x", zoe="- - - - x -")
    found = asked(events, 2)
    assert [found["rows"][0][name] for name in SIDES] == [2, 2, 0, 0]
    summary = found["summary"]
    assert summary == {
        "at": "2026-11-04T00:00:00Z",
        "before_start": "2026-11-02T00:00:00Z",
        "before_end": "2026-11-04T00:00:00Z",
        "after_start": "2026-11-04T00:00:00Z",
        "after_end": "2026-11-06T00:00:00Z",
    }
    assert sides(events, 4.5) == [0, 0, 1, 1]


def test_what_is_not_over_is_on_no_side():
    events = days(ada="x x x x x x")
    assert asked(events, 2, now=MONDAY + 3.5 * DAY)["summary"]["after_end"].startswith("2026-11-05")
    with pytest.raises(UsageError, match="no whole interval that is over"):
        asked(events, 3, now=MONDAY + 3.9 * DAY)


def test_before_it_was_there_nobody_could_use_it():
    (row,) = asked(days(ada="open open x x", bob="open open open x"), 2, span=first_days(4))["rows"]
    assert [row[name] for name in SIDES] == [0, 0, 2, 2]
    assert (row["before_rate"], row["after_rate"], row["difference"]) == (None, 1.0, None)


def test_who_left_before_it_was_there_is_not_counted_against_it():
    events = days(old="open - - -", ada="- x - x", bob="- open - open")
    assert sides(events, 2, span=first_days(4)) == [1, 2, 1, 2]


def test_a_feature_that_nobody_used_has_empty_sides():
    (row,) = asked(days(ada="x x x x"), 2, "y", span=first_days(4))["rows"]
    assert [row[name] for name in SIDES] == [0, 0, 0, 0]
    assert row["difference"] is row["before_rate"] is None


def test_nothing_of_it_is_told_unasked():
    found = asked(days(ada="x x"))
    assert "summary" not in found
    assert not {name for name in found["rows"][0] if name.startswith(("before", "after", "diff"))}


# Releases


def test_a_release_is_the_first_event_of_its_version_whoever_sent_it():
    events = both(days(ada="x - open open", bob="open - x x"), released(1), released(2))
    found = asked(events, release="2.0", span=first_days(4))
    assert found["summary"]["at"] == "2026-11-03T12:00:00Z"
    assert found["summary"]["release"] == "2.0"
    assert [found["rows"][0][name] for name in SIDES] == [1, 2, 1, 2]


def test_each_event_is_a_feature_also_beside_a_release(tmp_path):
    events = both(days(ada="a - b -", bob="a - a -"), released(1, user_id="ada"))
    store = store_of(tmp_path, events)
    query = Adoption(release="2.0", span=first_days(3), interval=DAY)
    answer = store.run(query)
    rows = answer_json(answer)["result"]["rows"]
    assert {row["feature"]: [row[name] for name in SIDES] for row in rows} == {
        "a": [2, 2, 1, 2],
        "b": [0, 0, 1, 2],
        "event": [0, 0, 0, 2],
    }
    assert answer.events_scanned == store.run(replace(query, release=None)).events_scanned == 5
    assert not answer.truncated


def test_a_late_event_of_the_version_moves_the_release(tmp_path):
    clock = FrozenClock(LATER)
    store = store_of(tmp_path, both(days(ada="x x x x x x"), released(3)), clock=clock)
    query = Adoption(features=("x",), release="2.0", span=first_days(6), interval=DAY)
    assert store.run(query).result.summary["at"] == "2026-11-05T12:00:00Z"
    write(tmp_path, released(1), clock=clock)
    assert store.run(query).result.summary["at"] == "2026-11-03T12:00:00Z"


def test_a_filter_chooses_whose_release_it_is(tmp_path):
    events = [
        days(ada="x x x x").with_columns(service_name=pl.lit("shop")),
        released(1, service_name="api"),
        released(2, service_name="shop"),
    ]
    query = Adoption(features=("x",), release="2.0", span=first_days(4), interval=DAY)
    store = store_of(tmp_path, both(*events))
    assert store.run(query).result.summary["at"].startswith("2026-11-03")
    shop = replace(query, where="service_name=shop")
    assert store.run(shop).result.summary["at"].startswith("2026-11-04")


def test_each_breakdown_value_has_its_own_sides(tmp_path):
    pro = days(ada="x - x -", bob="open - x -").with_columns(plan=pl.lit("pro"))
    free = days(eve="x - open -").with_columns(plan=pl.lit("free"))
    query = Adoption(features=("x",), release="2.0", span=first_days(4), interval=DAY, by=("plan",))
    found = answer_json(store_of(tmp_path, both(pro, free, released(1))).run(query))["result"]
    assert [row["difference"] for row in found["rows"]] == [2 / 3 - 2 / 3]
    told_of = {g["key"]["plan"]: g["rows"][0]["difference"] for g in found["breakdown"]}
    assert told_of == {"pro": 0.5, "free": -1.0}
    assert "summary" in found
    assert not any("summary" in group for group in found["breakdown"])


# Wrong questions


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"at": "soon"}, "'soon' is not a time"),
        ({"at": ""}, "is not a time"),
        ({"at": "2026-10-01"}, "at: 2026-10-01T00:00:00Z is not in the time that is asked about"),
        ({"at": "2026-11-08"}, "is not in the time"),
        ({"at": "2026-11-02T05:00"}, "no whole interval that is over on both sides"),
        ({"at": "2026-11-07T00:00:01"}, "take a longer time around it, or a shorter --interval"),
        ({"release": "9.9"}, "no event has the version '9.9'; see which there are"),
        ({"release": " "}, "it names no version"),
        ({"release": "2.0", "span": TimeSpan(MONDAY, MONDAY + DAY)}, "is not in the time"),
        ({"release": "2.0", "at": "2026-11-04"}, "--at says when as well"),
        ({"at": "2026-11-04", "compare": "previous"}, "compared already"),
    ],
)
def test_what_has_no_two_sides_is_refused(tmp_path, options, sentence):
    store = store_of(tmp_path, both(days(ada="x x x x x x"), released(3)))
    query = {"features": ("x",), "span": first_days(6), "interval": DAY, **options}
    with pytest.raises(UsageError) as refused:
        store.run(Adoption(**query))
    assert sentence in str(refused.value)


def test_an_empty_store_says_so(tmp_path):
    store = store_of(tmp_path)
    with pytest.raises(UsageError, match="no event has the version"):
        store.run(Adoption(release="2.0"))
    with pytest.raises(UsageError, match="is not in the time"):
        store.run(Adoption(at="2020-01-01"))


def test_a_time_that_moves_is_fixed_in_the_zone_of_the_question(tmp_path):
    clock = FrozenClock(MONDAY + 5 * DAY)
    store = store_of(tmp_path, days(ada="x x x x"), clock=clock)
    query = Adoption(at="-3d", span=first_days(5), interval=DAY)
    answer = store.run(query)
    assert answer.query.at == "2026-11-04T00:00:00Z"
    again = query_of_json(Adoption, answer_json(answer)["query"], now=LATER)
    assert store.run(again).result == answer.result
    local = replace(query, at="2026-11-04T00:00", tz="Europe/Zurich")
    assert store.run(local).query.at == "2026-11-03T23:00:00Z"


# Held against the slow reference

rows_of_some = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, 12 * 4).map(lambda at: MONDAY + at * DAY / 4),
            "event_name": st.sampled_from(["open", "x"]),
            "user_id": st.sampled_from(["ada", "bob", "eve", "zoe", None]),
            "service_version": st.sampled_from([None, "1", "1", "2"]),
        }
    ),
    min_size=1,
    max_size=24,
)


def reference(rows, first, last, at):
    """The four counts from the text of the rule; None where there are no two sides."""
    days_of = range(first, last)
    whole = [day for day in days_of if MONDAY + day * DAY >= at]
    earlier = [day for day in days_of if MONDAY + (day + 1) * DAY <= at]
    count = min(len(whole), len(earlier))
    if not count or not MONDAY + first * DAY <= at < MONDAY + last * DAY:
        return None
    uses = [row["event_time"] for row in rows if row["event_name"] == "x" and row["user_id"]]
    uses = [time for time in uses if time < MONDAY + last * DAY]
    found = []
    for side in (earlier[-count:], whole[:count]):
        inside = [
            row for row in rows if row["user_id"] and (row["event_time"] - MONDAY) // DAY in side
        ]
        found.append(len({row["user_id"] for row in inside if row["event_name"] == "x"}))
        could = {row["user_id"] for row in inside if uses and row["event_time"] >= min(uses)}
        found.append(len(could))
    return found


@settings(max_examples=cases(150), deadline=None)
@given(
    rows=rows_of_some,
    span=st.tuples(st.integers(0, 4), st.integers(2, 8)),
    at=st.one_of(st.integers(0, 48), st.just(None)),
    seed=st.integers(0, 9),
)
def test_sides_are_what_counting_one_user_after_the_other_gives(rows, span, at, seed):
    first, last = span[0], span[0] + span[1]
    versions = [row["event_time"] for row in rows if row["service_version"] == "2"]
    instant = min(versions, default=None) if at is None else MONDAY + at * DAY / 4
    wanted = None if instant is None else reference(rows, first, last, instant)
    how = {"release": "2"} if at is None else {"at": instant.isoformat()}
    query = Adoption(
        features=("x",),
        span=TimeSpan(MONDAY + first * DAY, MONDAY + last * DAY),
        interval=DAY,
        **how,
    )
    parts = [hash((seed, at)) % 3 for at in range(len(rows))]
    try:
        found = told(AdoptionAnalysis(), query, frame_of(rows), parts, (0, 1, 0), LATER)
    except UsageError:
        assert wanted is None
        return
    assert [found["rows"][0][name] for name in SIDES] == wanted


def test_instants_are_those_of_the_zone(tmp_path):
    # The clock goes forward in the night to the 29th: that day is of 23 hours.
    start = datetime.fromisoformat("2026-03-27T23:00+00:00")
    hours = (1, 25, 49, 70)
    events = events_of(
        {"event_time": start + hour * HOUR, "user_id": f"u{hour}", "event_name": "x"}
        for hour in hours
    )
    query = Adoption(
        features=("x",),
        span=TimeSpan(start, start + 71 * HOUR),
        interval=DAY,
        tz="Europe/Zurich",
        at="2026-03-29T12:00",
    )
    (row,) = store_of(tmp_path, events).run(query).result.rows
    assert [row.values[name] for name in SIDES] == [1, 1, 2, 2]
