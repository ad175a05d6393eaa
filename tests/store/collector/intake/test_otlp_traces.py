"""What is kept of each span, its events and its links."""

import json

import pytest

from tests.store.collector.intake.samples.otlp import (
    AT,
    SAMPLES,
    SPAN,
    TRACE,
    put,
    trace_request,
    with_event,
)

TRACES = next(sample for sample in SAMPLES if sample.name == "otlp traces")
IN_JSON = next(sample for sample in SAMPLES if sample.name == "otlp traces json")


def decoded(request):
    return TRACES.decode(request.SerializeToString())


def spans_of(request):
    return request.resource_spans[0].scope_spans[0].spans


def row(found, number=0):
    assert not found.refusals
    event = found.events.row(number, named=True)
    return {name: value for name, value in event.items() if value is not None}


def test_a_span_is_an_event_that_lasts():
    request = trace_request(1, route="/cart")
    spans_of(request)[0].trace_state = "a=1"
    spans_of(request)[0].flags = 257
    spans_of(request)[0].dropped_attributes_count = 1
    spans_of(request)[0].dropped_events_count = 2
    spans_of(request)[0].dropped_links_count = 3
    event = row(decoded(request))
    assert event["event_time"].microsecond == 123456
    del event["event_id"], event["event_time"], event["received_time"]
    assert event == {
        "event_type": "span",
        "event_name": "GET /cart",
        "duration_ms": 1.5,
        "service_name": "shop",
        "trace_id": TRACE.hex(),
        "span_id": "0101010101010101",
        "parent_span_id": SPAN.hex(),
        "source": "otlp",
        "span.kind": "server",
        "trace_state": "a=1",
        "trace_flags": 257,
        "otel.dropped_attributes_count": 1,
        "otel.dropped_events_count": 2,
        "otel.dropped_links_count": 3,
        "otel.scope.name": "cart",
        "route": "/cart",
    }


def test_what_happened_within_a_span_is_an_event_with_its_ids():
    event = row(decoded(with_event(trace_request(1))), 1)
    assert event["event_time"].microsecond == 123457
    del event["event_id"], event["event_time"], event["received_time"]
    assert event == {
        "event_type": "span_event",
        "event_name": "exception",
        "severity": 17,
        "severity_text": "error",
        "service_name": "shop",
        "trace_id": TRACE.hex(),
        "span_id": "0101010101010101",
        "message": "it broke",
        "source": "otlp",
        "otel.dropped_attributes_count": 3,
        "otel.scope.name": "cart",
        "exception.message": "it broke",
    }


def test_a_failed_span_is_an_error_that_says_why():
    event = row(IN_JSON.decode())
    assert (event["severity_text"], event["message"]) == ("error", "no money")
    assert (event["otel.status_code"], event["span.kind"]) == ("ERROR", "client")
    assert event["duration_ms"] == 0.00001


def test_a_span_that_went_well_is_of_no_severity():
    request = trace_request(1)
    spans_of(request)[0].status.code = 1
    event = row(decoded(request))
    assert event["otel.status_code"] == "OK"
    assert "severity" not in event


def test_links_are_kept_as_json():
    request = trace_request(1)
    link = spans_of(request)[0].links.add(trace_id=TRACE, span_id=SPAN, trace_state="b=2", flags=1)
    put(link.attributes, {"why": "batch", "n": float("nan")})
    spans_of(request)[0].links.add(trace_id=TRACE, span_id=SPAN, dropped_attributes_count=2)
    ids = {"trace_id": TRACE.hex(), "span_id": SPAN.hex()}
    assert json.loads(row(decoded(request))["links"]) == [
        {**ids, "trace_state": "b=2", "flags": 1, "attributes": {"why": "batch", "n": "NaN"}},
        {**ids, "dropped_attributes_count": 2},
    ]


@pytest.mark.parametrize(
    ("trace_id", "span_id"), [(b"", SPAN), (TRACE[:15], SPAN), (TRACE, bytes(8)), (bytes(16), SPAN)]
)
def test_a_span_without_right_ids_is_refused_alone_with_all_within_it(trace_id, span_id):
    request = with_event(trace_request(2))
    spans_of(request)[0].trace_id = trace_id
    spans_of(request)[0].span_id = span_id
    found = decoded(request)
    assert [(r.place, r.reason) for r in found.refusals] == [("span 1", "bad_id")]
    assert found.events["span_id"].to_list() == ["0202020202020202"]


def test_events_of_many_spans_keep_to_their_resources():
    request = with_event(trace_request(1))
    other = with_event(trace_request(2))
    other.resource_spans[0].resource.attributes[0].value.string_value = "bank"
    request.resource_spans.extend(other.resource_spans)
    events = decoded(request).events
    assert events["service_name"].to_list() == ["shop", "bank", "bank", "shop", "bank"]
    assert events["event_type"].to_list() == ["span"] * 3 + ["span_event"] * 2


def test_a_span_without_an_end_or_a_name_is_one_all_the_same():
    request = trace_request(1)
    spans_of(request)[0].end_time_unix_nano = 0
    spans_of(request)[0].name = ""
    event = row(decoded(request))
    assert event["event_name"] == "span"
    assert "duration_ms" not in event


def test_a_long_name_is_cut_and_kept_whole_beside():
    request = trace_request(1)
    spans_of(request)[0].name = "SELECT " * 100
    event = row(decoded(request))
    assert len(event["event_name"]) == 256
    assert event["otel.span.name"] == "SELECT " * 100


def test_a_span_event_without_a_time_is_at_its_spans():
    request = trace_request(1)
    spans_of(request)[0].events.add()
    events = decoded(request).events
    assert events["event_time"].n_unique() == 1
    assert events["event_name"].to_list() == ["GET /cart", "span_event"]
    assert events["event_time"].cast(int)[0] == AT // 1000
