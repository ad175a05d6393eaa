"""What changed against the span before, and what explains it."""

from datetime import timedelta

from store.analytics.changes import Changes
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

SECOND = timedelta(seconds=1)
SPAN = TimeSpan(NOON, NOON + timedelta(minutes=10))
BEFORE, DURING = range(-600, 0), range(600)


def event(second, **rest):
    return {"event_time": NOON + second * SECOND, **rest}


def changes(tmp_path, rows, **options):
    answer = store_of(tmp_path, events_of(rows)).run(Changes(span=SPAN, **options))
    return {row.key["event_name"]: row.values for row in answer.result.rows}


def steady():
    return [
        event(at, event_name="tick", user_id=f"u{at % 50}", service_version="1", severity=9)
        for at in (*BEFORE, *DURING)
    ]


def test_nothing_changed_is_no_finding(tmp_path):
    assert changes(tmp_path, steady()) == {}


def test_an_error_of_one_user_after_a_release_is_told_with_all_three(tmp_path):
    bad = [
        event(
            at,
            event_name="tool_error",
            user_id="ada",
            severity=17,
            message="EACCES: permission denied",
            service_version="2",
        )
        for at in range(300, 400)
    ]
    found = changes(tmp_path, [*steady(), *bad])
    (finding,) = found.values()
    assert finding["kind"] == "new"
    assert finding["severity"] == "error"
    assert finding["since"] == NOON + 300 * SECOND
    told = {each["attribute"]: each for each in finding["attributes"]}
    assert told["service_version"]["value"] == "2"
    assert told["message"]["share"] == 1
    assert told["user_id"] == {"attribute": "user_id", "value": "ada", "count": 1, "of": 51}


def test_one_user_is_told_also_when_others_had_the_same_error_before(tmp_path):
    def errors(seconds, user):
        return [event(at, event_name="tool_error", user_id=user(at), severity=17) for at in seconds]

    others = errors((*BEFORE[::50], *DURING[::50]), lambda at: f"u{at % 7}")
    hers = errors(DURING[300:400], lambda _: "ada")
    finding = changes(tmp_path, [*steady(), *others, *hers])["tool_error"]
    told = {each["attribute"]: each for each in finding["attributes"]}
    assert told["user_id"]["value"] == "ada"


def test_more_of_something_is_told_since_when(tmp_path):
    before = [event(at, event_name="retry") for at in BEFORE[::20]]
    more = [event(at, event_name="retry") for at in (*DURING[:300:20], *DURING[300:])]
    finding = changes(tmp_path, [*steady(), *before, *more])["retry"]
    assert finding["kind"] == "count"
    assert finding["factor"] == 315 / 30
    assert abs(finding["since"] - (NOON + 300 * SECOND)) < timedelta(seconds=30)
    assert len(finding["trend"]) == 8


def test_slower_is_told_with_what_the_slow_ones_share(tmp_path):
    calls = [
        event(
            at,
            event_name="llm",
            duration_ms=900.0 if at >= 300 and at % 3 == 0 else 100.0,
            model="large" if at % 3 == 0 else "small",
        )
        for at in (*BEFORE, *DURING)
    ]
    finding = changes(tmp_path, [*steady(), *calls])["llm"]
    assert finding["kind"] == "p95"
    assert finding["factor"] == 9
    assert finding["severity"] == "warning"
    assert finding["attributes"] == [{"attribute": "model", "value": "large", "share": 1.0}]
    assert abs(finding["since"] - (NOON + 300 * SECOND)) < timedelta(seconds=30)


def test_what_vanished_is_told(tmp_path):
    gone = [event(at, event_name="heartbeat") for at in BEFORE]
    finding = changes(tmp_path, [*steady(), *gone])["heartbeat"]
    assert (finding["kind"], finding["now"], finding["before"]) == ("gone", 0, 600)


def test_a_store_that_saw_nothing_before_has_nothing_to_compare(tmp_path):
    assert changes(tmp_path, [event(at) for at in DURING]) == {}


def test_failing_more_often_is_told(tmp_path):
    calls = [
        event(at, event_name="pay", severity=17 if at > 300 and at % 4 == 0 else 9, region=region)
        for at in (*BEFORE, *DURING)
        for region in ["eu" if at > 300 and at % 4 == 0 else "us"]
    ]
    finding = changes(tmp_path, [*steady(), *calls])["pay"]
    assert (finding["kind"], finding["severity"]) == ("errors", "error")
    assert finding["attributes"][0] == {"attribute": "region", "value": "eu", "share": 1.0}


def test_one_user_with_nearly_all_is_told_though_others_had_some_before(tmp_path):
    before = [event(at, event_name="retry", user_id=f"u{at % 7}") for at in BEFORE[::20]]
    more = [
        event(at, event_name="retry", user_id="ada" if at % 10 else "u1") for at in DURING[300:]
    ]
    finding = changes(tmp_path, [*steady(), *before, *more])["retry"]
    assert {"attribute": "user_id", "value": "ada", "share": 0.9} in finding["attributes"]
