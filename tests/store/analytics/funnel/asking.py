"""Funnels over journeys of a few words; minutes are the unit of time."""

from datetime import timedelta

import polars as pl

from store.analytics.analysis import AskAgainError
from store.analytics.funnel.analysis import FunnelAnalysis
from store.analytics.links import no_links
from store.schema import PART
from store.testing import NOON, events_of, journeys
from store.timespan import TimeSpan, parse_instant

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + timedelta(days=1))


def at_minutes(**people):
    """at_minutes(ada="signup@0 pay@5"): events with their minutes; `name@0:pro` has a plan."""
    rows = []
    for person, words in people.items():
        for word in words.split():
            name, _, rest = word.partition("@")
            minute, _, plan = rest.partition(":")
            rows.append(
                {
                    "event_time": NOON + float(minute or 0) * MINUTE,
                    "event_name": name,
                    "user_id": person,
                    "plan": plan or None,
                }
            )
    return events_of({"event_id": f"e{at:04}", **row} for at, row in enumerate(rows))


def asked(events, *steps, analysis=None, **options):
    """The `result` of the JSON."""
    analysis = analysis or FunnelAnalysis()
    options = {"span": SPAN, "link": False, **options}
    query = analysis.query_type(steps=steps, **options)
    held = events.with_columns(pl.lit(0, pl.UInt32()).alias(PART), install_id=pl.lit(None))
    try:
        found = analysis.partial(held.lazy(), query, None).collect().drop(PART)
        return analysis.as_json(analysis.finish(found, query, no_links()).result)
    except AskAgainError as more:
        found = analysis.partial(held.lazy(), more.query, None).collect().drop(PART)
        return analysis.as_json(analysis.finish(found, more.query, no_links()).result)


def told(events, *steps, **options):
    """How many came to each step."""
    return tuple(step["count"] for step in asked(events, *steps, **options)["steps"])


def counts(*steps, options=None, **people):
    """counts("signup", "pay", ada="signup pay"): the same for journeys."""
    return told(journeys(**people), *steps, **(options or {}))


def times(events, *steps, **options):
    """Who came to each step after how many minutes."""
    found = asked(events, *steps, users=True, **options).get("users", {})
    return {
        name: [
            time and (parse_instant(time, now=NOON) - NOON) / MINUTE for time in one["step_times"]
        ]
        for name, one in found.items()
    }
