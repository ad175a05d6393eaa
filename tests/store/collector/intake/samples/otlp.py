"""Deliveries of OpenTelemetry's protocol, and what makes them."""

import json

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.store.collector.intake.samples.sample import Sample


def any_value(message, value):
    """Sets an AnyValue to a plain value."""
    match value:
        case bool():
            message.bool_value = value
        case int():
            message.int_value = value
        case float():
            message.double_value = value
        case str():
            message.string_value = value
        case bytes():
            message.bytes_value = value
        case list():
            message.array_value.SetInParent()
            for item in value:
                any_value(message.array_value.values.add(), item)
        case dict():
            message.kvlist_value.SetInParent()
            put(message.kvlist_value.values, value)


def put(attributes, values):
    """Adds them to a list of KeyValue."""
    for key, value in values.items():
        any_value(attributes.add(key=key).value, value)


TRACE = bytes(range(16))
SPAN = bytes(range(8))
AT = 1_763_800_000_123_456_789


def logs_request(count=3, **attributes) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add(schema_url="https://example.org/1")
    put(resource.resource.attributes, {"service.name": "shop", "host.name": "web-1"})
    scope = resource.scope_logs.add()
    scope.scope.name = "cart"
    for number in range(count):
        record = scope.log_records.add(
            time_unix_nano=AT + number, severity_number=9, trace_id=TRACE, span_id=SPAN
        )
        record.body.string_value = f"line {number}"
        put(record.attributes, {"number": number, **attributes})
    return request


LOGS_JSON = {
    "resourceLogs": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeLogs": [
                {
                    "scope": {"name": "cart"},
                    "logRecords": [
                        {
                            "timeUnixNano": str(AT),
                            "traceId": TRACE.hex(),
                            "body": {"stringValue": "hello"},
                            "attributes": [{"key": "n", "value": {"intValue": "1"}}],
                        }
                    ],
                }
            ],
        }
    ]
}


def trace_request(count=2, **attributes) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, {"service.name": "shop"})
    scope = resource.scope_spans.add()
    scope.scope.name = "cart"
    for number in range(count):
        span = scope.spans.add(
            name="GET /cart",
            kind=2,
            trace_id=TRACE,
            span_id=bytes([number + 1] * 8),
            parent_span_id=SPAN,
            start_time_unix_nano=AT,
            end_time_unix_nano=AT + 1_500_000,
        )
        put(span.attributes, attributes)
    return request


def with_event(request: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    span = request.resource_spans[0].scope_spans[0].spans[0]
    event = span.events.add(name="exception", time_unix_nano=AT + 1000, dropped_attributes_count=3)
    put(event.attributes, {"exception.message": "it broke"})
    return request


TRACES_JSON = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "name": "pay",
                            "traceId": TRACE.hex(),
                            "spanId": "0102030405060708",
                            "kind": 3,
                            "startTimeUnixNano": AT,
                            "endTimeUnixNano": str(AT + 10),
                            "events": [{"name": "retry", "timeUnixNano": str(AT)}],
                            "status": {"code": 2, "message": "no money"},
                        }
                    ]
                }
            ]
        }
    ]
}


def metrics_request() -> ExportMetricsServiceRequest:
    """One point of each kind."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, {"service.name": "shop"})
    scope = resource.scope_metrics.add()
    scope.scope.name = "cart"
    common = {"time_unix_nano": AT, "start_time_unix_nano": AT - 10**9}
    gauge = scope.metrics.add(name="load", unit="1", description="how busy it is")
    gauge.gauge.data_points.add(as_double=0.5, **common)
    put(gauge.metadata, {"origin": "host"})
    total = scope.metrics.add(name="requests", unit="{request}")
    total.sum.is_monotonic = True
    total.sum.aggregation_temporality = 2
    put(total.sum.data_points.add(as_int=7, **common).attributes, {"route": "/cart"})
    times = scope.metrics.add(name="times", unit="ms")
    times.histogram.aggregation_temporality = 1
    point = times.histogram.data_points.add(count=3, sum=30, min=1, max=20, **common)
    point.explicit_bounds.extend([5, 10])
    point.bucket_counts.extend([1, 0, 2])
    exemplar = point.exemplars.add(time_unix_nano=AT, as_double=20, trace_id=TRACE, span_id=SPAN)
    put(exemplar.filtered_attributes, {"user": "ada"})
    sizes = scope.metrics.add(name="sizes", unit="By")
    sizes.exponential_histogram.aggregation_temporality = 2
    point = sizes.exponential_histogram.data_points.add(
        count=6, sum=12.5, scale=3, zero_count=1, zero_threshold=0.25, **common
    )
    point.positive.offset = -2
    point.positive.bucket_counts.extend([1, 3])
    point.negative.offset = 4
    point.negative.bucket_counts.extend([1])
    old = scope.metrics.add(name="old")
    point = old.summary.data_points.add(count=9, sum=90, **common)
    point.quantile_values.add(quantile=0.5, value=8)
    point.quantile_values.add(quantile=0.99, value=float("inf"))
    return request


METRICS_JSON = {
    "resourceMetrics": [
        {
            "scopeMetrics": [
                {
                    "metrics": [
                        {
                            "name": "requests",
                            "sum": {
                                "aggregationTemporality": 1,
                                "isMonotonic": True,
                                "dataPoints": [{"asInt": "7", "timeUnixNano": str(AT)}],
                            },
                        },
                        {
                            "name": "times",
                            "histogram": {
                                "aggregationTemporality": 2,
                                "dataPoints": [
                                    {
                                        "count": "3",
                                        "bucketCounts": ["1", 2],
                                        "explicitBounds": [5, "1e3"],
                                    }
                                ],
                            },
                        },
                    ]
                }
            ]
        }
    ]
}
PROTOBUF = "application/x-protobuf"

SAMPLES = (
    Sample(
        name="otlp logs",
        intake="otlp",
        path="/v1/logs",
        content_type=PROTOBUF,
        body=logs_request(3, deep={"a": [1, "x", {"b": b"y"}]}, rate=0.5).SerializeToString(),
        events=3,
    ),
    Sample(
        name="otlp logs json",
        intake="otlp",
        path="/v1/logs",
        content_type="application/json",
        body=json.dumps(LOGS_JSON).encode(),
        events=1,
    ),
    Sample(
        name="otlp traces",
        intake="otlp",
        path="/v1/traces",
        content_type=PROTOBUF,
        body=with_event(trace_request(2, x=[1])).SerializeToString(),
        events=3,
    ),
    Sample(
        name="otlp traces json",
        intake="otlp",
        path="/v1/traces",
        content_type="application/json",
        body=json.dumps(TRACES_JSON).encode(),
        events=2,
    ),
    Sample(
        name="otlp metrics",
        intake="otlp",
        path="/v1/metrics",
        content_type=PROTOBUF,
        body=metrics_request().SerializeToString(),
        events=5,
    ),
    Sample(
        name="otlp metrics json",
        intake="otlp",
        path="/v1/metrics",
        content_type="application/json",
        body=json.dumps(METRICS_JSON).encode(),
        events=2,
    ),
)
