"""What StatsD's and DogStatsD's lines say, one by one."""

from datetime import UTC, datetime

import pytest

from store.event import EventIds
from store.normalise import Arrival
from store.settings import Limits
from store.statsd import Gauges, decode_statsd
from tests.decoding import RECEIVED

MADE = {"event_id", "event_time", "received_time", "source"}


def decoded(text):
    body = text if isinstance(text, bytes) else text.encode()
    arrival = Arrival(RECEIVED, "statsd", EventIds(RECEIVED.timestamp), Limits())
    return decode_statsd(body, arrival)


def read(text):
    """The events as plain objects, without what is null or made here."""
    found = decoded(text)
    assert not found.refusals
    rows = Gauges().settled(found.events).rows(named=True)
    return [{k: v for k, v in row.items() if v is not None and k not in MADE} for row in rows]


def reasons(text):
    return [refusal.reason for refusal in decoded(text).refusals]


def metric(name, **columns):
    return {"event_type": "metric", "event_name": name, **columns}


COUNTER = {"metric_kind": "counter", "metric_temporality": "delta"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("hits:3|c", {"value": 3.0, **COUNTER}),
        ("hits:-2|c", {"value": -2.0, **COUNTER}),
        ("hits:3|c|@0.1", {"value": 3.0, "sample_rate": 10.0, **COUNTER}),
        ("hits:3|c|@1", {"value": 3.0, **COUNTER}),
        (
            "hits:320|ms|@0.5",
            {"value": 320.0, "sample_rate": 2.0, "metric_kind": "timing", "unit": "ms"},
        ),
        ("hits:.5|h|@0.25", {"value": 0.5, "sample_rate": 4.0, "metric_kind": "histogram"}),
        ("hits:1e3|d", {"value": 1000.0, "metric_kind": "histogram"}),
        ("hits:bob:x|s|@0.1", {"metric_member": "bob:x", "metric_kind": "set"}),
    ],
)
def test_a_metric_is_an_event_with_a_value_and_the_weight_of_its_rate(line, said):
    assert read(line) == [metric("hits", **said)]


def test_a_gauge_has_no_weight_whatever_its_rate():
    assert [(e["value"], "sample_rate" in e) for e in read("q:5|g|@0.1")] == [(5.0, False)]


def test_many_values_may_be_packed_into_one_line():
    assert [event["value"] for event in read("t:1:2.5:3e0|ms|#a:b")] == [1.0, 2.5, 3.0]


def test_tags_are_attributes_and_stay_text():
    (event,) = read("a:1|c|#status:200,urgent,service:web,version:1.2,url:http://x:1/,empty:")
    said = {"status": "200", "urgent": True, "url": "http://x:1/", "empty": ""}
    named = {"service_name": "web", "service_version": "1.2"}
    assert event == metric("a", value=1.0, **COUNTER, **said, **named)


def test_a_tag_never_replaces_a_field():
    (event,) = read("a:1|c|#value:9,event_name:x,message:m,metric_kind:k,user_id:u,source:s")
    apart = {"attr.value": "9", "attr.event_name": "x", "attr.message": "m"}
    apart |= {"attr.metric_kind": "k", "attr.source": "s", "user_id": "u"}
    assert event.items() >= metric("a", value=1.0, **COUNTER, **apart).items()


def test_a_tag_that_comes_again_keeps_all_its_values():
    assert read("a:1|c|#k:x,k:y,k:x,j:z,j:z")[0]["k"] == '["x","y","x"]'
    assert read("a:1|c|#k:x,k:y,k:x,j:z,j:z")[0]["j"] == "z"


def test_container_external_data_and_cardinality_are_kept_and_so_is_what_nobody_knows():
    (event,) = read("a:1|c|#k:v|c:ci-12|e:it-false|card:low|zz:1|yy")
    assert {k: event[k] for k in event if "." in k} == {
        "container.id": "ci-12",
        "statsd.external_data": "it-false",
        "statsd.cardinality": "low",
        "statsd.other": "zz:1|yy",
    }


def test_a_line_may_carry_its_time():
    moment = datetime(2025, 11, 13, 8, 26, 40, tzinfo=UTC)
    times = decoded("a:1|g|T1763022400\na:1|g").events["event_time"].to_list()
    assert times == [moment, RECEIVED]


def test_lines_end_in_either_way_and_empty_ones_count_for_nothing():
    assert len(read("a:1|c\r\nb:1|c\n\n  \r\nc:1|c\n")) == 3
    assert decoded("").events.height == 0
    assert reasons("\n\n") == []


def test_an_event_has_a_title_a_text_and_a_severity():
    (event,) = read("_e{5,10}:Title|text\\nline|t:error|p:low|k:g|s:ci|h:web|d:1763022400|#k:v")
    assert event == {
        "event_type": "event",
        "event_name": "Title",
        "message": "text\nline",
        "severity": 17,
        "severity_text": "error",
        "alert_type": "error",
        "priority": "low",
        "aggregation_key": "g",
        "source_type": "ci",
        "host.name": "web",
        "k": "v",
    }


@pytest.mark.parametrize("head", ["_e{5,4}", "_e{4,3}"])
def test_lengths_of_an_event_are_taken_in_bytes_or_in_characters(head):
    (event,) = read(f"{head}:über|mé!|#a:b")
    assert (event["event_name"], event["message"], event["a"]) == ("über", "mé!", "b")


def test_a_text_may_hold_bars():
    assert read("_e{1,5}:T|a|b|c")[0]["message"] == "a|b|c"


@pytest.mark.parametrize(
    ("status", "severity"), [(0, "info"), (1, "warning"), (2, "error"), (3, "warning")]
)
def test_a_service_check_has_a_status_and_a_severity(status, severity):
    (event,) = read(f"_sc|db.up|{status}|h:web|#a:b|m:it is down|really")
    assert (event["event_type"], event["event_name"]) == ("service_check", "db.up")
    assert event["check_status"] == ("ok", "warning", "critical", "unknown")[status]
    assert (event["value"], event["severity_text"]) == (status, severity)
    assert (event["host.name"], event["a"]) == ("web", "b")
    assert event["message"] == "it is down|really"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("junk", "bad_line"),
        ("a:1", "bad_line"),
        (":1|c", "bad_line"),
        ("a|c", "bad_line"),
        ("a:1|", "bad_kind"),
        ("a:1|x", "bad_kind"),
        ("a:|c", "bad_value"),
        ("a:1:|c", "bad_value"),
        ("a:nan|g", "bad_value"),
        ("a:inf|g", "bad_value"),
        ("a:1e999|g", "bad_value"),
        ("a:1_0|c", "bad_value"),
        ("a:٣|c", "bad_value"),
        ("a: 1|c", "bad_value"),
        ("a:1|c|@0", "bad_rate"),
        ("a:1|c|@-1", "bad_rate"),
        ("a:1|c|@2", "bad_rate"),
        ("a:1|c|@1e-400", "bad_rate"),
        ("a:1|c|@x", "bad_rate"),
        ("a:1|c|Tx", "bad_time"),
        ("a:1|c|T" + "9" * 21, "bad_time"),
        ("x" * 257 + ":1|c", "name_too_long"),
        ("a:1|c|#" + "k" * 257, "name_too_long"),
        ("a:1|c|#" + ",".join(map(str, range(2001))), "too_many_keys"),
        ("a:1|c|#k:" + "x" * 262_144, "too_large"),
        (b"a\xff:1|c", "bad_encoding"),
        ("_e{1,1}:a", "bad_line"),
        ("_e{9,1}:a|b", "bad_line"),
        ("_e{0,1}:|b", "bad_line"),
        ("_e{a,1}:a|b", "bad_line"),
        ("_e{1,2}:é|b", "bad_line"),
        ("_sc|a|4", "bad_line"),
        ("_sc|a", "bad_line"),
        ("_sc||0", "bad_line"),
    ],
)
def test_a_line_that_is_none_is_refused_by_reason_and_the_others_are_taken(line, reason):
    line = line.encode() if isinstance(line, str) else line
    found = decoded(b"before:1|c\n" + line + b"\nafter:1|c\n")
    assert found.events["event_name"].to_list() == ["before", "after"]
    assert [(r.place, r.reason) for r in found.refusals] == [("line 2", reason)]


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ("q:10|g\nq:-3|g\nq:+1|g", [10, 7, 8]),
        ("q:0|g\nq:-3|g", [0, -3]),
        ("q:+2|g\nq:+2|g", [2, 4]),
        ("q:10:-3:+1|g", [10, 7, 8]),
        ("q:10|g|#a:b,c:d\nq:-3|g|#c:d,a:b\nq:-3|g", [10, 7, -3]),
        ("q:10|g|T1763022400\nq:-3|g|T1763022401", [10, 7]),
    ],
)
def test_a_signed_gauge_changes_the_value_that_its_stream_had(lines, values):
    assert [event["value"] for event in read(lines)] == values


def test_the_last_value_is_known_from_one_batch_to_the_next():
    gauges = Gauges()
    gauges.settled(decoded("q:10|g\nhits:1|c").events)
    later = gauges.settled(decoded("hits:1|c\nq:-3|g").events)
    assert later["value"].to_list() == [1.0, 7.0]
    assert later["metric_delta"].to_list() == [None, -3.0]


def test_streams_are_remembered_up_to_a_bound_and_the_eldest_goes(monkeypatch):
    monkeypatch.setattr(Gauges, "STREAMS_MAX", 2)
    gauges = Gauges()
    gauges.settled(decoded("a:1|g\nb:1|g\na:2|g\nc:1|g").events)
    later = gauges.settled(decoded("a:+1|g\nb:+1|g").events)
    assert later["value"].to_list() == [3.0, 1.0]
