"""Deliveries of Datadog's protocol: an array, one object, lines of text."""

import json

from tests.store.collector.intake.samples.sample import Sample

LOG = {
    "message": "no money",
    "ddsource": "python",
    "ddtags": "env:prod,version:1.2,team:a,team:b,new",
    "hostname": "web-1",
    "service": "shop",
    "status": "Error",
    "timestamp": 1763800000123,
    "dd": {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "67667974448284343"},
    "usr": {"id": "ada", "plan": "pro"},
    "duration": 12_500_000,
    "http": {"status_code": 500},
}
KEY = {"dd-api-key": "0123456789abcdef0123456789abcdef"}

SAMPLES = (
    Sample(
        name="datadog array",
        intake="datadog",
        path="/api/v2/logs",
        headers=KEY,
        parameters={"ddtags": "env:test", "service": "bank"},
        body=json.dumps([LOG, {"message": "hello", "level": 4}]).encode(),
        events=2,
        status=202,
    ),
    Sample(
        name="datadog object",
        intake="datadog",
        path="/api/v2/logs/",
        headers=KEY,
        body=json.dumps(LOG).encode(),
        events=1,
        status=202,
    ),
    Sample(
        name="datadog text",
        intake="datadog",
        path="/api/v2/logs",
        content_type="text/plain",
        headers=KEY,
        body=b"one\n\ntwo\r\nthree",
        events=3,
        status=202,
        whole=False,
    ),
)
