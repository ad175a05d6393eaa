"""Rollups never change an answer: what adds up exactly is the same as from the events, estimates
are as near as they promise, and what nobody can tell any more is null.
"""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from store.analytics.names import Names
from store.analytics.percentiles import Percentiles
from store.analytics.registry import ANALYSES
from store.analytics.releases import Releases
from store.analytics.rollups.building import rollup_of
from store.analytics.rollups.tiers import FINE, FIVE_MINUTES_BY_NAME, QUARTER_HOUR
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.rollup_file import publish
from store.parts.volume_file import bind
from store.testing import NOON, events_of, store_of, write
from store.timespan import TimeSpan
from tests.store.analytics.reference import same

MINUTE = timedelta(minutes=1)
START = NOON - timedelta(hours=14)
LENGTH = 36 * 60
BY_NAME = {analysis.name: analysis.load() for analysis in ANALYSES}
EXACT = ("count", "users", "sessions", "sum:duration_ms", "min:duration_ms", "mean:duration_ms")
people = st.sampled_from([None, "", "ada", "bob", "eve"])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_time": st.integers(0, LENGTH * 60 - 1).map(
                lambda second: START + timedelta(seconds=second)
            ),
            "event_name": st.sampled_from(["load", "save", "pay"]),
            "event_type": st.sampled_from(["log", "span"]),
            "user_id": people,
            "install_id": st.sampled_from([None, "phone", "laptop"]),
            "session_id": people,
            "severity": st.sampled_from([None, 5, 9, 13, 17, 21]),
            "service_name": st.sampled_from([None, "", "api", "shop"]),
            "service_version": st.sampled_from([None, "", "1", "2"]),
            "duration_ms": st.sampled_from([None, 0.0, -3.5, 7.0, 7.1, 900.0, float("nan")]),
            "sample_rate": st.sampled_from([None, 1.0, 10.0]),
        }
    ),
    min_size=1,
    max_size=30,
)
moments = st.integers(0, LENGTH).map(lambda minute: START + minute * MINUTE)
spans = st.tuples(moments, moments).map(lambda ends: TimeSpan(min(ends), max(ends) + 7 * MINUTE))
wheres = st.sampled_from(
    [None, "event_name=load", "service_name=*", 'service_name=""', "-service_version=1", "pay"]
)
widths = st.sampled_from([5, 15, 20, 60, 1_440]).map(lambda minutes: minutes * MINUTE)


def rolled_up(root, numbers=None, *, without=()):
    """Rollups of the parts with these numbers, or of all, `without` some tiers."""
    folder = StoreFolder.open(root)
    for at, part in enumerate(Catalog(folder).snapshot().parts):
        if part.rows and (numbers is None or at in numbers):
            rolled, tables = rollup_of(part)
            names = tuple(name for name in rolled.tiers if name not in without)
            left_out = {tier.code for tier in FINE if tier.name in without}
            tables = {code: rows for code, rows in tables.items() if code not in left_out}
            publish(folder, replace(part, rolled=rolled._replace(tiers=names)), tables)


def bound(root, numbers):
    """Volumes of the rollups with these numbers, a date each."""
    folder = StoreFolder.open(root)
    chosen = defaultdict(list)
    for at, rollup in enumerate(Catalog(folder).snapshot().rollups):
        if at in numbers:
            chosen[rollup.date].append(rollup)
    for date, rollups in chosen.items():
        bind(folder, date, rollups)


def expired(root):
    """The events of all parts that have rollups go."""
    for part in Catalog(StoreFolder.open(root)).snapshot().rollups:
        (root / "events" / f"_date={part.date}" / part.path.name).unlink()


def questions(span, where, width, *, link, zone):
    common = {"span": span, "where": where, "link": link, "tz": zone}
    return [
        Trends(measures=EXACT, interval=width, compare="previous", **common),
        Trends(measures=("count", "users"), by=("severity_class",), interval=width, **common),
        Trends(measures=("sessions",), events=("load", "pay"), interval=width, **common),
        Trends(measures=EXACT, interval=width, rolling=3 * width, compare="previous", **common),
        Top(by=("service_name", "event_type"), measure="users", **common),
        Top(by=("service_version",), measure="max:duration_ms", **common),
        Names(interval=width, **common),
        Percentiles(by=("event_name",), **common),
        Releases(**common),
    ]


def told(answer, analyses=BY_NAME):
    """The answer without what is an estimate from rollups alone."""
    document = analyses[answer.analysis].as_json(answer.result)
    for row in document.get("rows", ()):
        for name in [name for name in row if name[0] == "p" and name[1:].isdigit()]:
            del row[name]
    return document


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(
    first=rows,
    second=rows,
    late=rows,
    numbers=st.sets(st.integers(0, 5)),
    in_volumes=st.sets(st.integers(0, 5)),
    span=spans,
    where=wheres,
    width=widths,
    link=st.booleans(),
)
def test_with_rollups_an_answer_is_what_the_events_say(
    tmp_path_factory, zone, first, second, late, numbers, in_volumes, span, where, width, link
):
    root = tmp_path_factory.mktemp("store")
    store = store_of(root, events_of(first), events_of(second), counted_max=0)
    asked = questions(span, where, width, link=link, zone=zone)
    rolled_up(root, numbers)
    bound(root, in_volumes)
    store.run_all(asked)
    write(root, events_of(late))
    raw = EventStoreOf(root, without_rollups=True).run_all(asked)
    for answers in (store.run_all(asked), EventStoreOf(root).run_all(asked)):
        for found, plain in zip(answers, raw, strict=True):
            assert same(told(found), told(plain)), found.query
            assert found.events_scanned == plain.events_scanned
            assert (found.coverage[0].span.start, found.coverage[-1].span.end) == (
                span.start,
                span.end,
            )


def EventStoreOf(root, *, without_rollups=False):  # noqa: N802 - a store with nothing kept yet
    store = store_of(root, counted_max=0)
    if without_rollups:
        store._catalog._with_rollups = lambda found: found
    return store


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 8, 9, 16, 17, 64])
def test_what_is_missing_and_what_is_empty_is_one_row_however_many_parts_are_read_as_one(
    tmp_path, parts
):
    empty = {"event_time": NOON, "duration_ms": 1.0, "service_version": ""}
    missing = {**empty, "duration_ms": 2.0, "service_version": None}
    later = {**empty, "event_time": NOON + timedelta(days=1)}
    store = store_of(
        tmp_path, *([events_of([empty, missing])] * parts), events_of([later]), counted_max=0
    )
    span = TimeSpan(NOON - MINUTE, NOON + MINUTE)
    query = Top(by=("service_version",), measure="max:duration_ms", span=span)
    (row,) = store.run(query).result.rows
    assert row.values["value"] == 2.0


def every_minute(hours):
    return events_of(
        {
            "event_time": NOON + number * MINUTE,
            "event_name": ("load", "pay")[number % 2],
            "service_name": "shop",
            "service_version": "1" if number < 80 else "2",
            "duration_ms": 5.0,
        }
        for number in range(hours * 60)
    )


# From 13:05 to 13:40: no edge is one of a quarter of an hour.
RAGGED = TimeSpan(NOON + 65 * MINUTE, NOON + 100 * MINUTE)
NAMES = Names(span=RAGGED, interval=5 * MINUTE)


@pytest.mark.parametrize("query", [NAMES, Releases(span=RAGGED)])
def test_names_and_releases_need_no_events_at_edges_of_five_minutes(tmp_path, query):
    raw = store_of(tmp_path, every_minute(3), counted_max=0).run(query)
    rolled_up(tmp_path)
    expired(tmp_path)
    found = EventStoreOf(tmp_path).run(query)
    assert told(found) == told(raw)
    assert found.events_scanned == raw.events_scanned > 0
    assert {each.tier for each in found.coverage} <= {FIVE_MINUTES_BY_NAME.name, QUARTER_HOUR.name}


def test_rollups_of_before_without_five_minutes_by_name_serve_beside_new_ones(tmp_path):
    store_of(tmp_path, every_minute(3), every_minute(2))
    raw = EventStoreOf(tmp_path).run(NAMES)
    rolled_up(tmp_path, {0}, without=(FIVE_MINUTES_BY_NAME.name,))
    rolled_up(tmp_path, {1})
    found = EventStoreOf(tmp_path).run(NAMES)
    assert told(found) == told(raw)
    assert found.events_scanned == raw.events_scanned == 70


def test_windows_that_hold_what_is_gone_are_null(tmp_path):
    days = [NOON.replace(hour=0) + timedelta(days=day, hours=1) for day in range(6)]
    events = [{"event_time": day, "user_id": "ada", "plan": "pro"} for day in days]
    store_of(tmp_path, events_of(events[:2]))
    rolled_up(tmp_path)
    expired(tmp_path)
    write(tmp_path, events_of(events[2:]))
    day = timedelta(days=1)
    span = TimeSpan(days[2], days[5] + day)
    query = Trends(span=span, interval=day, rolling=2 * day, measures=("users",))
    found = EventStoreOf(tmp_path)
    assert found.run(query).result.series[0].values == [1, 1, 1, 1, 1]
    # Rollups do not tell plans apart.
    of_plan = replace(query, where="plan=pro")
    assert found.run(of_plan).result.series[0].values == [None, 1, 1, 1, 1]
