"""Retention held against a slow reference: random people, many of whom did something at one instant,
zones whose clocks change, weeks that begin on any day.
"""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.retention import Retention, RetentionAnalysis
from tests.cases import cases
from tests.store.analytics import cohort_reference
from tests.store.analytics.people import (
    CROWD,
    DAY,
    MONDAY,
    MONDAYS,
    SPANS,
    TOWN,
    WIDTHS,
    ZONES,
    begun,
    crowds,
    frame_of,
    moved,
    span_since,
    told,
)

LATER = MONDAY + 5_000 * DAY
EVENTS = st.sampled_from([None, "a", "b", {"name": "a", "where": "plan=u"}])
questions = st.fixed_dictionaries(
    {
        "start_event": EVENTS,
        "return_event": EVENTS,
        "mode": st.sampled_from(["first-time", "recurring"]),
        "on": st.sampled_from(["exactly", "on-or-after"]),
        "clock": st.sampled_from(["calendar", "calendar", "own"]),
        "min_returns": st.sampled_from([1, 1, 2]),
        "periods": st.integers(1, 4),
        "interval": WIDTHS,
        "tz": ZONES,
        "week_start": st.sampled_from(["monday", "sunday", "saturday"]),
        "link": st.booleans(),
        "users": st.booleans(),
        "per": st.sampled_from(["user_id", "user_id", "install_id"]),
    }
)
asked = {"monday": MONDAYS, "span": SPANS, "options": questions, "seed": st.integers(0, 9)}
breakdowns = st.sampled_from([(), ("town",), ("plan",)])


@settings(max_examples=120, deadline=None)
@given(towns=st.lists(TOWN, min_size=4, max_size=4), by=breakdowns, **asked)
def test_retention_is_what_looking_at_one_user_after_the_other_gives(towns, by, **how):
    """Four cases at once: nobody lives in two towns."""
    check(towns, by, **how)


@settings(max_examples=max(1, cases(1_000) // CROWD), deadline=None)
@given(towns=crowds(), by=breakdowns, **asked)
def test_and_so_it_is_of_a_crowd(towns, by, **how):
    check(towns, by, **how)


def check(towns, by, *, monday, span, options, seed):
    homes = [moved(begun(monday, town), at) for at, town in enumerate(towns)]
    rows = [row for home in homes for row in home]
    parts = [hash((seed, at)) % 4 for at in range(len(rows))]
    query = Retention(span=span_since(monday, span), by=by, limit=99, **options)
    events = frame_of(rows)
    if not rows:
        events = events.with_columns(town=pl.lit(""), plan=pl.lit(""))
    answer = told(RetentionAnalysis(), query, events, parts, (0, 1, 0), LATER)
    found = answer["cohorts"]
    if query.users and not by:
        assert recounted(answer, query) == [each["retained"] for each in found]
    by_value = {}
    for each in found:
        by_value.setdefault(each.get("key", {}).get(*by or ("",)), []).append(each["retained"])
    wanted = {
        value: [retained for _, retained in cohort_reference.retention(*of, query, plan)]
        for value, of, plan in asked_of(homes, by)
    }
    kept = {value: of for value, of in wanted.items() if any(cells[0] for cells in of)}
    assert by_value == (kept if by else wanted)


def recounted(answer, query):
    """`retained`, out of who it is; nobody is there twice."""
    users = answer.get("users", [])
    assert len({(user["start"], user["user"]) for user in users}) == len(users)
    told_of = {each["start"]: [] for each in answer["cohorts"]}
    for user in users:
        told_of[user["start"]].append(user["back"])
    after = range(1, query.periods + 1)
    return [[len(of), *(sum(k in back for back in of) for k in after)] for of in told_of.values()]


def asked_of(homes, by):
    """(value, rows, plan) of each group."""
    everybody = [row for home in homes for row in home]
    if by == ("town",):
        return [(f"{at}", [home], None) for at, home in enumerate(homes)]
    if by == ("plan",):
        return [(plan, [everybody], plan) for plan in ("", "u", "v")]
    return [(None, [everybody], None)]
