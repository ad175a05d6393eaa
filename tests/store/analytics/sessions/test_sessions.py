"""Sessions, rule by rule, and against a slow reference over random journeys."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.query_json import answer_json
from store.analytics.sessions.analysis import Sessions, SessionsAnalysis
from store.errors import UsageError
from store.testing import NOON, events_of, journeys, store_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.pure import answer
from tests.store.analytics.reference import links

MINUTE = timedelta(minutes=1)
GAP = 30 * MINUTE


def event(minute, user=None, **more):
    at = NOON + timedelta(minutes=minute)
    return {"event_time": at, "user_id": user, **more}


def asked(root, *rows, **options):
    return store_of(root / "s", events_of(rows)).run(Sessions(**options)).result


def spans(result):
    """(who, first minute, last minute) of each, the newest first."""
    return [
        (row.values["user_id"], *((row.values[at] - NOON) / MINUTE for at in ("start", "end")))
        for row in result.rows
    ]


def test_a_session_ends_with_a_silence_longer_than_the_gap(tmp_path):
    rows = [event(minute, "ada") for minute in (0, 30, 60, 90.1)]
    assert spans(asked(tmp_path, *rows)) == [("ada", 90.1, 90.1), ("ada", 0, 60)]


def test_the_gap_can_be_another_one(tmp_path):
    rows = [event(minute, "ada") for minute in (0, 5, 11)]
    assert len(asked(tmp_path, *rows, session_gap=5 * MINUTE).rows) == 2


def test_everybody_has_sessions_of_their_own(tmp_path):
    result = asked(tmp_path, event(0, "ada"), event(1, "bob"), event(2, "ada"))
    assert spans(result) == [("bob", 1, 1), ("ada", 0, 2)]


def test_an_id_holds_a_session_together_over_any_silence(tmp_path):
    rows = [event(0, "ada", session_id="s"), event(300, "ada", session_id="s"), event(301, "ada")]
    assert spans(asked(tmp_path, *rows)) == [("ada", 301, 301), ("ada", 0, 300)]
    ignored = asked(tmp_path / "2", *rows, ignore_session_id=True)
    assert spans(ignored) == [("ada", 300, 301), ("ada", 0, 0)]


def test_an_id_needs_no_subject_and_an_event_without_both_is_in_none(tmp_path):
    result = asked(tmp_path, event(0, session_id="s"), event(1, session_id="s"), event(2))
    assert spans(result) == [(None, 0, 1)]
    assert result.summary["sessions"] == 1


def test_what_a_device_did_before_the_login_is_in_the_users_session(tmp_path):
    rows = [event(0, install_id="phone"), event(1, "ada", install_id="phone"), event(2, "ada")]
    assert spans(asked(tmp_path, *rows)) == [("ada", 0, 2)]
    apart = asked(tmp_path / "2", *rows, link=False)
    assert spans(apart) == [("ada", 1, 2), ("phone", 0, 0)]


def test_a_session_over_midnight_and_over_parts_is_one(tmp_path):
    midnight = datetime.combine(NOON.date(), datetime.min.time(), NOON.tzinfo) + timedelta(days=1)
    commits = [
        events_of([{"event_id": f"{m}", "event_time": midnight + m * MINUTE, "user_id": "ada"}])
        for m in (20, -40, 0, -20)
    ]
    store = store_of(tmp_path / "s", *commits)
    before = store.run(Sessions(span=TimeSpan(midnight - timedelta(days=1), midnight)))
    assert [row.values["events"] for row in before.result.rows] == [4]
    after = store.run(Sessions(span=TimeSpan(midnight, midnight + timedelta(days=1))))
    assert after.result.rows == []


def test_the_summary_of_sessions(tmp_path):
    rows = [
        event(0, "ada", severity=17, component="cart"),
        event(10, "ada", severity=21, component="cart"),
        event(20, "ada", component="pay", event_type="user_interaction"),
        event(0, "bob"),
        event(4, "bob"),
        event(0, "eve"),
    ]
    result = asked(tmp_path, *rows)
    assert result.summary == {
        "sessions": 3,
        "mean_seconds": 480.0,
        "median_seconds": 720.0,
        "events_per_session": 2.0,
        "with_errors": 1,
        "bounced": 1,
    }
    ada = next(row.values for row in result.rows if row.values["user_id"] == "ada")
    counts = ("events", "errors", "interactions", "components")
    assert [ada[name] for name in counts] == [3, 2, 1, 2]


def test_of_many_the_newest_are_shown_and_the_answer_says_so(tmp_path):
    store = store_of(tmp_path / "s", journeys(**{f"u{n}": "a" for n in range(30)}))
    five = store.run(Sessions(limit=5))
    assert (len(five.result.rows), five.result.summary["sessions"]) == (5, 30)
    assert five.truncated
    assert not store.run(Sessions(limit=30)).truncated


def test_nothing_is_an_answer(tmp_path):
    result = store_of(tmp_path / "s", events_of([event(0)])).run(Sessions()).result
    assert result.rows == []
    assert result.summary["sessions"] == 0
    assert result.summary["mean_seconds"] is None


@pytest.mark.parametrize("gap", [timedelta(), -MINUTE, None])
def test_a_gap_of_nothing_is_refused(tmp_path, gap):
    with pytest.raises(UsageError, match="gap"):
        store_of(tmp_path / "s", journeys(ada="a")).run(Sessions(session_gap=gap))


def test_the_json_is_as_promised(tmp_path):
    store = store_of(tmp_path / "s", journeys(ada="a b"))
    assert answer_json(store.run(Sessions()))["result"] == {
        "summary": {
            "sessions": 1,
            "mean_seconds": 60.0,
            "median_seconds": 60.0,
            "events_per_session": 2.0,
            "with_errors": 0,
            "bounced": 0,
        },
        "rows": [
            {
                "session_id": None,
                "user_id": "ada",
                "start": "2026-11-22T12:00:00Z",
                "end": "2026-11-22T12:01:00Z",
                "events": 2,
                "errors": 0,
                "interactions": 0,
                "components": 0,
            }
        ],
    }


def reference(rows, first, last):
    """(start, end, events) of the sessions that start in [first, last), one event at a time."""
    linked, lists = links(rows), {}
    for row in rows:
        who = row["user_id"] or linked.get(row["install_id"]) or row["install_id"]
        key = ("id", row["session_id"]) if row["session_id"] else ("who", who)
        if key[1]:
            lists.setdefault(key, []).append(row["event_time"])
    found = []
    for (kind, _), times in lists.items():
        times.sort()
        session = [times[0]]
        for time in times[1:]:
            if kind == "who" and time - session[-1] > GAP:
                found.append(session)
                session = []
            session.append(time)
        found.append(session)
    told = [(each[0], each[-1], len(each)) for each in found]
    return sorted(each for each in told if first <= each[0] < last)


ROWS = st.fixed_dictionaries(
    {
        # Multiples of the gap's fifth: ties, and silences of exactly the gap, are common.
        "event_time": st.integers(0, 60).map(lambda at: NOON + at * GAP / 5),
        "user_id": st.sampled_from([None, "", "ada", "bob"]),
        "install_id": st.sampled_from([None, "phone", "tablet"]),
        "session_id": st.sampled_from([None, None, None, "", "s1", "s2"]),
    }
)


PARTS = st.lists(st.lists(ROWS, min_size=1, max_size=12), min_size=1, max_size=5)
SPAN = st.tuples(st.integers(0, 60), st.integers(1, 90)).map(
    lambda at: TimeSpan(NOON + at[0] * GAP / 7, NOON + sum(at) * GAP / 7)
)


def told(result):
    names = ("start", "end", "events")
    return sorted(tuple(row.values[name] for name in names) for row in result.rows)


@settings(deadline=None, max_examples=cases(1_000))
@given(parts=PARTS, span=SPAN)
def test_they_are_those_of_the_reference_however_events_are_split(parts, span):
    found = answer(SessionsAnalysis(), Sessions(span=span, limit=1000), parts)
    rows = [row for part in parts for row in part]
    assert told(found.result) == reference(rows, span.start, span.end)


@settings(deadline=None, max_examples=25)
@given(parts=PARTS, span=SPAN)
def test_and_so_they_are_through_a_store(tmp_path_factory, parts, span):
    commits = [
        events_of({"event_id": f"{n}.{m}", **row} for m, row in enumerate(part))
        for n, part in enumerate(parts)
    ]
    store = store_of(tmp_path_factory.mktemp("s") / "s", *commits)
    rows = [row for part in parts for row in part]
    for asked in (TimeSpan(NOON - GAP, NOON + 100 * GAP), span):
        found = store.run(Sessions(span=asked, limit=1000)).result
        assert told(found) == reference(rows, asked.start, asked.end)


def firsts(root, rows, **options):
    return [row.values["user_id"] for row in asked(root, *rows, **options).rows]


MANY = [
    *(event(minute, "ada") for minute in (0, 1, 2)),
    *(event(minute, "bob", severity=17) for minute in (5, 25)),
    event(9, "eve", component="cart"),
]


def test_sessions_can_be_sorted_by_any_of_their_numbers_the_most_first(tmp_path):
    orders = {
        "start": ["eve", "bob", "ada"],
        "length": ["bob", "ada", "eve"],
        "events": ["ada", "bob", "eve"],
        "errors": ["bob", "eve", "ada"],
        "components": ["eve", "bob", "ada"],
        "user_id": ["ada", "bob", "eve"],
    }
    for sort, order in orders.items():
        assert firsts(tmp_path / sort, MANY, sort=sort) == order
    assert firsts(tmp_path / "r", MANY, sort="length", reverse=True) == ["eve", "ada", "bob"]


def test_an_order_that_is_none_is_refused(tmp_path):
    with pytest.raises(UsageError, match="take one of: start, length"):
        firsts(tmp_path, MANY, sort="colour")


def test_sessions_come_in_pages_about_the_same_whole(tmp_path):
    store = store_of(tmp_path / "s", events_of(MANY))
    pages = [store.run(Sessions(limit=2, offset=at)).result for at in (0, 2, 4)]
    assert [len(page.rows) for page in pages] == [2, 1, 0]
    assert {page.summary["sessions"] for page in pages} == {3}


def test_the_devices_of_a_session_are_those_that_took_part_without_a_user(tmp_path):
    rows = [
        event(0, install_id="phone"),
        event(1, "ada", install_id="phone"),
        event(2, "ada", install_id="desk"),
        event(3, session_id="s", install_id="phone"),
        event(50, install_id="phone"),
        event(7, install_id="nobody's"),
    ]
    found = asked(tmp_path, *rows, with_devices=True).rows
    told = [(row.values["user_id"], row.values["devices"]) for row in found]
    assert told == [
        ("ada", ["phone"]),
        ("nobody's", ["nobody's"]),
        ("ada", []),
        ("ada", ["phone"]),
    ]


def test_a_session_of_a_device_alone_has_the_name_of_its_user_told_long_before(tmp_path):
    known = [event(minute, "ada", install_id="phone") for minute in (-600, -590)]
    alone = [event(0, install_id="phone"), event(1, install_id="phone")]
    held = [{**row, "session_id": "s"} for row in alone]
    for kind, more in (("alone", alone), ("held", held)):
        root, rows = tmp_path / kind, [*known, *more]
        newest = asked(root, *rows, limit=1)
        assert spans(newest) == [("ada", 0, 1)]
        assert newest.summary["sessions"] == 2
        assert spans(asked(root / "all", *rows)) == [("ada", 0, 1), ("ada", -600, -590)]


def test_what_went_on_since_before_is_none_of_the_newest(tmp_path):
    rows = [
        *(event(minute, "ada") for minute in range(0, 50, 10)),
        *(event(minute, "bob") for minute in (35, 45)),
    ]
    assert spans(asked(tmp_path, *rows, limit=1)) == [("bob", 35, 45)]


def test_of_sessions_that_begin_at_one_instant_names_tell_which_are_shown(tmp_path):
    rows = [event(0, f"user-{number}") for number in (3, 1, 4, 2)]
    names = ["user-1", "user-2", "user-3", "user-4"]
    store = store_of(tmp_path / "s", events_of(rows))
    pages = [store.run(Sessions(limit=2, offset=at)).result.rows for at in (0, 2)]
    assert [row.values["user_id"] for page in pages for row in page] == names


def test_sessions_of_two_spans_are_compared(tmp_path):
    rows = [event(0, "ada"), event(60, "ada"), event(100, "bob"), event(101, "bob")]
    store = store_of(tmp_path / "s", events_of(rows))
    span = TimeSpan(NOON + 90 * MINUTE, NOON + 180 * MINUTE)
    for sort in ("start", "length"):
        told_both = store.run(Sessions(span=span, compare="previous", sort=sort))
        assert spans(told_both.result) == [("bob", 100, 101)]
        assert spans(told_both.previous) == [("ada", 60, 60), ("ada", 0, 0)]
        assert told_both.previous.summary["sessions"] == 2
        assert (told_both.events_scanned, told_both.truncated) == (2, False)
