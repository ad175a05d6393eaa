"""OTLP as an exporter sees it, and what is kept of each record."""

import base64
import json
import math
import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from store.collector.intake import INTAKES, Request
from store.collector.intake.otlp import OtlpIntake
from store.collector.refused import bad_content, try_later
from store.otlp import bounds
from store.settings import Limits
from store.tally import Receipt, Refusal
from tests.store.collector.intake.samples.otlp import (
    AT,
    LOGS_JSON,
    PROTOBUF,
    SAMPLES,
    SPAN,
    TRACE,
    any_value,
    logs_request,
    put,
)

JSON = "application/json"
LOGS = next(sample for sample in SAMPLES if sample.name == "otlp logs")
LOGS_IN_JSON = replace(LOGS, content_type=JSON)


def decoded(request):
    return LOGS.decode(request.SerializeToString())


def one(**attributes):
    """The single event of a record with these attributes, without what is null."""
    found = decoded(logs_request(1, **attributes))
    assert not found.refusals
    return found.events.row(0, named=True)


def in_json(record):
    return LOGS_IN_JSON.decode(
        json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    )


def one_in_json(record):
    found = in_json(record)
    assert not found.refusals, found.refusals
    return found.events.row(0, named=True)


def asked(content_type=PROTOBUF, path="/v1/logs"):
    return Request(path, {"content-type": content_type})


def status_of(reply):
    """Code and message of a google.rpc.Status in protobuf."""
    assert reply.content_type == PROTOBUF
    assert reply.body[:1] == b"\x08"
    assert reply.body[2:3] == b"\x12"
    return reply.body[1], reply.body[4:].decode()


def test_it_is_listed():
    assert any(("POST", "/v1/logs") in intake.routes for intake in INTAKES)


def test_a_record_is_an_event_with_its_resource_and_scope():
    event = one(number=7)
    assert event["event_time"] == datetime.fromtimestamp(AT // 10**9, UTC).replace(
        microsecond=123456
    )
    del event["event_id"], event["event_time"], event["received_time"]
    assert event == {
        "event_type": "log",
        "event_name": "log",
        "severity": 9,
        "severity_text": "info",
        "service_name": "shop",
        "trace_id": TRACE.hex(),
        "span_id": SPAN.hex(),
        "message": "line 0",
        "source": "otlp",
        "host.name": "web-1",
        "otel.resource.schema_url": "https://example.org/1",
        "otel.scope.name": "cart",
        "number": 7,
    }


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("text", "text"),
        ("", ""),
        ("é" * 100, "é" * 100),
        (True, True),
        (-(2**63), -(2**63)),
        (2**63 - 1, 2**63 - 1),
        (0.1, 0.1),
        (-0.0, -0.0),
        (b"\x00\xff", base64.b64encode(b"\x00\xff").decode()),
        ([1, "a", [True], {"k": b"\x01"}], '[1,"a",[true],{"k":"AQ=="}]'),
        ([], "[]"),
        ([math.nan, math.inf, -math.inf], '["NaN","Infinity","-Infinity"]'),
        ({}, "{}"),
    ],
)
def test_values_of_all_types_come_through(value, stored):
    event = one(x=value)
    assert (event["x"], type(event["x"])) == (stored, type(stored))


def test_not_a_number_stays_what_it_is():
    assert math.isnan(one(x=math.nan)["x"])


def test_kvlists_are_flattened_with_dots():
    event = one(x={"a": {"b": 1}, "c": "d"})
    assert (event["x.a.b"], event["x.c"]) == (1, "d")


def test_an_attribute_without_a_value_is_null():
    request = logs_request(1)
    request.resource_logs[0].scope_logs[0].log_records[0].attributes.add(key="empty")
    assert "empty" not in decoded(request).events.columns


def test_attributes_that_are_fixed_columns_by_convention_go_there():
    names = {"user.id": "ada", "session.id": "s1", "service.version": "2", "is_dev": True}
    event = one(**names)
    assert [event[name] for name in ("user_id", "session_id", "service_version", "is_dev")] == [
        *names.values()
    ]
    assert event["subject_hash"]


@pytest.mark.parametrize("name", ["event_id", "event_time", "message", "severity", "source"])
def test_attributes_that_are_called_like_other_fixed_columns_stand_apart(name):
    assert one(**{name: "mine"})[f"attr.{name}"] == "mine"


def test_a_records_attribute_goes_before_its_resources_of_the_same_name():
    event = one(**{"host.name": "web-2"})
    assert (event["host.name"], event["resource.host.name"]) == ("web-2", "web-1")
    rows = logs_request(2)
    put(rows.resource_logs[0].scope_logs[0].log_records[1].attributes, {"host.name": "web-2"})
    assert decoded(rows).events["host.name"].to_list() == ["web-1", "web-2"]


def test_a_name_that_comes_twice_loses_nothing():
    request = logs_request(1, x=1)
    put(request.resource_logs[0].scope_logs[0].log_records[0].attributes, {"x": 2})
    event = decoded(request).events.row(0, named=True)
    assert (event["x"], event["attr.x"]) == (1, 2)


def test_an_attribute_called_like_a_field_of_ours_gives_way():
    request = logs_request(1, trace_flags="mine")
    request.resource_logs[0].scope_logs[0].log_records[0].flags = 1
    event = decoded(request).events.row(0, named=True)
    assert (event["trace_flags"], event["attr.trace_flags"]) == (1, "mine")


def test_resources_and_scopes_keep_their_own_apart():
    request = logs_request(1)
    other = request.resource_logs.add()
    put(other.resource.attributes, {"service.name": "bank", "zone": 3})
    other.resource.dropped_attributes_count = 4
    other.scope_logs.add().log_records.add(observed_time_unix_nano=AT)
    scope = other.scope_logs.add()
    scope.scope.version = "1.2"
    scope.scope.dropped_attributes_count = 2
    put(scope.scope.attributes, {"lang": "go"})
    scope.log_records.add(dropped_attributes_count=5)
    events = decoded(request).events
    assert events["service_name"].to_list() == ["shop", "bank", "bank"]
    assert events["zone"].to_list() == [None, 3, 3]
    assert events["host.name"].to_list() == ["web-1", None, None]
    assert events["otel.scope.version"].to_list() == [None, None, "1.2"]
    assert events["otel.scope.lang"].to_list() == [None, None, "go"]
    assert events["otel.resource.dropped_attributes_count"].to_list() == [None, 4, 4]
    assert events["otel.scope.dropped_attributes_count"].to_list() == [None, None, 2]
    assert events["otel.dropped_attributes_count"].to_list() == [None, None, 5]
    assert events["observed_time_unix_nano"].to_list() == [None, AT, None]
    assert events["event_time"][1] == events["event_time"][0]
    assert events["event_time"][2] == events["received_time"][2]


def test_events_have_the_name_that_the_record_or_its_attribute_gives():
    request = logs_request(3)
    first, second, third = request.resource_logs[0].scope_logs[0].log_records
    first.event_name = "cart.checked_out"
    put(second.attributes, {"event.name": "old"})
    put(third.attributes, {"event.name": 5})
    events = decoded(request).events
    assert events["event_name"].to_list() == ["cart.checked_out", "old", "log"]
    assert events["event.name"].to_list() == [None, None, 5]


@pytest.mark.parametrize(
    ("body", "column", "stored"),
    [
        ("text", "message", "text"),
        (12, "message", "12"),
        (True, "message", "true"),
        ([1, "a"], "message", '[1,"a"]'),
        ({"a": {"b": 1}}, "body.a.b", 1),
    ],
)
def test_bodies_of_all_types_come_through(body, column, stored):
    request = logs_request(1)
    any_value(request.resource_logs[0].scope_logs[0].log_records[0].body, body)
    assert decoded(request).events.row(0, named=True)[column] == stored


def test_ids_of_zeros_are_none():
    request = logs_request(1)
    request.resource_logs[0].scope_logs[0].log_records[0].trace_id = bytes(16)
    assert "trace_id" not in decoded(request).events.columns


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"stringValue": "a"}, "a"),
        ({"intValue": "12345678901"}, 12345678901),
        ({"intValue": 12345678901}, 12345678901),
        ({"intValue": 5.0}, 5),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"boolValue": False}, False),
        ({"bytesValue": "AP8="}, "AP8="),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, "[1,null]"),
        ({"arrayValue": {}}, "[]"),
        ({"unknown": 1, "stringValue": "a"}, "a"),
    ],
)
def test_values_in_json_come_through(value, stored):
    event = one_in_json({"attributes": [{"key": "x", "value": value}], "unknown": {"y": []}})
    assert (event["x"], type(event["x"])) == (stored, type(stored))


def test_json_and_protobuf_say_the_same():
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, {"service.name": "shop"})
    scope = resource.scope_logs.add()
    scope.scope.name = "cart"
    record = scope.log_records.add(time_unix_nano=AT, trace_id=TRACE)
    record.body.string_value = "hello"
    put(record.attributes, {"n": 1})
    from_json = LOGS_IN_JSON.decode(json.dumps(LOGS_JSON).encode())
    assert decoded(request).events.drop("event_id").equals(from_json.events.drop("event_id"))


@pytest.mark.parametrize(
    "record",
    [
        [],
        "x",
        {"traceId": 5},
        {"traceId": "no hex"},
        {"timeUnixNano": "soon"},
        {"timeUnixNano": -1},
        {"timeUnixNano": 2**64},
        {"timeUnixNano": 1.5},
        {"timeUnixNano": True},
        {"timeUnixNano": "1e999"},
        {"severityNumber": [1]},
        {"severityText": 5},
        {"body": "text"},
        {"attributes": {}},
        {"attributes": [5]},
        {"attributes": [{"key": 5}]},
        {"attributes": [{"key": "x", "value": {"intValue": 2**63}}]},
        {"attributes": [{"key": "x", "value": {"intValue": "1.5"}}]},
        {"attributes": [{"key": "x", "value": {"boolValue": "true"}}]},
        {"attributes": [{"key": "x", "value": {"doubleValue": []}}]},
        {"attributes": [{"key": "x", "value": {"bytesValue": "é"}}]},
        {"attributes": [{"key": "x", "value": {"arrayValue": 5}}]},
        {"attributes": [{"key": "x", "value": {"kvlistValue": {"values": {}}}}]},
    ],
)
def test_json_of_the_wrong_types_is_no_request(record):
    found = in_json(record)
    assert [(refusal.place, refusal.reason) for refusal in found.refusals] == [("body", "bad_otlp")]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"null", b"{", b'{"resourceLogs": {}}', b"\xff"]
)
def test_json_that_is_no_object_of_requests_is_refused(body):
    assert [refusal.place for refusal in LOGS_IN_JSON.decode(body).refusals] == ["body"]


def test_empty_requests_are_fine():
    for sample, body in ((LOGS, b""), (LOGS_IN_JSON, b"{}")):
        found = sample.decode(body)
        assert (found.events.height, list(found.refusals)) == (0, [])


def nested(depth):
    value = "deep"
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("wrap", [lambda value: {"a": value}, lambda value: [value]])
@pytest.mark.parametrize(
    ("depth", "place"), [(31, None), (33, "log record 1"), (63, "log record 1"), (70, "body")]
)
def test_what_is_too_deep_is_refused_by_itself_where_it_can_be(depth, place, wrap):
    value = "deep"
    for _ in range(depth):
        value = wrap(value)
    request = logs_request(2)
    put(request.resource_logs[0].scope_logs[0].log_records[0].attributes, {"x": value})
    found = decoded(request)
    assert [(r.place, r.reason) for r in found.refusals] == ([(place, "too_deep")] if place else [])
    assert found.events.height == {None: 2, "body": 0}.get(place, 1)


def test_protobuf_that_nests_without_end_is_refused():
    value = b""
    for _ in range(20_000):
        value = (
            b"\x2a"
            + varint(len(value) + 1 + len(varint(len(value))))
            + (b"\x0a" + varint(len(value)) + value)
        )
    field = b"\x0a\x01x\x12" + varint(len(value)) + value
    record = b"\x32" + varint(len(field)) + field
    for number in (2, 2, 1):
        record = bytes([number << 3 | 2]) + varint(len(record)) + record
    assert [(r.place, r.reason) for r in LOGS.decode(record).refusals] == [("body", "too_deep")]


def varint(number):
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def test_a_body_of_too_many_records_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(bounds, "ITEMS_MAX", 10_000)
    records = b"\x12\x00" * 600_000
    for number in (2, 1):
        records = bytes([number << 3 | 2]) + varint(len(records)) + records
    assert [(r.place, r.reason) for r in LOGS.decode(records).refusals] == [("body", "too_many")]
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * 600_000 + b"{}]}]}]}"
    assert [(r.place, r.reason) for r in LOGS_IN_JSON.decode(body).refusals] == [
        ("body", "too_many")
    ]


@pytest.mark.parametrize(
    ("attributes", "limits", "reason"),
    [
        ({f"k{i}": 1 for i in range(12)}, Limits(keys_max=10), "too_many_keys"),
        ({"x" * 300: 1}, Limits(), "name_too_long"),
    ],
)
def test_records_past_a_bound_are_refused_alone(attributes, limits, reason):
    request = logs_request(2)
    put(request.resource_logs[0].scope_logs[0].log_records[1].attributes, attributes)
    found = replace(LOGS, limits=limits).decode(request.SerializeToString())
    assert [(r.place, r.reason) for r in found.refusals] == [("log record 2", reason)]
    assert found.events["number"].to_list() == [0]


def test_a_resource_past_a_bound_costs_all_its_records():
    request = logs_request(2)
    request.resource_logs.add().scope_logs.add().log_records.add()
    put(request.resource_logs[0].resource.attributes, {"x" * 300: 1})
    found = decoded(request)
    assert [r.place for r in found.refusals] == ["log record 1", "log record 2"]
    assert found.events.height == 1


def test_a_large_event_is_cut():
    event = one(x="y" * 100_000)
    assert len(event["x"]) < 32 * 1024
    assert event["original_bytes"] > 100_000


def test_hundreds_of_attributes_come_through():
    request = logs_request(1, **{f"k{number}": number for number in range(900)})
    event = decoded(request).events.row(0, named=True)
    assert sum(name.startswith("k") for name in event) <= 500
    assert len(json.loads(event["_overflow"])) >= 400


def test_nothing_rejected_is_an_empty_answer_in_the_same_form():
    reply = OtlpIntake().reply(Receipt(stored=5), asked())
    assert (reply.status, reply.body, reply.content_type) == (200, b"", PROTOBUF)
    reply = OtlpIntake().reply(Receipt(stored=5), asked("application/json; charset=utf-8"))
    assert (reply.status, reply.body, reply.content_type) == (200, b"{}", JSON)


def test_rejected_records_are_a_partial_success():
    receipt = Receipt(
        stored=5, rejected=2, errors=(Refusal("log record 3", "it is too deep", "too_deep"),)
    )
    reply = OtlpIntake().reply(receipt, asked())
    partial = ExportLogsServiceResponse.FromString(reply.body).partial_success
    assert reply.status == 200
    assert partial.rejected_log_records == 2
    assert partial.error_message == "log record 3: it is too deep"
    assert json.loads(OtlpIntake().reply(receipt, asked(JSON)).body) == {
        "partialSuccess": {
            "rejectedLogRecords": "2",
            "errorMessage": "log record 3: it is too deep",
        }
    }


@pytest.mark.parametrize(("reason", "status"), [("bad_protobuf", 400), ("bad_type", 415)])
def test_what_is_no_request_is_answered_with_a_status(reason, status):
    receipt = Receipt(rejected=1, errors=(Refusal("body", "it is broken", reason),))
    reply = OtlpIntake().reply(receipt, asked())
    assert (reply.status, status_of(reply)) == (status, (3, "it is broken"))
    reply = OtlpIntake().reply(receipt, asked(JSON))
    assert json.loads(reply.body) == {"code": 3, "message": "it is broken"}


@pytest.mark.parametrize(
    ("refused", "code"),
    [(try_later("full", "come back"), 14), (bad_content(413, "too_large", "come back"), 8)],
)
def test_what_is_turned_away_is_answered_with_a_status(refused, code):
    reply = OtlpIntake().refusal(refused, None, asked())
    assert (reply.status, status_of(reply)) == (refused.status, (code, "come back"))
    assert reply.headers == refused.headers


def test_the_number_of_the_double_is_read_from_any_spelling_of_it():
    """A value's fields may come in any order and more than once; the last counts."""
    value = b"\x0a\x01x" + b"\x21" + struct.pack("<d", 2.5)
    field = b"\x12" + varint(len(value)) + value + b"\x0a\x01k"
    record = b"\x32" + varint(len(field)) + field
    for number in (2, 2, 1):
        record = bytes([number << 3 | 2]) + varint(len(record)) + record
    assert LOGS.decode(record).events["k"].to_list() == [2.5]
