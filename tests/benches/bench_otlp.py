"""OTLP over HTTP, durable, against a bare loop over the same bytes.

    python -m tests.benches.bench_otlp [RECORDS]

A collector process takes protobuf requests of 512 logs, spans or points with 8 attributes each
from 8 connections. The peer parses the same bytes with upb and walks the attributes in plain
Python, and does nothing else. Both run in turn, three times; the middle ratio counts. Then what
decoding alone takes.
"""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from store.event import EventIds
from store.normalise import Arrival
from store.otlp import SIGNALS, decode_otlp, decode_together
from store.settings import Limits
from tests.benches.bench_intake import COLLECTOR, ROOT, cpu_seconds, read_bodies

BATCH = 512
CONNECTIONS = 8
ROUNDS = 3
AT = 1_763_800_000_000_000_000


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    made = {}
    for name, (make, walked) in SIGNAL.items():
        chance = random.Random(1)
        requests = [make(chance, number * BATCH) for number in range(records // BATCH)]
        against(name, requests, walked)
        made[name] = requests[:100]
    for name, requests in made.items():
        decoding(name, requests, SIGNAL[name][1])


def against(name: str, requests: list[bytes], walked) -> None:
    """The collector and the bare loop, in turn."""
    ratios = []
    with tempfile.TemporaryDirectory() as scratch:
        bodies = Path(scratch, "bodies")
        with bodies.open("wb") as file:
            for body in requests:
                file.write(len(body).to_bytes(4, "little") + body)
        for turn in range(ROUNDS):
            seconds, work = collected(Path(scratch, f"store-{turn}"), bodies, name)
            bare = timed(lambda: [walked(body) for body in requests])
            ratios.append(bare / seconds)
            print(
                f"{name:8} collector {rate(requests, seconds)}, {work:.2f} s of CPU   "
                f"bare loop {rate(requests, bare)}   ratio {bare / seconds:.2f}",
                flush=True,
            )
    print(f"{name:8} median ratio {statistics.median(ratios):.2f} (wanted: at least 0.8)")


def rate(requests: list[bytes], seconds: float) -> str:
    return f"{len(requests) * BATCH / seconds:9,.0f}/s"


def timed(call) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def decoding(name: str, requests: list[bytes], walked) -> None:
    """Decoding alone: one by one, and as many together as wait for a decoder at the most."""
    signal = SIGNALS[name]
    arrival = Arrival(datetime.now(UTC), "otlp", EventIds(time.time), Limits())
    rounds = [requests[at : at + CONNECTIONS] for at in range(0, len(requests), CONNECTIONS)]

    def alone() -> None:
        for body in requests:
            assert decode_otlp(signal, body, arrival, json=False).events.height == BATCH

    def together() -> None:
        for bodies in rounds:
            assert decode_together(signal, bodies, arrival) is not None

    bare = timed(lambda: [walked(body) for body in requests])
    for how, call in (("alone", alone), (f"{CONNECTIONS} together", together)):
        seconds = timed(call)
        print(f"decoding {name:8} {how:10} {rate(requests, seconds)}   ratio {bare / seconds:.2f}")


def walked_logs(body: bytes) -> int:
    """Parsed, and every attribute looked at."""
    resources = ExportLogsServiceRequest.FromString(body).resource_logs
    return sum(walked(s.log_records) for resource in resources for s in resource.scope_logs)


def walked_spans(body: bytes) -> int:
    resources = ExportTraceServiceRequest.FromString(body).resource_spans
    return sum(walked(s.spans) for resource in resources for s in resource.scope_spans)


def walked_points(body: bytes) -> int:
    resources = ExportMetricsServiceRequest.FromString(body).resource_metrics
    metrics = (m for resource in resources for s in resource.scope_metrics for m in s.metrics)
    return sum(walked(metric.sum.data_points) for metric in metrics)


def walked(records) -> int:
    count = 0
    for record in records:
        row = {}
        for attribute in record.attributes:
            value = attribute.value
            row[attribute.key] = getattr(value, value.WhichOneof("value"))
        count += len(row)
    return count


def attributes_of(chance: random.Random) -> dict[str, object]:
    return {
        "http.request.method": chance.choice(("GET", "POST")),
        "http.route": f"/shop/{chance.randrange(40)}",
        "http.response.status_code": chance.choice((200, 200, 200, 404, 500)),
        "user.id": f"user{chance.randrange(10_000)}",
        "session.id": f"s{chance.randrange(50_000)}",
        "elapsed_ms": round(chance.expovariate(0.01), 3),
        "cached": chance.random() < 0.5,
        "region": chance.choice(("eu-1", "us-1", "us-2")),
    }


FIELDS = {str: "string_value", int: "int_value", float: "double_value", bool: "bool_value"}


def put(attributes, values: dict[str, object]) -> None:
    for key, value in values.items():
        setattr(attributes.add(key=key).value, FIELDS[type(value)], value)


RESOURCE = {
    "service.name": "shop",
    "service.version": "1.4.2",
    "host.name": "web-1",
    "telemetry.sdk.language": "python",
}


def log_request(chance: random.Random, first: int) -> bytes:
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    put(resource.resource.attributes, RESOURCE)
    scope = resource.scope_logs.add()
    scope.scope.name = "shop.cart"
    for number in range(first, first + BATCH):
        record = scope.log_records.add(
            time_unix_nano=AT + number * 1_000_000,
            observed_time_unix_nano=AT + number * 1_000_000 + 300,
            severity_number=9,
            severity_text="INFO",
            trace_id=chance.randbytes(16),
            span_id=chance.randbytes(8),
        )
        record.body.string_value = f"request {number} was answered"
        put(record.attributes, attributes_of(chance))
    return request.SerializeToString()


def span_request(chance: random.Random, first: int) -> bytes:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, RESOURCE)
    scope = resource.scope_spans.add()
    for number in range(first, first + BATCH):
        at = AT + number * 1_000_000
        span = scope.spans.add(
            name="GET /shop",
            kind=2,
            trace_id=chance.randbytes(16),
            span_id=chance.randbytes(8),
            parent_span_id=chance.randbytes(8),
            start_time_unix_nano=at,
            end_time_unix_nano=at + chance.randrange(10**9),
        )
        put(span.attributes, attributes_of(chance))
    return request.SerializeToString()


def point_request(chance: random.Random, first: int) -> bytes:
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    put(resource.resource.attributes, RESOURCE)
    metric = resource.scope_metrics.add().metrics.add(name="requests", unit="1")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = 2
    for number in range(first, first + BATCH):
        point = metric.sum.data_points.add(
            start_time_unix_nano=AT, time_unix_nano=AT + number * 1_000_000, as_int=number
        )
        put(point.attributes, attributes_of(chance))
    return request.SerializeToString()


SIGNAL = {
    "logs": (log_request, walked_logs),
    "traces": (span_request, walked_spans),
    "metrics": (point_request, walked_points),
}


def collected(store: Path, bodies: Path, signal: str) -> tuple[float, float]:
    """Seconds from the first byte sent to the last answer, and seconds of CPU for it."""
    collector = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, store], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        url = collector.stdout.readline().strip()
        before = cpu_seconds(collector.pid)
        program = [sys.executable, "-m", "tests.benches.bench_otlp"]
        sender = [*program, "--send", url, str(bodies), signal]
        done = subprocess.run(sender, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        with urllib.request.urlopen(f"{url}/v1/stats") as answer:
            helper = json.load(answer)["decoder_pid"]
        work = cpu_seconds(collector.pid) - before + (cpu_seconds(helper) if helper else 0)
        with urllib.request.urlopen(f"{url}/v1/tally") as answer:
            assert json.load(answer)["stored"] == len(read_bodies(bodies)) * BATCH
    finally:
        collector.terminate()
        collector.wait()
    return float(done.stdout), work


def send_all(url: str, path: str, signal: str) -> None:
    """The load generator."""
    host, port = url.removeprefix("http://").split(":")
    head = b"POST /v1/%b HTTP/1.1\r\nHost: localhost\r\n" % signal.encode()
    head += b"Content-Type: application/x-protobuf\r\n"
    requests = [
        head + b"Content-Length: %d\r\n\r\n" % len(body) + body for body in read_bodies(Path(path))
    ]
    shares = [requests[i::CONNECTIONS] for i in range(CONNECTIONS)]
    threads = [threading.Thread(target=send, args=(host, int(port), share)) for share in shares]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(time.perf_counter() - begun)


def send(host: str, port: int, requests: list[bytes]) -> None:
    """One connection: the next request when the last one is acknowledged."""
    with socket.create_connection((host, port)) as connection:
        for request in requests:
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                answer += connection.recv(4096) or b"\r\n\r\n"
            if not answer.startswith(b"HTTP/1.1 200 "):
                os.write(2, answer)
                os._exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--send"]:
        send_all(*sys.argv[2:])
    else:
        main()
