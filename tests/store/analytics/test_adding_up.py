"""The law of every analysis: how events are split into parts, and in which order partials are put
together, never changes an answer.
"""

from datetime import timedelta
from functools import reduce

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.analysis import AskAgainError
from store.analytics.components import Components, ComponentsAnalysis
from store.analytics.linking import LinksQuery, LinksReduction
from store.analytics.links import Links, no_links
from store.analytics.names import Names, NamesAnalysis
from store.analytics.paths.drop_off import DropOff, DropOffAnalysis
from store.analytics.paths.transitions import Transitions, TransitionsAnalysis
from store.analytics.percentiles import Percentiles, PercentilesAnalysis
from store.analytics.releases import Releases, ReleasesAnalysis
from store.analytics.top import Top, TopAnalysis
from store.analytics.trends import Trends, TrendsAnalysis
from store.schema import FIXED, PART
from store.testing import NOON, events_of
from store.timespan import TimeSpan
from tests.cases import cases
from tests.store.analytics.reference import by_point, linear, links, same, subjects

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + 20 * MINUTE)
MEASURES = ("count", "users", "sessions", "sum:duration_ms", "p95:duration_ms", "max:duration_ms")
QUESTIONS = [
    (TrendsAnalysis(), Trends(measures=MEASURES, span=SPAN, interval=5 * MINUTE)),
    (
        TrendsAnalysis(),
        Trends(measures=MEASURES, span=SPAN, interval=MINUTE, by=("event_name",), limit=2),
    ),
    (TrendsAnalysis(), Trends(span=SPAN, interval=MINUTE, by=("severity_class",))),
    (
        TrendsAnalysis(),
        Trends(
            measures=MEASURES,
            span=SPAN,
            interval=MINUTE,
            rolling=3 * MINUTE,
            by=("event_name",),
            limit=2,
        ),
    ),
    (PercentilesAnalysis(), Percentiles(span=SPAN, by=("event_name",))),
    (PercentilesAnalysis(), Percentiles(span=SPAN, exact=True)),
    (TopAnalysis(), Top(span=SPAN, measure="users", limit=2)),
    (NamesAnalysis(), Names(span=SPAN, interval=MINUTE)),
    (
        TrendsAnalysis(),
        Trends(measures=MEASURES, span=SPAN, interval=30 * MINUTE, tz="Asia/Kathmandu"),
    ),
    (ReleasesAnalysis(), Releases(span=SPAN)),
    (
        ComponentsAnalysis(),
        Components(span=SPAN, by=("service_name", "service_version"), limit=2),
    ),
    (DropOffAnalysis(), DropOff(span=SPAN, by=("service_version",), limit=2)),
    (TransitionsAnalysis(), Transitions(span=SPAN, by=("service_version", "severity_class"))),
]
names = st.sampled_from(["load", "save", "pay", ""])
people = st.sampled_from([None, "", "ada", "bob", "eve", "zoe"])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, 20 * 60_000 - 1).map(
                lambda ms: NOON + timedelta(milliseconds=ms)
            ),
            "event_name": names,
            "user_id": people,
            "install_id": st.sampled_from([None, "", "phone", "laptop", "ada"]),
            "session_id": people,
            "severity": st.sampled_from([None, 5, 9, 13, 17, 21]),
            "service_name": st.sampled_from([None, "api"]),
            "service_version": st.sampled_from([None, "", "1", "2"]),
            "component": st.sampled_from([None, "", "cart"]),
            "duration_ms": st.one_of(
                st.none(),
                st.floats(0.01, 1e6),
                st.sampled_from([0.0, -3.5, 7.0, float("inf"), float("nan")]),
            ),
            "sample_rate": st.sampled_from([None, 1.0, 1.0, 10.0]),
        }
    ),
    max_size=40,
)


def frame_of(found):
    """Events with all columns that somebody reads, also when there are none."""
    return events_of(found or [dict.fromkeys(FIXED)]).filter(pl.col("event_time").is_not_null())


def in_parts(events, parts):
    return events.with_columns(pl.Series(PART, parts, dtype=pl.UInt32))


def partials(reduction, query, events):
    found = reduction.partial(events.lazy(), query, None).collect()
    return found.partition_by(PART, include_key=False) or [found.drop(PART)]


def combined(reduction, query, frames, groups):
    """Put together in groups first, the groups in their order."""
    by_group = {}
    for frame, group in zip(frames, groups, strict=False):
        by_group.setdefault(group, []).append(frame)

    def both(one, other):
        return reduction.combine(pl.concat([one, other], how="diagonal"), query)

    return reduce(both, [reduce(both, found) for _, found in sorted(by_group.items())])


def answer(analysis, query, events, groups):
    absent = [name for name in analysis.columns(query) if name not in events.columns]
    events = events.with_columns(pl.lit(None).alias(name) for name in absent)
    frames = partials(analysis, query, events)
    whole = combined(analysis, query, frames, groups)
    whole = analysis.combine(whole, query)
    finding, asked = LinksReduction(), LinksQuery()
    linked = combined(finding, asked, partials(finding, asked, events), groups)
    try:
        told = analysis.finish(whole, query, Links(lambda: finding.combine(linked, asked)))
    except AskAgainError as more:
        return answer(analysis, more.query, events, groups)
    return analysis.as_json(told.result)


@pytest.mark.parametrize(("analysis", "query"), QUESTIONS)
@settings(max_examples=cases(12), deadline=None)
@given(found=rows, data=st.data())
def test_no_split_and_no_grouping_changes_an_answer(analysis, query, found, data):
    events = frame_of(found)
    alone = answer(analysis, query, in_parts(events, [0] * events.height), [0])
    places = data.draw(st.lists(st.integers(0, 5), min_size=events.height, max_size=events.height))
    groups = data.draw(st.lists(st.integers(0, 2), min_size=6, max_size=6))
    shuffled = events.sample(fraction=1, shuffle=True, seed=data.draw(st.integers(0, 9)))
    assert same(answer(analysis, query, in_parts(shuffled, places), groups), alone)


OF_ONE_POINT = [
    {"measures": ("count", "users", "sessions", "sum:duration_ms", "max:duration_ms")},
    {"measures": ("users",), "link": False},
    {"measures": ("count", "users"), "by": ("event_name",), "events": ("load", "pay")},
    {},
]


@pytest.mark.parametrize("options", OF_ONE_POINT)
@pytest.mark.parametrize("is_alone", [True, False])
@settings(max_examples=cases(12), deadline=None)
@given(found=rows, data=st.data())
def test_events_that_are_all_in_one_point_need_no_time(options, is_alone, found, data):
    analysis, query = TrendsAnalysis(), Trends(span=SPAN, interval=30 * MINUTE, **options)
    events = frame_of(found)
    places = data.draw(st.lists(st.integers(0, 2), min_size=events.height, max_size=events.height))
    alone = events.with_columns(pl.lit(None).alias(PART))
    events = alone if is_alone else in_parts(events, places)
    narrow = analysis.narrow(query, SPAN)
    assert "event_time" not in narrow.columns(query)

    def told(partial, events):
        frame = partial(events.lazy(), query, None).collect().drop(PART, strict=False)
        whole = analysis.combine(frame, query)
        return analysis.as_json(analysis.finish(whole, query, no_links()).result)

    timeless = events.drop("event_time", "received_time")
    assert same(told(narrow.partial, timeless), told(analysis.partial, events))


@pytest.mark.parametrize(
    ("span", "options"),
    [
        (TimeSpan(NOON, NOON + 31 * MINUTE), {}),
        (SPAN, {"measures": ("p95:duration_ms",)}),
        (SPAN, {"by": ("event_time",)}),
    ],
)
def test_events_of_several_points_need_their_times(span, options):
    query = Trends(span=span, interval=30 * MINUTE, **options)
    assert TrendsAnalysis().narrow(query, span) is None


@settings(max_examples=cases(25), deadline=None)
@given(found=rows)
def test_trends_are_what_counting_one_by_one_gives(found):
    plain = [{**row, "sample_rate": None} for row in found]
    events = frame_of(plain)
    query = Trends(
        measures=("count", "users", "p95:duration_ms", "mean:duration_ms"),
        span=SPAN,
        interval=MINUTE,
    )
    told = answer(TrendsAnalysis(), query, in_parts(events, [0] * events.height), [0])
    points = by_point(plain, MINUTE, NOON)
    linked = links(plain)
    count, users, p95, mean = ([value for _, value in s["points"]] for s in told["series"])
    for at in range(20):
        here = points.get(at, [])
        values = [
            v for row in here if (v := row["duration_ms"]) is not None and abs(v) < float("inf")
        ]
        assert count[at] == len(here)
        assert users[at] == len(subjects(here, linked))
        assert same(mean[at], sum(values) / len(values) if values else None)
        assert (p95[at] is None) == (not values)
        if values and min(values) > 0:
            assert abs(p95[at] - linear(values, 0.95)) <= 0.01 * linear(values, 0.95) + 1e-12
