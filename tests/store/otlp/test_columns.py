"""Requests read as columns hold what they hold when they are read record by record."""

import random

import polars as pl
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from polars.testing import assert_frame_equal

from store.normalise.json_text import NotTakenError
from store.otlp import columnar, wire
from store.otlp.requests import PROTOBUF, SIGNALS, _found, _groups, _in_columns
from store.otlp.wire import UnusualError
from store.settings import Limits
from tests.store.collector.intake.samples.otlp import AT, any_value, put
from tests.store.otlp.making import MAKERS, SHAPES, logs


def both_ways(name, request):
    """(read as columns, read record by record); UnusualError where only the latter can."""
    signal, body = SIGNALS[name], request.SerializeToString()
    groups = _groups(signal, signal.outer.FromString(body), PROTOBUF)
    patient = _found(signal, signal.protobuf.FromString(body), PROTOBUF).raw(Limits())
    return signal.columns(groups, Limits()).raw, patient


def same(name, request):
    columns, patient = both_ways(name, request)
    assert (columns.where, list(columns.numbers)) == (patient.where, list(patient.numbers))
    assert_same(columns.frame, patient.frame)


def assert_same(*frames):
    """But for columns without a value."""
    told = ([values for values in frame if values.null_count() < len(values)] for frame in frames)
    by_name = (sorted(columns, key=lambda values: values.name) for columns in told)
    assert_frame_equal(*map(pl.DataFrame, by_name))


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), shape=SHAPES)
def test_both_ways_give_the_same_rows(name, seed, shape):
    try:
        same(name, MAKERS[name](seed, shape))
    except UnusualError:
        assert (
            {kind for kind, _ in shape.values()} & {"list", "any"}
            or {
                "event_id",
                "trace_id",
                "exception.message",
            }
            & shape.keys()
            or any(share < 1 for _, share in shape.values())
        ), shape


@pytest.mark.parametrize("name", MAKERS)
def test_what_senders_write_is_read_as_columns(name):
    shape = {"a": ("text", 1.0), "http.route": ("text", 0.6), "b.c": ("whole", 1.0)}
    for seed in range(4):
        same(name, MAKERS[name](seed, shape))


def unusual(request, name="logs"):
    with pytest.raises(UnusualError):
        both_ways(name, request)


def record_of(request):
    return request.resource_logs[0].scope_logs[0].log_records[5]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: put(record.attributes, {"a": 1}),
        lambda record: put(record.attributes, {"deep": {"a": 1}}),
        lambda record: put(record.attributes, {"": 1}),
        lambda record: put(record.attributes, {f"k{n}": n for n in range(600)}),
        lambda record: put(record.attributes, {"host.n": 1}),
        lambda record: put(record.attributes, {"trace_flags": "x"}),
        lambda record: any_value(record.body, {"a": 1}),
        lambda record: setattr(record, "severity_number", -1),
        lambda record: setattr(record, "trace_id", b"\x01"),
    ],
)
def test_what_needs_a_closer_look_gets_one(spoil):
    request = logs(1, {"a": ("whole", 1.0)})
    spoil(record_of(request))
    unusual(request)


def test_a_field_that_stands_twice_is_left_to_protobuf():
    bodies = [
        record.SerializeToString()
        for record in logs(1, {}).resource_logs[0].scope_logs[0].log_records
    ]
    bodies[3] += b"\x10\x09\x10\x0a"
    with pytest.raises(UnusualError):
        SIGNALS["logs"].columns([({}, bodies)], Limits())


@pytest.mark.parametrize(
    "tail",
    [
        b"\x0a",
        b"\x0a\x05",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x08" + b"\xff" * 11,
        b"\x09\x01",
        b"\x0b\x0c",
        b"\x0f",
        b"\x00",
        b"\x02\x00",
        b"\xff",
    ],
)
def test_what_is_no_protobuf_is_told(tail):
    with pytest.raises(UnusualError):
        wire.fields(wire.Messages.of([b"\x10\x01", b"\x10\x01" + tail]))
    with pytest.raises(UnusualError):
        wire.fields(wire.Messages.of([tail]))


def test_fields_are_counted_before_they_take_memory(monkeypatch):
    with pytest.raises(UnusualError):
        wire.fields(wire.Messages.of([b"\x10\x01" * (wire.STEPS_MAX + 2)]))
    monkeypatch.setattr(wire, "FIELDS_MAX", 10)
    with pytest.raises(UnusualError):
        wire.fields(wire.Messages.of([b"\x10\x01"] * 11))


def test_of_few_records_none_is_read_as_columns():
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for _ in range(columnar.RECORDS_MIN - 1):
        scope.log_records.add(time_unix_nano=AT)
    unusual(request)
    scope.log_records.add(time_unix_nano=AT)
    same("logs", request)


def outcome(read):
    try:
        return read().frame
    except (DecodeError, UnicodeDecodeError, NotTakenError):
        return None


@pytest.mark.parametrize("name", MAKERS)
def test_spoiled_bytes_read_as_columns_say_nothing_else(name):
    signal, chance = SIGNALS[name], random.Random(name)
    shape = {"a": ("text", 1.0), "b.c": ("whole", 0.8), "user.id": ("float", 1.0)}
    good = MAKERS[name](2, shape).SerializeToString()
    as_columns = 0
    for _ in range(60):
        spoiled = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            spoiled[chance.randrange(200, len(good))] = chance.choice([0, 1, 0x0A, 127, 128, 255])
        body = bytes(spoiled)
        try:
            columns = outcome(lambda body=body: _in_columns(signal, body, Limits()))
        except UnusualError:
            continue
        as_columns += 1
        patient = outcome(
            lambda body=body: _found(signal, signal.protobuf.FromString(body), PROTOBUF).raw(
                Limits()
            )
        )
        assert (columns is None) == (patient is None)
        if columns is not None:
            assert_same(columns, patient)
    assert as_columns > 5


RECORD = {
    "logs": lambda request: request.resource_logs[0].scope_logs[0].log_records[3],
    "traces": lambda request: request.resource_spans[0].scope_spans[0].spans[3],
    "metrics": lambda request: (
        request.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points[3]
    ),
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("value", ["x" * 40_000, b"\x00" * 30_000, [-1] * 3_000])
def test_an_event_that_is_too_large_is_never_thought_small(name, value):
    request = MAKERS[name](2, {"a": ("text", 1.0)})
    put(RECORD[name](request).attributes, {"long": value})
    if name == "metrics" and type(value) is list:  # a point's stream is known by its attributes
        unusual(request, name)
        return
    columns, patient = both_ways(name, request)
    assert not columns.is_small
    assert_same(columns.frame, patient.frame)
