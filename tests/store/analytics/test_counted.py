"""Users and sessions of a store that is not large are counted one by one."""

from datetime import timedelta

import pytest

from store.analytics.asking import named
from store.analytics.components import Components
from store.analytics.percentiles import Percentiles
from store.analytics.registry import ANALYSES
from store.analytics.retention import Retention
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.testing import NOON, events_of, store_of

USERS = 12_345
PARTS = 5
DAY = timedelta(days=1)
HALF = timedelta(minutes=30)
ROWS = [
    {
        "event_time": NOON + timedelta(microseconds=at),
        "user_id": f"user-{at}",
        "session_id": f"session-{at // 2}",
        "component": "web",
    }
    for at in range(USERS)
]
COMMITS = [events_of(ROWS[part::PARTS]) for part in range(PARTS)]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("store")
    store_of(root, *COMMITS)
    return root


def told(store):
    day = store.run(Trends(measures=("users", "sessions"), interval=DAY))
    users = store.run(Top(measure="users"))
    whole = store.run(Top(by=(), measure="sessions"))
    parts = store.run(Components())
    answers = (day, users, whole, parts)
    values = (
        *(series.values[0] for series in day.result.series),
        *(answer.result.rows[0].values["value"] for answer in (users, whole)),
        parts.result.rows[0].values["users"],
    )
    return values, {answer.exact for answer in answers[:3]}


def test_every_user_counts_however_many_parts_tell_of_them(root):
    sessions = (USERS + 1) // 2
    assert told(store_of(root)) == ((USERS, sessions, USERS, sessions, USERS), {True})


def test_in_a_large_store_it_is_an_estimate_and_says_so(root):
    values, is_exact = told(store_of(root, counted_max=USERS - 1))
    assert values[0] == pytest.approx(USERS, rel=0.12)
    assert values[0] != USERS
    assert False in is_exact


def test_what_is_kept_for_one_is_not_taken_for_the_other(root):
    grown = store_of(root, counted_max=USERS)
    asked = Trends(measures=("users",), interval=HALF)
    assert grown.run(asked).result.series[0].total == USERS
    store_of(root, events_of([{"event_time": NOON + DAY, "user_id": "late"}]))
    later = grown.run(asked)
    assert later.result.series[0].total == pytest.approx(USERS + 1, rel=0.12)
    assert not later.exact


@pytest.mark.parametrize(
    ("query", "is_same"),
    [(Retention(), True), (Percentiles(), True), (Trends(interval=DAY), False), (Top(), False)],
)
def test_what_never_estimates_keeps_its_partials_as_the_store_grows(
    root, monkeypatch, query, is_same
):
    analysis = type(named(query.analysis, ANALYSES))
    combine, keys = analysis.combine, []

    def noting(self, partials, asked):
        keys.append(asked.key())
        return combine(self, partials, asked)

    monkeypatch.setattr(analysis, "combine", noting)
    for most in (2 * USERS, 0):
        store_of(root, counted_max=most).run(query)
    assert (keys[0] == keys[-1]) == is_same
