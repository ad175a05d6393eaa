"""The one door to what is stored: what it answers, and what it refuses."""

from datetime import timedelta

import pytest

from store.analytics.names import Names
from store.analytics.releases import Releases
from store.analytics.trends import Trends
from store.errors import UsageError
from store.event_store import Cancelled, EventStore
from store.testing import NOON, FrozenClock, events_of, journeys, store_of, write
from store.timespan import TimeSpan

MINUTE = timedelta(minutes=1)
HOUR = TimeSpan(NOON, NOON + timedelta(hours=1))


def counts(answer, **key):
    series = [s for s in answer.result.series if s.key == key]
    return [value for value in series[0].values if value]


def test_an_empty_store_answers_with_zeros(tmp_path):
    store = EventStore(tmp_path / "nothing", now=FrozenClock())
    answer = store.run(Trends())
    assert set(answer.result.series[0].values) == {0}
    assert answer.result.series[0].total == 0
    assert store.span() is None
    assert not store.tally()


def test_events_of_several_parts_add_up(tmp_path):
    store = store_of(tmp_path, journeys(ada="a b"), journeys(bob="a a"))
    answer = store.run(Trends(by=("event_name",), interval=MINUTE))
    assert counts(answer, event_name="a") == [2, 1]
    assert counts(answer, event_name="b") == [1]
    assert answer.events_scanned == 4


def test_a_new_part_changes_the_generation_and_the_answer(tmp_path):
    store = store_of(tmp_path, journeys(ada="a"))
    before = store.run(Trends(span=HOUR))
    write(tmp_path, journeys(bob="a"))
    after = store.run(Trends(span=HOUR))
    assert (before.result.series[0].total, after.result.series[0].total) == (1, 2)
    assert before.generation != after.generation == store.generation()


def test_a_span_that_cuts_a_part_counts_what_is_inside(tmp_path):
    store = store_of(tmp_path, journeys(ada="a " * 60))
    for first, last in ((7, 20), (0, 1), (59, 60), (30, 90)):
        span = TimeSpan(NOON + first * MINUTE, NOON + last * MINUTE)
        answer = store.run(Trends(span=span, measures=("count", "users")))
        assert [s.total for s in answer.result.series] == [min(last, 60) - first, 1]


def test_edges_off_every_grid_are_exact(tmp_path):
    store = store_of(tmp_path, journeys(ada="a " * 60))
    span = TimeSpan(
        NOON + timedelta(microseconds=1), NOON + 10 * MINUTE + timedelta(microseconds=1)
    )
    assert store.run(Trends(span=span)).result.series[0].total == 10


def test_the_previous_span_is_compared_on_request(tmp_path):
    store = store_of(tmp_path, journeys(ada="a " * 30))
    span = TimeSpan(NOON + 20 * MINUTE, NOON + 30 * MINUTE)
    answer = store.run(Trends(span=span, compare="previous"))
    assert answer.previous.series[0].total == 10
    assert answer.previous.starts[0] == NOON + 10 * MINUTE


@pytest.mark.parametrize("unit_rows", [10, 200_000])
def test_a_live_view_never_leaves_what_a_fresh_store_would_answer(tmp_path, monkeypatch, unit_rows):
    monkeypatch.setattr("store.analytics.reading.UNIT_ROWS", unit_rows)
    clock = FrozenClock()
    rows = [{"event_time": NOON + at * MINUTE / 4, "user_id": f"u{at % 7}"} for at in range(240)]
    commits = [events_of(rows[at : at + 6]) for at in range(0, 240, 6)]
    store = store_of(tmp_path, *commits[:20], clock=clock)
    for step, late in enumerate(commits[20:34]):
        write(tmp_path, late, clock=clock)
        start = NOON + step * timedelta(seconds=97)
        span = TimeSpan(start, start + 15 * MINUTE)
        asked = [
            Trends(span=span, measures=("count", "users"), compare="previous"),
            Names(span=span, compare="previous"),
        ]
        if step % 4 == 0:
            fresh = EventStore(tmp_path, now=clock).run_all(asked)
            assert store.run_all(asked) == fresh
        else:
            store.run_all(asked)


def test_the_running_point_is_marked_incomplete(tmp_path):
    clock = FrozenClock(NOON + timedelta(minutes=30, seconds=30))
    store = store_of(tmp_path, journeys(ada="a"), clock=clock)
    assert store.run(Trends(span=HOUR)).incomplete_from == NOON + 30 * MINUTE
    clock.advance(timedelta(hours=2))
    assert store.run(Trends(span=HOUR)).incomplete_from is None


def test_nothing_is_read_twice(tmp_path, monkeypatch):
    import store.analytics.batches as reading

    read = []
    scan = reading.scan
    monkeypatch.setattr(
        reading,
        "scan",
        lambda parts, *rest, **how: read.extend(parts) or scan(parts, *rest, **how),
    )
    store = store_of(tmp_path, *(journeys(ada="a b") for _ in range(5)))
    asked = [Trends(span=HOUR), Trends(span=HOUR, by=("event_name",))]
    store.run_all(asked)
    assert len(read) == 5
    store.run_all(asked)
    assert len(read) == 5
    write(tmp_path, journeys(bob="a"))
    store.run_all(asked)
    assert len(read) == 6


def test_a_part_whose_bytes_changed_does_not_take_the_others_with_it(tmp_path):
    store = store_of(tmp_path, journeys(ada="a a"), journeys(bob="a"))
    bad = store.snapshot().parts[0]
    data = bad.path.read_bytes()
    bad.path.write_bytes(data[:4] + b"\xff" * 400 + data[404:])
    answer = store.run(Trends(by=("user_id",)))
    assert counts(answer, user_id="bob") == [1]
    assert answer.result.series[0].total == 1
    assert [each.path for each in store.snapshot().skipped] == [bad.path]


def test_work_that_nobody_waits_for_stops(tmp_path):
    store = store_of(tmp_path, journeys(ada="a"))
    with pytest.raises(Cancelled):
        store.run(Trends(), cancelled=lambda: True)


@pytest.fixture(params=[1, 1_000_000])
def batches_of_a_part(request, monkeypatch):
    """Every part is a batch; two of them are read at once, or each after the other."""
    monkeypatch.setattr("store.analytics.reading.UNIT_ROWS", 1)
    monkeypatch.setattr("store.analytics.batches.BATCH_ROWS", 1)
    monkeypatch.setattr("store.analytics.batches.LONG_ROWS", request.param)


@pytest.mark.usefixtures("batches_of_a_part")
def test_batches_that_are_read_at_once_add_up_as_one(tmp_path):
    commits = [journeys(ada="a b", **{f"u{at}": "a a"}) for at in range(20)]
    store = store_of(tmp_path, *commits)
    asked = [
        Trends(measures=("count", "users"), by=("event_name",)),
        Names(where="event_name=a", span=HOUR),
    ]
    trends, names = store.run_all(asked)
    assert [s.total for s in trends.result.series] == [60, 21, 20, 1]
    assert [row.values["count"] for row in names.result.rows] == [60]


@pytest.mark.usefixtures("batches_of_a_part")
def test_parts_that_lie_in_one_point_count_as_those_that_do_not(tmp_path):
    def at(seconds, *users):
        moment = NOON + timedelta(seconds=seconds)
        return [{"event_time": moment, "user_id": user, "severity": 9} for user in users]

    commits = [
        at(0, "a", "b"),
        at(59.999999, "a", None),
        at(60, "c", "c"),
        at(30, "d") + at(90, "a"),
    ]
    store = store_of(tmp_path, *map(events_of, commits))
    span = TimeSpan(NOON, NOON + 3 * MINUTE)
    for by in ((), ("severity_class",)):
        asked = Trends(span=span, interval=MINUTE, measures=("count", "users"), by=by)
        series = store.run(asked).result.series
        assert [(each.values, each.total) for each in series] == [([5, 3, 0], 8), ([3, 2, 0], 4)]
    (count,) = store.run(Trends(span=span, interval=MINUTE)).result.series
    assert count.values == [5, 3, 0]


@pytest.mark.usefixtures("batches_of_a_part")
def test_work_that_nobody_waits_for_any_more_begins_no_other_batch(tmp_path, monkeypatch):
    import store.analytics.batches as reading

    read, scan = [], reading.scan
    monkeypatch.setattr(
        reading, "scan", lambda *args, **how: read.append(args) or scan(*args, **how)
    )
    store = store_of(tmp_path, *(journeys(ada="a") for _ in range(12)))
    asked = iter([False] * 5)
    with pytest.raises(Cancelled):
        store.run(Trends(), cancelled=lambda: next(asked, True))
    assert len(read) == 5


@pytest.mark.usefixtures("batches_of_a_part")
def test_a_broken_part_among_batches_is_left_out(tmp_path):
    store = store_of(tmp_path, *(journeys(ada="a") for _ in range(12)))
    bad = store.snapshot().parts[7]
    data = bad.path.read_bytes()
    bad.path.write_bytes(data[:4] + b"\xff" * 400 + data[404:])
    assert store.run(Trends(by=("user_id",))).result.series[0].total == 11
    assert [each.path for each in store.snapshot().skipped] == [bad.path]


def test_events_out_of_time_do_not_stretch_the_span(tmp_path):
    far = [{"event_time": NOON.replace(year=year)} for year in (1971, 2026, 2200)]
    store = store_of(tmp_path, events_of(far))
    assert store.span() == TimeSpan(NOON, NOON + timedelta(microseconds=1))
    assert store.out_of_time() == 2
    assert store.run(Trends(interval=timedelta(days=30))).result.series[0].total == 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Trends(by=("sevrity",)), "did you mean severity"),
        (Trends(measures=("sum:event_name",)), "holds text, not numbers"),
        (Trends(measures=("p101:duration_ms",)), "'p101:duration_ms' is none"),
        (Trends(measures=("median",)), "write count, rate"),
        (Trends(span=HOUR, interval=timedelta(milliseconds=1)), "more than 10,000"),
        (Trends(interval=timedelta(0)), "not a width"),
        (Trends(tz="Mars/Olympus"), "no zone 'Mars/Olympus'"),
        (Trends(compare="yesterday"), "write previous"),
        (Trends(limit=0), "keeps nothing"),
        (Trends(week_start="someday"), "no day"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(tmp_path, query, said):
    store = store_of(tmp_path, events_of([{"severity": 9}]))
    with pytest.raises(UsageError, match=said):
        store.run(query)


def test_a_breakdown_by_single_events_is_refused_before_memory_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr("store.analytics.combining.ROWS_MAX", 100)
    store = store_of(tmp_path, events_of([{"user_id": str(at)} for at in range(200)]))
    with pytest.raises(UsageError, match="different values"):
        store.run(Trends(by=("user_id",)))


def test_a_part_that_is_merged_away_meanwhile_is_looked_for_again(tmp_path, monkeypatch):
    import store.analytics.batches as batches

    store = store_of(tmp_path, journeys(ada="a"), journeys(bob="a"))
    scan, failures = batches.scan, iter([True])

    def gone_once(*given, **how):
        if next(failures, False):
            raise FileNotFoundError("0-x-1.parquet")
        return scan(*given, **how)

    monkeypatch.setattr(batches, "scan", gone_once)
    assert store.run(Trends(span=HOUR)).result.series[0].total == 2


def test_events_are_read_as_columns(tmp_path):
    store = store_of(tmp_path, journeys(ada="a b"), journeys(bob="c"))
    found = store.events(HOUR, "event_name=a,c", ["user_id"]).collect()
    assert sorted(found["user_id"]) == ["ada", "bob"]
    assert found.columns == ["user_id", "_part"]
    assert store.events().collect().height == 3


def test_the_tally_is_that_of_all_commits(tmp_path):
    assert store_of(tmp_path, journeys(ada="a b"), journeys(bob="c")).tally().received == 3


def test_questions_asked_together_are_answered_as_each_by_itself(tmp_path):
    """Also where some of them read parts that others do not need."""
    row = {"event_name": "a", "service_name": "api"}
    linked = {**row, "user_id": "ada", "install_id": "phone"}
    commits = [
        [{**each, "event_time": NOON + n * MINUTE, "service_version": f"{n}"}]
        for n, each in enumerate((row, linked) * 12)
    ]
    store_of(tmp_path, *map(events_of, commits))
    questions = [Trends(measures=("users",), span=HOUR), Releases(span=HOUR), Names(span=HOUR)]
    found = [each.events_scanned for each in store_of(tmp_path).run_all(questions)]
    assert found == [store_of(tmp_path).run(each).events_scanned for each in questions]
    assert found == [24] * 3
