"""Who uses a feature, of those who could; whether more and more do; and the test behind that."""

import math
import random
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.adoption import Adoption, AdoptionAnalysis
from store.analytics.mann_kendall import trend
from store.analytics.query_json import answer_json
from store.errors import UsageError
from store.testing import FrozenClock, events_of, store_of, write
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.people import DAY, MONDAY, days, first_days, frame_of, told

LATER = MONDAY + 300 * DAY


def adoption(events, *features, now=LATER, **options):
    options = {"span": first_days(4), "interval": DAY, **options}
    query = Adoption(features=features, **options)
    return told(AdoptionAnalysis(), query, events, now=now)["rows"]


def test_reach_is_the_users_of_a_feature_by_all_active_ones():
    events = days(ada="open,export,export", bob="export", eve="open", zoe="export open")
    (row,) = adoption(events, "export")
    assert (row["users"], row["active_users"], row["adoption_rate"]) == (3, 4, 0.75)
    (row,) = adoption(days(ada="export", bob="- open", eve="- open"), "export")
    assert (row["users"], row["active_users"]) == (1, 3)
    assert row["low"] < row["adoption_rate"] == 1 / 3 < row["high"]


def test_who_was_gone_before_the_feature_came_is_not_counted_against_it():
    events = days(old="open open - -", ada="open - export", bob="- - - open")
    (row,) = adoption(events, "export")
    assert (row["users"], row["active_users"]) == (1, 2)
    assert row["reach"] == [None, None, 1.0, 0.0]


def test_in_the_interval_in_which_it_appears_only_what_comes_after_counts():
    rows = [("old", 1, "open"), ("ada", 2, "export"), ("bob", 3, "open"), ("old", 30, "open")]
    events = events_of(
        {"user_id": who, "event_name": name, "event_time": MONDAY + timedelta(hours=hour)}
        for who, hour, name in rows
    )
    assert adoption(events, "export")[0]["reach"] == [1 / 2, 0.0, None, None]


def test_depth_is_mean_and_median_of_those_who_use_it():
    events = days(ada="x,x,x,x x", bob="x", eve="x", zoe="open")
    (row,) = adoption(events, "x")
    assert (row["uses_per_user"], row["median_uses"]) == (7 / 3, 1.0)


def test_time_to_adopt_runs_from_the_first_event_ever_and_says_who_has_not_yet():
    events = days(ada="open x", bob="open - - x", eve="open open open open")
    (row,) = adoption(events, "x", span=TimeSpan(MONDAY + DAY, MONDAY + 4 * DAY))
    assert row["seconds_to_adopt"] == 2 * 86_400
    assert (row["adopters"], row["ever_active"], row["not_yet"]) == (2, 3, 1)


def test_new_adopters_are_those_whose_first_use_ever_is_in_the_span_and_keep_it_or_not():
    events = days(old="x - x - x", ada="- - x x x", bob="- - x - -", eve="- - - x -")
    late = TimeSpan(MONDAY + 2 * DAY, MONDAY + 5 * DAY)
    (row,) = adoption(events, "x", span=late)
    assert (row["users"], row["new_adopters"]) == (4, 3)
    assert row["habit_of"] == [3, 2, 0, 0]
    assert row["habit"] == [1 / 3, 1 / 2, None, None]


def test_an_interval_that_is_not_over_is_in_no_habit_and_no_trend():
    events = days(ada="x x", bob="x -")
    (row,) = adoption(events, "x", now=MONDAY + 1.5 * DAY)
    assert row["habit_of"] == [0, 0, 0, 0]
    assert row["periods"] == 1


def spreading(share_of_day, count=12):
    """Twenty users are there each day; so many of them use it."""
    return events_of(
        {
            "user_id": f"u{user}",
            "event_name": "x" if user < share_of_day(day) else "open",
            "event_time": MONDAY + day * DAY + timedelta(minutes=user),
        }
        for day in range(count)
        for user in range(20)
    )


@pytest.mark.parametrize(
    ("share_of_day", "word"),
    [
        (lambda day: 2 + day, "up"),
        (lambda day: 18 - day, "down"),
        (lambda day: 5 + day % 2, "flat"),
    ],
)
def test_the_trend_of_reach_has_a_word_and_a_slope(share_of_day, word):
    (row,) = adoption(spreading(share_of_day), "x", span=first_days(12))
    assert (row["trend"], row["periods"]) == (word, 12)
    slope = {"up": 0.05, "down": -0.05, "flat": 0.0}[word]
    assert row["change"] == pytest.approx(slope)


def test_fewer_than_eight_intervals_are_no_trend():
    (row,) = adoption(spreading(lambda day: 2 + day, 7), "x", span=first_days(7))
    assert (row["trend"], row["p_value"], row["periods"]) == ("flat", None, 7)
    (row,) = adoption(spreading(lambda day: 2 + day, 8), "x", span=first_days(8))
    assert row["trend"] == "up"


def test_growing_traffic_alone_is_no_trend_of_reach():
    events = events_of(
        {"user_id": f"u{user}", "event_name": "x" if user % 2 else "open", "event_time": at}
        for day in range(12)
        for user in range(2 + 2 * day)
        for at in [MONDAY + day * DAY + timedelta(minutes=user)]
    )
    (row,) = adoption(events, "x", span=first_days(12))
    assert row["trend"] == "flat"


def test_a_feature_is_a_name_a_filter_or_both():
    events = days(ada="open", bob="pay now").with_columns(plan=pl.lit("pro"))
    rows = adoption(events, "open", "plan=pro", "open where plan=pro", "pay", '"plan=pro"')
    assert [(row["feature"], row["users"]) for row in rows] == [
        ("open", 1),
        ("plan=pro", 2),
        ("open where plan=pro", 1),
        ("pay", 1),
        ('"plan=pro"', 0),
    ]


def test_without_features_each_event_is_one_and_the_most_used_come_first(tmp_path):
    store = store_of(tmp_path, days(ada="a,b", bob="a", eve="c"))
    answer = store.run(Adoption(limit=2, span=first_days(2)))
    assert [(row["feature"], row["users"]) for row in answer_json(answer)["result"]["rows"]] == [
        ("a", 2),
        ("b", 1),
    ]
    assert answer.truncated
    assert answer.events_scanned == 4


def test_late_history_changes_who_is_new(tmp_path):
    clock = FrozenClock(LATER)
    store = store_of(tmp_path, days(ada="- - x"), clock=clock)
    query = Adoption(features=("x",), span=TimeSpan(MONDAY + DAY, MONDAY + 4 * DAY), interval=DAY)
    assert answer_json(store.run(query))["result"]["rows"][0]["new_adopters"] == 1
    write(tmp_path, days(ada="x"), clock=clock)
    assert answer_json(store.run(query))["result"]["rows"][0]["new_adopters"] == 0


def test_nothing_is_no_division_error_and_a_wrong_filter_a_sentence(tmp_path):
    (row,) = adoption(frame_of([]), "x")
    assert (row["users"], row["adoption_rate"], row["trend"]) == (0, None, "flat")
    store = store_of(tmp_path, days(ada="a"))
    with pytest.raises(UsageError, match="did you mean user_id"):
        store.run(Adoption(features=("usr_id=ada",)))
    with pytest.raises(UsageError, match="filter"):
        store.run(Adoption(features=("user_id==",)))


def test_mann_kendall_knows_the_textbook():
    # Ten values that only rise: S = 45, variance 125.
    found = trend(range(10))
    assert (found.word, found.slope) == ("up", 1.0)
    assert found.p == pytest.approx(math.erfc(44 / math.sqrt(125) / math.sqrt(2)))
    # Gilbert 1987: ties are taken out of the variance. S = 20, tie-corrected variance 86.667.
    tied = [10, 10, 12, 13, 13, 14, 15, 13, 16]
    pairs = [b > a for at, a in enumerate(tied) for b in tied[at + 1 :] if b != a]
    score = 2 * sum(pairs) - len(pairs)
    variance = (9 * 8 * 23 - 2 * 1 * 9 - 3 * 2 * 11) / 18
    assert trend(tied).p == pytest.approx(math.erfc((score - 1) / math.sqrt(2 * variance)))


def test_a_missing_value_keeps_the_distance_of_its_neighbours():
    assert trend([0.0, None, 2.0, None, 4.0]).slope == 1.0
    assert trend([None] * 20) == ("flat", None, None, 0)
    assert trend([0.5] * 20) == ("flat", 0.0, 1.0, 20)


def test_noise_is_called_a_trend_one_time_in_twenty():
    chance = random.Random(5)
    words = [trend([chance.random() for _ in range(12)]).word for _ in range(400)]
    assert 5 < sum(word != "flat" for word in words) < 35


events_of_some = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, 12 * 24).map(
                lambda hours: MONDAY + timedelta(hours=hours)
            ),
            "event_name": st.sampled_from(["open", "x", "y"]),
            "user_id": st.sampled_from([None, "", "ada", "bob", "eve"]),
            "install_id": st.sampled_from([None, "phone", "ada"]),
            "plan": st.sampled_from([None, "", "pro", "free"]),
        }
    ),
    max_size=24,
)


def with_plan(rows):
    events = frame_of(rows)
    return events if "plan" in events.columns else events.with_columns(plan=pl.lit(""))


@settings(max_examples=cases(60))
@given(
    rows=events_of_some,
    features=st.sampled_from([(), ("x",), ("x", "user_id=ada")]),
    by=st.sampled_from([(), ("plan",), ("plan", "install_id")]),
    data=st.data(),
)
def test_no_split_into_parts_and_no_order_changes_it(rows, features, by, data):
    parts = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    events = with_plan(rows)
    span = TimeSpan(MONDAY + 2 * DAY, MONDAY + 12 * DAY)
    query = Adoption(features=features, span=span, interval=DAY, by=by, limit=2)
    alone = told(AdoptionAnalysis(), query, events, now=LATER)
    mixed = events.sample(fraction=1, shuffle=True, seed=data.draw(st.integers(0, 9)))
    assert told(AdoptionAnalysis(), query, mixed, parts, (0, 1, 0), LATER) == alone


@settings(max_examples=cases(60))
@given(rows=events_of_some)
def test_reach_is_what_counting_one_user_after_the_other_gives(rows):
    span = TimeSpan(MONDAY + 2 * DAY, MONDAY + 12 * DAY)
    query = Adoption(features=("x",), span=span, interval=DAY, link=False)
    (row,) = told(AdoptionAnalysis(), query, frame_of(rows), now=LATER)["rows"]
    who = [each["user_id"] or each["install_id"] for each in rows]
    known = [(one, each) for one, each in zip(who, rows, strict=True) if one]
    within = [(one, each) for one, each in known if span.contains(each["event_time"])]
    uses = [each["event_time"] for _, each in known if each["event_name"] == "x"]
    users = {one for one, each in within if each["event_name"] == "x"}
    born = min(uses, default=None)
    active = {one for one, each in within if born and each["event_time"] >= born}
    assert row["users"] == len(users)
    if any(use < span.end for use in uses):
        assert row["active_users"] == len(active)
        assert row["adoption_rate"] == (len(users) / len(active) if active else None)


@settings(max_examples=cases(60) // 3)
@given(
    rows=events_of_some,
    features=st.sampled_from([(), ("x",), ("x", "y")]),
    limit=st.sampled_from([1, 9]),
)
def test_each_value_is_a_world_of_its_own(rows, features, limit):
    span = TimeSpan(MONDAY + 2 * DAY, MONDAY + 12 * DAY)
    asked = {"features": features, "span": span, "interval": DAY, "link": False, "limit": limit}
    events, analysis = with_plan(rows), AdoptionAnalysis()
    found = told(analysis, Adoption(**asked, by=("plan",)), events, now=LATER)
    users = {}
    for row in rows:
        who = row["user_id"] or row["install_id"]
        if who and span.contains(row["event_time"]):
            users.setdefault(row["plan"] or "", set()).add(who)
    order = sorted(users, key=lambda plan: (-len(users[plan]), plan))
    worlds = [({"plan": plan}, {plan}) for plan in order[:limit]]
    worlds += [({"plan": ""}, set(order[limit:]))] if order[limit:] else []
    assert [group["key"] for group in found["breakdown"]] == [key for key, _ in worlds]
    for group, (_, plans) in zip(found["breakdown"], worlds, strict=True):
        own = events.filter(pl.col("plan").fill_null("").is_in(plans))
        assert group["rows"] == told(analysis, Adoption(**asked), own, now=LATER)["rows"]
        assert group.get("folded", False) == (plans == set(order[limit:]))
    assert found["rows"] == told(analysis, Adoption(**asked), events, now=LATER)["rows"]
