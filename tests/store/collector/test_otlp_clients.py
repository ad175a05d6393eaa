"""OpenTelemetry's own SDK, unmodified, against a collector; what it sent is read back."""

import gzip
import json
import signal
import threading
import time

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode, set_span_in_context

from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from tests.collecting import Collecting, collecting, settings
from tests.store.collector.intake.samples.otlp import LOGS_JSON, PROTOBUF, logs_request

AT = 1_763_800_000_123_456_000
RESOURCE = Resource({"service.name": "shop", "service.version": "1.2", "pod": "web-1"})
EXPORTERS = {
    "http": {
        "logs": http_logs.OTLPLogExporter,
        "traces": http_traces.OTLPSpanExporter,
        "metrics": http_metrics.OTLPMetricExporter,
    },
    "grpc": {
        "logs": grpc_logs.OTLPLogExporter,
        "traces": grpc_traces.OTLPSpanExporter,
        "metrics": grpc_metrics.OTLPMetricExporter,
    },
}
COMPRESSIONS = {"http": Compression, "grpc": grpc.Compression}


def stored(store, *columns):
    """The rows in the store, in the order of their times."""
    parts = Catalog(StoreFolder.open(store)).snapshot().parts
    return scan(parts, list(columns), None).sort("event_time").select(columns).collect()


@pytest.fixture
def running(tmp_path):
    with collecting(settings(tmp_path / "store", grpc_port=0)) as collector:
        yield collector


@pytest.fixture(params=EXPORTERS)
def transport(request):
    return request.param


def exporter_to(collector, transport, signal, compression=None, **options):
    """The SDK's exporter of a signal; `compression` is one of its transport's."""
    compression = compression or COMPRESSIONS[transport].Gzip
    exporter = EXPORTERS[transport][signal]
    if transport == "grpc":
        return exporter(collector.grpc, insecure=True, compression=compression, **options)
    url = f"http://127.0.0.1:{collector.port}/v1/{signal}"
    return exporter(url, compression=compression, **options)


def logs_to(collector, transport, processor=SimpleLogRecordProcessor, compression=None, **options):
    exporter = exporter_to(collector, transport, "logs", compression, **options)
    provider = LoggerProvider(RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(processor(exporter))
    return provider


@pytest.mark.parametrize(
    ("transport", "compression"),
    [(transport, each) for transport, kinds in COMPRESSIONS.items() for each in kinds],
)
def test_logs_of_the_sdk_are_stored_attribute_by_attribute(running, transport, compression):
    provider = logs_to(running, transport, compression=compression)
    attributes = {"n": 5, "rate": 0.5, "ok": True, "tags": ["a", "b"], "nested": {"k": b"\x01"}}
    provider.get_logger("cart", "2.0").emit(
        LogRecord(
            timestamp=AT,
            observed_timestamp=AT + 5,
            severity_number=SeverityNumber.WARN2,
            severity_text="careful",
            body="almost empty",
            event_name="cart.low",
            attributes=attributes,
        )
    )
    provider.shutdown()
    columns = (
        *("event_time", "event_type", "event_name", "severity", "severity_text", "message"),
        *("service_name", "service_version", "pod", "otel.scope.name", "otel.scope.version"),
        *("n", "rate", "ok", "tags", "nested.k", "observed_time_unix_nano", "source"),
    )
    event = stored(running.settings.store, *columns).row(0)
    assert event[1:] == (
        *("log", "cart.low", 14, "careful", "almost empty"),
        *("shop", "1.2", "web-1", "cart", "2.0"),
        *(5, 0.5, True, '["a","b"]', "AQ==", AT + 5, "otlp"),
    )
    assert event[0].microsecond == 123456


def test_spans_of_the_sdk_are_stored_attribute_by_attribute(running, transport):
    exporter = exporter_to(running, transport, "traces")
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("cart", "2.0")
    parent = tracer.start_span("GET /cart", kind=SpanKind.SERVER, start_time=AT)
    child = tracer.start_span(
        "pay",
        set_span_in_context(parent),
        SpanKind.CLIENT,
        {"amount": 9.5, "items": [1, 2]},
        [Link(parent.get_span_context(), {"why": "retry"})],
        start_time=AT + 1_000_000,
    )
    child.add_event("declined", {"code": 51}, AT + 2_000_000)
    child.set_status(StatusCode.ERROR, "no money")
    child.end(AT + 3_500_000)
    parent.end(AT + 5_000_000)
    provider.shutdown()
    trace_id = f"{parent.get_span_context().trace_id:032x}"
    ids = [f"{span.get_span_context().span_id:016x}" for span in (parent, child)]
    columns = (
        *("event_type", "event_name", "trace_id", "span_id", "parent_span_id", "duration_ms"),
        *("span.kind", "otel.status_code", "severity_text", "message", "service_name", "pod"),
        *("otel.scope.name", "amount", "items", "code"),
    )
    whose = ("shop", "web-1", "cart")
    rows = stored(running.settings.store, "event_time", *columns).drop("event_time").rows()
    assert rows == [
        (
            *("span", "GET /cart", trace_id, ids[0], None, 5.0, "server", None, None, None),
            *(*whose, None, None, None),
        ),
        (
            *("span", "pay", trace_id, ids[1], ids[0], 2.5, "client", "ERROR", "error"),
            *("no money", *whose, 9.5, "[1,2]", None),
        ),
        ("span_event", "declined", trace_id, ids[1], *[None] * 6, *whose, None, None, 51),
    ]
    linked = json.loads(stored(running.settings.store, "event_time", "links")["links"][1])
    assert [(link["trace_id"], link["span_id"], link["attributes"]) for link in linked] == [
        (trace_id, ids[0], {"why": "retry"})
    ]


def test_metrics_of_the_sdk_are_stored_point_by_point(running, transport):
    temporality = {Histogram: AggregationTemporality.DELTA}
    exporter = exporter_to(running, transport, "metrics", preferred_temporality=temporality)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)
    provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    meter = provider.get_meter("cart", "2.0")
    meter.create_counter("requests", "{request}").add(3, {"route": "/cart"})
    meter.create_up_down_counter("open").add(-2)
    meter.create_gauge("load", "1", "how busy it is").set(0.5)
    meter.create_histogram("times", "ms", explicit_bucket_boundaries_advisory=[5, 10]).record(7)
    reader.force_flush()
    meter.create_counter("requests", "{request}").add(4, {"route": "/cart"})
    reader.force_flush()
    provider.shutdown()
    columns = (
        *("event_type", "event_name", "value", "unit", "metric_kind", "metric_temporality"),
        *("metric_is_monotonic", "metric_count", "metric_sum", "metric_bucket_counts"),
        *("metric_explicit_bounds", "service_name", "otel.scope.name", "route"),
    )
    rows = stored(running.settings.store, "event_time", "metric_stream", *columns)
    whose = ("shop", "cart")
    first = {row[1]: row for row in rows.select(columns).rows()[:4]}
    counter = ("metric", "requests", 3.0, "{request}", "counter", "cumulative", True)
    assert first == {
        "requests": (*counter, *[None] * 4, *whose, "/cart"),
        "open": (
            *("metric", "open", -2.0, None, "gauge", "cumulative", False),
            *(*[None] * 4, *whose, None),
        ),
        "load": ("metric", "load", 0.5, "1", "gauge", *[None] * 6, *whose, None),
        "times": (
            *("metric", "times", None, "ms", "histogram", "delta", None, 1, 7.0),
            *("[0,1,0]", "[5.0,10.0]", *whose, None),
        ),
    }
    requests = rows.filter(event_name="requests")
    assert requests["value"].to_list()[:2] == [3.0, 7.0]
    assert requests["metric_stream"].n_unique() == 1


def test_what_the_sdk_still_has_when_the_collector_is_killed_arrives_after_it_is_back(
    tmp_path, transport
):
    config = settings(tmp_path / "store", grpc_port=0)
    first = Collecting(config)
    provider = logs_to(first, transport, BatchLogRecordProcessor, timeout=60)
    logger = provider.get_logger("cart")

    def emit(numbers):
        for number in numbers:
            logger.emit(LogRecord(timestamp=AT + number * 1000, body=f"line {number}"))

    emit(range(600))
    provider.force_flush()
    first.stop(signal.SIGKILL)
    emit(range(600, 1200))
    flushing = threading.Thread(target=provider.force_flush)
    flushing.start()
    time.sleep(0.5)
    grpc_port = int(first.grpc.rpartition(":")[2])
    again = settings(tmp_path / "store", port=first.port, grpc_port=grpc_port)
    with collecting(again):
        flushing.join(60)
        provider.shutdown()
    lines = stored(config.store, "event_time", "message")["message"].to_list()
    assert sorted(set(lines)) == sorted(f"line {number}" for number in range(1200))


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", PROTOBUF, 200),
        (b"{}", "application/json", 200),
        (b"\xff", PROTOBUF, 400),
        (b"{", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (gzip.compress(bytes(65 * 1024 * 1024)), PROTOBUF, 413),
    ],
    # A packed body has the time in it: its name would be another in each process of a run.
    ids=["nothing", "no records", "no protobuf", "no json", "text", "no type", "bomb"],
)
def test_each_request_gets_the_status_of_the_protocol(collector, body, content_type, status):
    headers = {"Content-Type": content_type} if content_type else {}
    if body.startswith(b"\x1f\x8b"):
        headers["Content-Encoding"] = "gzip"
    answer = collector.ask("POST", "/v1/logs", body, headers)
    assert answer.status == status
    as_json = content_type == "application/json"
    assert answer.headers["content-type"] == ("application/json" if as_json else PROTOBUF)
    if status == 200:
        assert answer.body == (b"{}" if as_json else b"")


def test_a_collector_without_room_says_when_to_come_back(tmp_path):
    with collecting(settings(tmp_path / "store", bodies_bytes_max=1000)) as collector:
        body = logs_request(100).SerializeToString()
        answer = collector.ask("POST", "/v1/logs", body, {"Content-Type": PROTOBUF})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == PROTOBUF


def test_rejected_records_and_requests_are_in_the_tally(running):
    deep = {"kvlistValue": {"values": []}}
    for _ in range(40):
        deep = {"arrayValue": {"values": [deep]}}
    document = json.loads(json.dumps(LOGS_JSON))
    records = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    records.append({"attributes": [{"key": "x", "value": deep}]})
    headers = {"Content-Type": "application/json"}
    answer = running.ask("POST", "/v1/logs", json.dumps(document).encode(), headers)
    assert answer.status == 200
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"
    running.ask("POST", "/v1/logs", b"{", headers)
    tally = running.get("/v1/tally")
    assert (tally["received"], tally["stored"], tally["rejected"]) == (3, 1, 2)
    assert tally["intakes"] == {"otlp": 3}
    assert tally["reasons"] == {"rejected.bad_json": 1, "rejected.too_deep": 1}
