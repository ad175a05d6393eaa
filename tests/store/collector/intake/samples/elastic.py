import json

from tests.store.collector.intake.samples.sample import Sample

DOCUMENTS = (
    {
        "@timestamp": "2026-11-22T14:00:00.123Z",
        "message": "slow",
        "log": {"level": "warn", "logger": "cart"},
        "service": {"name": "shop"},
        "n": 5,
    },
    {"@timestamp": 1763800000123, "event.action": "paid", "amount": 9.5, "tags": ["a", "b"]},
)
LINES = (
    b'{"index":{"_index":"logs-shop","_id":"1"}}',
    json.dumps(DOCUMENTS[0]).encode(),
    b'{"create":{}}',
    json.dumps(DOCUMENTS[1]).encode(),
)
BODY = b"\n".join(LINES) + b"\n"
NDJSON = "application/vnd.elasticsearch+x-ndjson; compatible-with=9"
SAMPLES = tuple(
    Sample(
        name=f"elastic {method} {path}",
        intake="elastic",
        path=path,
        method=method,
        content_type=NDJSON,
        body=BODY,
        events=2,
        whole=False,
    )
    for method in ("POST", "PUT")
    for path in ("/_bulk", "/logs-shop/_bulk")
)
