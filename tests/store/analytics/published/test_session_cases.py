"""Sessions held against what web analytics publish of theirs: thirty minutes of silence end one
(Google Analytics, Matomo, Snowplow, Plausible; duckdb-behavioral's tests of `sessionize`).

Where they differ, ours is the rule that a silence of exactly the gap ends nothing, that midnight and
a new campaign end nothing (Universal Analytics began anew at both), and that an id of a session
holds it together.
"""

from datetime import datetime, timedelta

import pytest

from store.analytics.sessions.analysis import Sessions, SessionsAnalysis
from store.testing import NOON
from store.timespan import TimeSpan
from tests.store.analytics.pure import answer

MINUTE = timedelta(minutes=1)
EVER = TimeSpan(NOON - timedelta(days=9), NOON + timedelta(days=99))


def sessions(rows, **options):
    """How many events each session has, the first one first; and the summary."""
    query = Sessions(span=EVER, limit=1_000, **options)
    found = answer(SessionsAnalysis(), query, [rows]).result
    ordered = sorted(found.rows, key=lambda row: (row.values["start"], str(row.values["user_id"])))
    return [row.values["events"] for row in ordered], found.summary


def at(*minutes, user="ada", **more):
    return [{"event_time": NOON + minute * MINUTE, "user_id": user, **more} for minute in minutes]


CASES = {
    "duckdb-behavioral": (at(0, 5, 10, 120, 125), {}, [3, 2]),
    "one event": (at(0), {}, [1]),
    "a silence of less than half an hour": (at(0, 29.9), {}, [2]),
    "half an hour sharp": (at(0, 30), {}, [2]),
    "half an hour and a second": (at(0, 30 + 1 / 60), {}, [1, 1]),
    "activity renews it": (at(0, 29, 58, 87, 116), {}, [5]),
    "five minutes, as mobile apps have it": (at(0, 4, 10), {"session_gap": 5 * MINUTE}, [2, 1]),
    "two devices of one user are one": (
        [*at(0, 20), *at(10, user="ada", install_id="phone")],
        {},
        [3],
    ),
    "two users": ([*at(0, 20), *at(10, user="bob")], {}, [2, 1]),
    "a campaign ends nothing": ([*at(0), *at(1, utm_campaign="x")], {}, [2]),
    "an id over a long silence": (at(0, 200, session_id="s"), {}, [2]),
    "two ids at the same time": (
        [*at(0, 10, session_id="s"), *at(5, 15, session_id="t")],
        {},
        [2, 2],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_session_is(case):
    rows, options, expected = CASES[case]
    assert sessions(rows, **options)[0] == expected


def test_midnight_ends_nothing():
    before = datetime.fromisoformat("2026-11-22T23:50:00+00:00")
    rows = [{"event_time": before + n * 5 * MINUTE, "user_id": "ada"} for n in range(5)]
    assert sessions(rows)[0] == [5]


def test_a_single_event_has_no_length_and_is_in_the_mean_alone():
    """Google Analytics' mean counts it as nothing too; a median would mostly tell of such ones."""
    _, summary = sessions([*at(0, 4, 10), *at(0, user="bob")])
    assert (summary["sessions"], summary["bounced"]) == (2, 1)
    assert (summary["mean_seconds"], summary["median_seconds"]) == (300, 600)
    assert summary["events_per_session"] == 2


def test_sessions_of_one_event_bounced():
    _, summary = sessions([*at(0, 1), *at(100, 101), *at(200), *at(300), *at(400)])
    assert (summary["sessions"], summary["bounced"]) == (5, 3)


@pytest.mark.parametrize("names", [("ada", "bob", "eve"), ("eve", "bob", "ada")])
def test_a_session_that_several_begin_at_one_instant_is_that_of_the_first_by_name(names):
    """Whichever of them is read first."""
    parts = [at(0, 5, user=name, session_id="s") for name in names]
    found = answer(SessionsAnalysis(), Sessions(span=EVER), parts).result
    assert [row.values["user_id"] for row in found.rows] == ["ada"]
