"""Deliveries of Honeycomb's protocol, as libhoney and the beelines write them."""

import json

from tests.store.collector.intake.samples.sample import Sample

SPAN = {
    "time": "2026-11-22T13:59:58.123456Z",
    "samplerate": 4,
    "data": {
        "name": "GET /cart",
        "service.name": "shop",
        "service_version": "1.2",
        "trace.trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "trace.span_id": "00f067aa0ba902b7",
        "trace.parent_id": "53995c3f42cd8ad8",
        "duration_ms": 12.5,
        "user.id": "ada",
        "http.status": 500,
        "error": True,
        "tags": ["a", "b"],
    },
}
LOG = {"data": {"message": "almost empty", "n": 1, "nested": {"k": 1.5}}}

SAMPLES = (
    Sample(
        name="honeycomb batch",
        intake="honeycomb",
        path="/1/batch/shop",
        headers={"x-honeycomb-team": "hcaik_01secret"},
        body=json.dumps([SPAN, LOG]).encode(),
        events=2,
        whole=False,
    ),
    Sample(
        name="honeycomb event",
        intake="honeycomb",
        path="/1/events/my shop",
        headers={
            "x-honeycomb-team": "hcaik_01secret",
            "x-honeycomb-event-time": "2026-11-22T13:59:58Z",
            "x-honeycomb-samplerate": "10",
        },
        body=json.dumps(SPAN["data"]).encode(),
        events=1,
    ),
)
