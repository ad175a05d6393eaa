"""Deliveries of PostHog's protocols, packed in all the ways of its clients."""

import base64
import gzip
import json
from urllib.parse import urlencode

from tests.store.collector.intake.samples.sample import Sample

PAGEVIEW = {
    "event": "$pageview",
    "uuid": "0192f3c1-0000-7000-8000-000000000001",
    "offset": 1500,
    "properties": {
        "distinct_id": "device-1",
        "$device_id": "device-1",
        "$session_id": "session-1",
        "$current_url": "https://shop.example/",
        "token": "phc_secret",
        "$set": {"plan": "pro"},
    },
}
CAPTURED = {
    "event": "order completed",
    "uuid": "0192f3c1-0000-7000-8000-000000000002",
    "distinct_id": "ada",
    "timestamp": "2026-11-22T14:03:20.123456+00:00",
    "properties": {"price": 9.5, "$lib": "posthog-python", "$groups": {"company": "acme"}},
}
IDENTIFIED = {
    "event": "$identify",
    "uuid": "0192f3c1-0000-7000-8000-000000000003",
    "distinct_id": "ada",
    "properties": {"$anon_distinct_id": "device-1", "$device_id": "device-1"},
    "$set": {"email": "ada@example.org"},
}
ALIASED = {
    "event": "$create_alias",
    "uuid": "0192f3c1-0000-7000-8000-000000000004",
    "distinct_id": "device-2",
    "properties": {"distinct_id": "device-2", "alias": "ada"},
}
RAISED = {
    "event": "$exception",
    "uuid": "0192f3c1-0000-7000-8000-000000000005",
    "distinct_id": "ada",
    "properties": {"$exception_list": [{"type": "ValueError", "value": "no money"}]},
}
EVENTS = (PAGEVIEW, CAPTURED, IDENTIFIED, ALIASED, RAISED)
BATCH = {"api_key": "phc_secret", "batch": EVENTS, "sentAt": "2026-11-22T14:03:27Z"}
V1_EVENT = {
    "event": "order completed",
    "uuid": "0192f3c1-0000-7000-8000-000000000006",
    "distinct_id": "ada",
    "timestamp": "2026-11-22T14:03:20.123456+00:00",
    "session_id": "session-1",
    "options": {"process_person_profile": True},
    "properties": {"price": 9.5},
}
BATCHES = ("/batch", "/track", "/i/v0/ai/batch")
FORM = "application/x-www-form-urlencoded"


def packed(value):
    return json.dumps(value).encode()


def sample(name, path, body, events=1, **rest):
    return Sample(
        name=f"posthog {name}", intake="posthog", path=path, body=body, events=events, **rest
    )


SAMPLES = (
    *(
        sample(f"batch at {path}", path, packed(BATCH), 5, is_twin=path != "/batch/")
        for path in (*BATCHES, *(f"{path}/" for path in BATCHES))
    ),
    *(
        sample(
            f"event at {path}",
            path,
            packed({**CAPTURED, "api_key": "phc_secret"}),
            is_twin=path != "/capture/",
        )
        for path in ("/capture", "/capture/", "/i/v0/e", "/e")
    ),
    sample("array", "/e/", packed(EVENTS), 5, parameters={"_": "1763820207000"}),
    sample(
        "gzip-js",
        "/i/v0/e/",
        gzip.compress(packed(EVENTS)),
        5,
        content_type="text/plain",
        parameters={"compression": "gzip-js", "ver": "1.2"},
    ),
    sample("base64", "/e/", base64.b64encode(packed(EVENTS)), 5, content_type="text/plain"),
    sample(
        "base64 in a form",
        "/e/",
        urlencode({"data": base64.b64encode(packed(PAGEVIEW))}).encode(),
        content_type=FORM,
        parameters={"compression": "base64"},
    ),
    sample(
        "gzip in a form",
        "/e/",
        urlencode(
            {"data": base64.b64encode(gzip.compress(packed(PAGEVIEW))), "compression": "gzip-js"}
        ).encode(),
        content_type=FORM,
    ),
    *(
        sample(
            f"v1 at {path}",
            path,
            packed({"created_at": "2026-11-22T14:03:20Z", "batch": [V1_EVENT]}),
            is_twin=path.endswith("/"),
            headers={
                "authorization": "Bearer phc_secret",
                "posthog-sdk-info": "posthog-python/7.91.1",
                "posthog-request-id": "r",
                "posthog-attempt": "1",
                "posthog-request-timestamp": "2026-11-22T14:03:27Z",
            },
        )
        for path in ("/i/v1/analytics/events", "/i/v1/analytics/events/")
    ),
)
