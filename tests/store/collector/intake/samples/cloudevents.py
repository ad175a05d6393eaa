import json

from tests.store.collector.intake.samples.sample import Sample

HEADERS = {
    "ce-specversion": "1.0",
    "ce-type": "com.example.order.paid",
    "ce-source": "/shop/orders",
    "ce-id": "o-1",
    "ce-time": "2026-11-22T14:00:00.5Z",
    "ce-subject": "f%C3%BCr%20ada",
}
EVENT = {
    "specversion": "1.0",
    "type": "com.example.order.paid",
    "source": "/shop/orders",
    "id": "6f2b0c1e-8d7a-4c6b-9f52-0a1b2c3d4e5f",
    "time": "2026-11-22T14:00:00.5Z",
    "datacontenttype": "application/json",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "data": {"amount": 9.5, "items": [1, 2], "user_id": "ada", "event_id": "theirs"},
}
SAMPLES = (
    Sample(
        name="cloudevents binary",
        intake="cloudevents",
        path="/v1/events",
        headers=HEADERS,
        body=b'{"amount": 9.5, "note": {"a": [1]}}',
        events=1,
        status=202,
    ),
    Sample(
        name="cloudevents structured",
        intake="cloudevents",
        path="/v1/events",
        content_type="application/cloudevents+json; charset=utf-8",
        body=json.dumps(EVENT).encode(),
        events=1,
        status=202,
    ),
    Sample(
        name="cloudevents batch",
        intake="cloudevents",
        path="/v1/events",
        content_type="application/cloudevents-batch+json",
        body=json.dumps([EVENT, EVENT | {"id": "2", "data": "text"}]).encode(),
        events=2,
        status=202,
    ),
)
