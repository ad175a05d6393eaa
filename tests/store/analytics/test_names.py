"""Events by name, and the versions that they came from."""

from datetime import timedelta

from store.analytics.names import Names
from store.analytics.releases import Releases
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)
SPAN = TimeSpan(NOON, NOON + 8 * MINUTE)


def event(minute, **rest):
    return {"event_time": NOON + minute * MINUTE, **rest}


def test_a_row_for_each_name_says_how_often_how_bad_and_how_slow(tmp_path):
    rows = [event(at, event_name="load", severity=9, duration_ms=float(at)) for at in range(8)]
    rows += [event(at, event_name="save", severity=17) for at in (6, 7, 7)]
    answer = store_of(tmp_path, events_of(rows)).run(Names(span=SPAN))
    load, save = answer.result.rows
    assert load.key == {"event_name": "load"}
    assert load.values["count"] == 8
    assert load.values["rate"] == 8 / 480
    assert load.values["error_share"] == 0
    assert load.values["p50"] == 3.5
    assert load.values["trend"] == [1] * 8
    assert save.values["error_share"] == 1
    assert save.values["p95"] is None
    assert save.values["trend"] == [0, 0, 0, 0, 0, 0, 1, 2]
    assert save.values["first_seen"] == NOON + 6 * MINUTE
    assert save.values["last_seen"] == NOON + 7 * MINUTE


def test_the_share_of_errors_is_of_all_events_with_the_name(tmp_path):
    rows = [event(at % 8, event_name="get", severity=17 if at == 3 else None) for at in range(100)]
    answer = store_of(tmp_path, events_of(rows)).run(Names(span=SPAN))
    assert answer.result.rows[0].values["error_share"] == 0.01


def test_a_release_is_found_across_whole_parts_and_those_at_an_edge(tmp_path):
    def version(minute, number):
        return event(minute, service_name="api", service_version=number)

    rows = [version(at, "1" if at < 4 else "2") for at in range(-8, 8)]
    store = store_of(tmp_path, events_of(rows[:3]), events_of(rows[3:]))
    inside = TimeSpan(SPAN.start, SPAN.end - MINUTE)
    table = store.run(Releases(span=inside)).result
    assert [row.values["first_seen"] for row in table.rows] == [NOON + 4 * MINUTE]


def test_without_severities_there_is_no_error_share(tmp_path):
    answer = store_of(tmp_path, events_of([event(1)])).run(Names(span=SPAN))
    assert answer.result.rows[0].values["error_share"] is None


def test_names_past_the_limit_are_one_row_that_closes_the_sum(tmp_path):
    rows = [event(at % 8, event_name=f"n{at % 30:02}") for at in range(100)]
    table = store_of(tmp_path, events_of(rows)).run(Names(span=SPAN, limit=5)).result
    assert [row.folded for row in table.rows] == [False] * 5 + [True]
    assert sum(row.values["count"] for row in table.rows) == 100
    assert sum(table.rows[-1].values["trend"]) == table.rows[-1].values["count"]


def test_a_span_that_cuts_the_part_sees_only_its_own(tmp_path):
    rows = [event(at, event_name="x", duration_ms=float(at)) for at in range(-8, 8)]
    store = store_of(tmp_path, events_of(rows))
    row = store.run(Names(span=SPAN, compare="previous"))
    assert row.result.rows[0].values["count"] == 8
    assert row.result.rows[0].values["p50"] == 3.5
    assert row.previous.rows[0].values["p50"] == -4.5


def test_a_release_is_a_version_that_was_not_there_before(tmp_path):
    api = [event(at, service_name="api", service_version="2.3") for at in range(-5, 3)]
    api += [event(at, service_name="api", service_version="2.4") for at in (3, 4)]
    shop = [event(at, service_name="shop", service_version="1") for at in (1, 2)]
    answer = store_of(tmp_path, events_of([*api, *shop])).run(Releases(span=SPAN))
    (row,) = answer.result.rows
    assert row.key == {"service_name": "api", "service_version": "2.4"}
    assert row.values["first_seen"] == NOON + 3 * MINUTE
    assert row.values["replaces"] == "2.3"
    assert row.values["count"] == 2


def test_releases_of_one_instant_come_by_service(tmp_path):
    services = [f"s{number:02}" for number in range(20)]
    rows = [event(at, service_name=s, service_version=str(at)) for at in (-1, 1) for s in services]
    store = store_of(tmp_path, events_of(rows))
    found = [row.key["service_name"] for row in store.run(Releases(span=SPAN)).result.rows]
    assert found == services


def test_the_trend_of_a_live_span_stands_still_within_an_interval(tmp_path):
    store = store_of(tmp_path, events_of([event(at % 8, event_name="x") for at in range(100)]))

    def trend(seconds):
        span = SPAN.shifted(timedelta(seconds=seconds))
        return store.run(Names(span=span, interval=MINUTE)).result.rows[0].values["trend"]

    ticks = [trend(seconds) for seconds in range(1, 59, 7)]
    assert all(tick[2:] == ticks[0][2:] for tick in ticks)
