"""The funnel over time held against the slow reference: who began in an interval, with his best
attempt that did.
"""

from dataclasses import fields

from hypothesis import HealthCheck, given, settings

from store.analytics.funnel.definition import Stepped
from store.analytics.funnel.trend import FunnelTrend, FunnelTrendAnalysis
from store.analytics.links import no_links
from store.schema import PART
from store.testing import events_of
from tests.cases import cases
from tests.store.analytics.funnel import reference
from tests.store.analytics.funnel.test_against_reference import (
    JOURNEYS,
    SECOND,
    journeys,
    plain,
    questions,
    rows_of,
)

WIDTH = 2


def expected(events, funnel):
    """interval -> [who began in it, who came to the last step]."""
    found = {}
    for his in reference.by_person(events).values():
        mine = reference.with_first_times(his, funnel)
        by_interval = {}
        for one in reference.attempts(mine, funnel):
            by_interval.setdefault(mine[one[3]]["time"] // WIDTH, []).append(one)
        for interval, tried in by_interval.items():
            one = reference.best(tried, mine, funnel)
            if one:
                pair = found.setdefault(interval, [0, 0])
                pair[0] += 1
                pair[1] += funnel["count"] - 1 in one[0]
    return found


@settings(
    max_examples=max(cases(300) // JOURNEYS, 1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(people=journeys, asked=questions())
def test_each_interval_counts_who_began_in_it_with_his_best(people, asked):
    common = {each.name: getattr(asked, each.name) for each in fields(Stepped)}
    query = FunnelTrend(**{**common, "by": (), "count": "users", "interval": WIDTH * SECOND})
    rows = rows_of(people)
    if not rows:
        return
    analysis = FunnelTrendAnalysis()
    frame = events_of(rows).with_columns(install_id=None)
    time, within = frame["event_time"], analysis.horizon(query)
    if within:
        frame = frame.filter((time >= within.start) & (time < within.end))
    held = frame.with_columns(__part=0).rename({"__part": PART})
    kept = analysis.partial(held.lazy(), query, None).collect().drop(PART)
    points = analysis.as_json(analysis.finish(kept, query, no_links()).result)["points"]

    events, funnel = plain(frame.to_dicts(), query)
    first = funnel["span"][0] // WIDTH
    found = {
        first + at: [point["entered"], point["converted"]]
        for at, point in enumerate(points)
        if point["entered"]
    }
    assert found == expected(events, funnel)
