"""Requests of many records, the same for the same seed."""

import random

from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.store.collector.intake.samples.otlp import AT, any_value, put

HEIGHT = 70
VALUES = {
    "text": lambda chance: chance.choice(["", "a", "é" * 9, "x" * 40, "00"]),
    "whole": lambda chance: chance.choice([0, 1, -1, 2**63 - 1, -(2**63), chance.randrange(10**6)]),
    "float": lambda chance: chance.choice([0.0, -0.0, 1.5, float("inf"), chance.random()]),
    "bool": lambda chance: chance.random() < 0.5,
    "bytes": lambda chance: chance.randbytes(3),
    "list": lambda chance: [1, "a", None is None],
    "any": lambda chance: chance.choice(["a", 1, True, 2.5, b"\x00", [1]]),
}
# name -> (kind, the share of records that have it)
SHAPES = st.dictionaries(
    st.sampled_from(
        [
            "a",
            "b.c",
            "http.route",
            "user.id",
            "session.id",
            "event_id",
            "trace_id",
            "exception.message",
        ]
    ),
    st.tuples(st.sampled_from(sorted(VALUES)), st.sampled_from([1.0, 1.0, 0.6])),
    max_size=5,
)


def fill(chance, attributes, shape):
    found = {}
    for name, (kind, share) in shape.items():
        if chance.random() < share:
            found[name] = VALUES[kind](chance)
    names = list(found)
    if chance.random() < 0.3:
        chance.shuffle(names)
    put(attributes, {name: found[name] for name in names})


def maybe(chance, value, nothing=0):
    return value if chance.random() < 0.7 else nothing


def resources(chance, holders):
    for number in range(chance.choice([1, 3])):
        holder = holders.add(schema_url=maybe(chance, "https://example.org", ""))
        put(holder.resource.attributes, {"service.name": f"shop{number}", "host.n": number})
        yield holder


def logs(seed, shape):
    chance, request = random.Random(seed), ExportLogsServiceRequest()
    same_body = chance.random() < 0.5
    for resource in resources(chance, request.resource_logs):
        scope = resource.scope_logs.add()
        scope.scope.name = "cart"
        for number in range(HEIGHT):
            record = scope.log_records.add(
                time_unix_nano=maybe(chance, AT + number),
                observed_time_unix_nano=maybe(chance, AT + number),
                severity_number=chance.choice([0, 9, 17]),
                severity_text=maybe(chance, "INFO", ""),
                event_name=chance.choice(["", "paid"]) if seed % 2 else "",
                flags=chance.choice([0, 1]),
                dropped_attributes_count=chance.choice([0, 300]),
                trace_id=maybe(chance, chance.randbytes(16), b""),
                span_id=chance.choice([bytes(8), chance.randbytes(8)]),
            )
            body = VALUES["text" if same_body else "any"](chance)
            if chance.random() < 0.9:
                any_value(record.body, body)
            fill(chance, record.attributes, shape)
    return request


def spans(seed, shape):
    chance, request = random.Random(seed), ExportTraceServiceRequest()
    for resource in resources(chance, request.resource_spans):
        scope = resource.scope_spans.add()
        for number in range(HEIGHT):
            span = scope.spans.add(
                name=chance.choice(["", "GET /", "pay"]),
                kind=chance.randrange(6),
                trace_id=chance.randbytes(16),
                span_id=chance.randbytes(8),
                parent_span_id=maybe(chance, chance.randbytes(8), b""),
                trace_state=maybe(chance, "", "a=b"),
                start_time_unix_nano=maybe(chance, AT + number),
                end_time_unix_nano=AT + number * 1_000_003,
                flags=chance.choice([0, 257]),
                dropped_events_count=chance.choice([0, 2]),
            )
            fill(chance, span.attributes, shape)
            if chance.random() < 0.5:
                span.status.code = chance.randrange(3)
                span.status.message = maybe(chance, "it failed", "")
            for _ in range(chance.choice([0, 0, 0, 1, 3]) if seed % 2 else 0):
                event = span.events.add(
                    name=chance.choice(["", "exception", "retry"]),
                    time_unix_nano=maybe(chance, AT + number + 5),
                )
                fill(chance, event.attributes, shape)
            if chance.random() < 0.1:
                link = span.links.add(trace_id=chance.randbytes(16), span_id=chance.randbytes(8))
                put(link.attributes, {"why": "retry"})
    return request


def points(seed, shape):
    chance, request = random.Random(seed), ExportMetricsServiceRequest()
    for resource in resources(chance, request.resource_metrics):
        scope = resource.scope_metrics.add()
        for number in range(3):
            metric = scope.metrics.add(name=f"m{number}", unit=maybe(chance, "1", ""))
            data = metric.gauge
            if number:
                data = metric.sum
                data.is_monotonic = number == 1
                data.aggregation_temporality = chance.choice([1, 2])
            for place in range(HEIGHT // 3):
                value = {"as_int": place} if seed % 2 else {"as_double": place / 3}
                point = data.data_points.add(
                    start_time_unix_nano=maybe(chance, AT), time_unix_nano=AT + place, **value
                )
                fill(chance, point.attributes, shape)
                if chance.random() < 0.1:
                    point.exemplars.add(as_double=1.5, span_id=chance.randbytes(8))
    return request


MAKERS = {"logs": logs, "traces": spans, "metrics": points}
