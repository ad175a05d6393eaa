"""Datadog's protocol: attributes by their many names, tags, severities, and limits."""

import json
import time

import pytest

from tests.store.collector.intake.vendor import answer, refused, rows, sent

PATH = "/api/v2/logs"


def one(**log):
    (row,) = rows(sent("datadog", PATH, [log]))
    return row


@pytest.mark.parametrize(
    ("status", "number"),
    [
        *(("error", 17), ("Warning", 13), ("INFO", 9), ("fatal", 21), ("trace", 1)),
        *((3, 17), ("4", 13), (7, 5), (0, 21)),
        *(("ok", 9), ("success", 9), ("emergency!", 21), ("erreur", 17), ("verbose?", 5)),
        *(("???", None), ("", None)),
    ],
)
def test_a_severity_is_read_as_datadog_reads_it(status, number):
    row = one(message="x", status=status)
    assert row.get("severity") == number
    assert row["severity_text"] == str(status)


@pytest.mark.parametrize("name", ["status", "severity", "level"])
def test_a_severity_is_found_by_any_of_its_names(name):
    assert one(**{name: "error"})["severity"] == 17


@pytest.mark.parametrize("name", ["timestamp", "@timestamp", "date", "eventTime"])
@pytest.mark.parametrize("value", [1763800000123, "2025-11-22T08:26:40.123Z"])
def test_a_time_is_found_by_any_of_its_names(name, value):
    row = one(message="x", **{name: value})
    assert row["event_time"].isoformat() == "2025-11-22T08:26:40.123000+00:00"
    assert name not in row


def test_a_time_that_cannot_be_read_costs_no_log():
    row = one(message="x", timestamp="soon")
    assert (row["event_time"].year, row["timestamp"]) == (2026, "soon")


def test_a_trace_and_a_user_are_found_in_objects_and_by_names_with_dots():
    nested = one(message="x", dd={"trace_id": "1", "span_id": 2, "env": "a"}, usr={"id": 5})
    dotted = one(message="x", **{"dd.trace_id": "1", "dd.span_id": 2, "dd.env": "a", "usr.id": 5})
    assert nested | {"event_id": ""} == dotted | {"event_id": ""}
    assert (nested["trace_id"], nested["span_id"], nested["user_id"]) == ("1", "2", "5")


@pytest.mark.parametrize(
    ("took", "milliseconds"),
    [(12_500_000, 12.5), (0, 0.0), (2.5e6, 2.5), (-1, None), (10**400, None), ("1", None)],
)
def test_a_duration_is_in_nanoseconds(took, milliseconds):
    assert one(message="\ud800", duration=took).get("duration_ms") == milliseconds


def test_tags_become_attributes_and_never_replace_one():
    row = one(message="x", env="mine", team="a", ddtags="env:theirs,team:a,new,old,a:b:c, ,x:")
    assert (row["env"], row["attr.env"], row["team"]) == ("mine", "theirs", "a")
    assert (row["a"], row["tags"]) == ("b:c", '["new","old","x:"]')
    assert "attr.team" not in row


def test_the_tags_of_a_log_take_time_by_their_number():
    begun = time.process_time()
    row = one(message="x", ddtags="a:1," * 400_000)
    assert row["a"].startswith('["1","1"')
    assert time.process_time() - begun < 5


def test_a_log_says_more_than_the_query():
    parameters = {"ddtags": "env:q", "service": "q", "ddsource": "q", "dd-api-key": "secret"}
    sample = sent("datadog", PATH, [{"service": "own"}, {}], parameters=parameters)
    own, other = rows(sample)
    assert (own["service_name"], own["ddsource"], own["env"]) == ("own", "q", "q")
    assert other["service_name"] == "q"


def test_broken_logs_are_refused_alone():
    assert refused(sent("datadog", PATH, [{"message": "x"}, 7])) == (
        [("batch[1]", "not_an_object")],
        202,
    )


def test_a_log_past_a_megabyte_is_cut_as_datadog_does():
    row = one(message="x" * 1_500_000)
    assert len(row["message"]) < 40_000
    assert row["original_bytes"] > 1_500_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"7", 400),
        (b"[7]", 400),
        (b"[]", 202),
        (b"{}", 202),
        (json.dumps([{}] * 1001).encode(), 413),
        (json.dumps([{"message": "x" * 5_000_001}]).encode(), 413),
    ],
)
def test_bodies_get_the_status_that_clients_act_on(body, status):
    told = answer(sent("datadog", PATH, body))
    assert told[0] == status
    assert told[1] == {} if status == 202 else told[1]["errors"][0]["status"] == str(status)
