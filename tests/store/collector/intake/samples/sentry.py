"""Deliveries of Sentry's protocol: envelopes with and without the length of their items."""

import json

from tests.store.collector.intake.samples.sample import Sample

TRACE = {
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "span_id": "00f067aa0ba902b7",
    "parent_span_id": "53995c3f42cd8ad8",
    "op": "http.server",
    "status": "internal_error",
    "data": {"http.route": "/cart"},
}
EVENT = {
    "event_id": "fc6d8c0c43fc4630ad850ee518f1b9d0",
    "timestamp": 1763800000.123456,
    "platform": "python",
    "level": "error",
    "release": "shop@1.2",
    "environment": "prod",
    "user": {"id": "ada", "email": "ada@example.org"},
    "tags": {"plan": "pro"},
    "contexts": {"trace": TRACE, "runtime": {"name": "CPython", "version": "3.11"}},
    "modules": {"pip": "24"},
    "exception": {
        "values": [
            {
                "type": "ValueError",
                "value": "no money",
                "stacktrace": {"frames": [{"filename": "shop.py", "lineno": 3, "function": "pay"}]},
            }
        ]
    },
}
TRANSACTION = {
    "event_id": "fc6d8c0c43fc4630ad850ee518f1b9d1",
    "type": "transaction",
    "transaction": "GET /cart",
    "start_timestamp": 1763800000.0,
    "timestamp": "2025-11-22T08:26:40.500Z",
    "release": "shop@1.2",
    "contexts": {"trace": TRACE},
    "spans": [
        {
            "span_id": "b7ad6b7169203331",
            "trace_id": TRACE["trace_id"],
            "parent_span_id": TRACE["span_id"],
            "op": "db",
            "description": "SELECT 1",
            "start_timestamp": 1763800000.1,
            "timestamp": 1763800000.2,
            "status": "ok",
            "data": {"db.system": "sqlite"},
        }
    ],
}
LOGS = {
    "items": [
        {
            "timestamp": 1763800000.5,
            "trace_id": TRACE["trace_id"],
            "level": "warn",
            "severity_number": 13,
            "body": "almost empty",
            "attributes": {
                "n": {"value": 1, "type": "integer"},
                "sentry.release": {"value": "shop@1.2", "type": "string"},
            },
        }
    ]
}
SPANS = {
    "items": [
        {
            "trace_id": TRACE["trace_id"],
            "span_id": "b7ad6b7169203331",
            "name": "pay",
            "status": "error",
            "start_timestamp": 1763800000.1,
            "end_timestamp": 1763800000.2,
            "attributes": {"amount": {"value": 9.5, "type": "double"}},
        }
    ]
}
METRICS = {
    "items": [
        {"timestamp": 1763800000.5, "name": "load", "type": "gauge", "value": 0.5, "unit": "1"}
    ]
}
SESSION = {"sid": "s1", "did": "ada", "timestamp": "2026-11-22T14:00:00Z", "status": "ok"}
HEADER = {"event_id": EVENT["event_id"], "dsn": "http://secret@localhost/1"}


def envelope(*items, header=HEADER, lengths=True):
    lines = [json.dumps(header)]
    for kind, payload in items:
        text = payload if isinstance(payload, str) else json.dumps(payload)
        length = {"length": len(text.encode())} if lengths else {}
        lines += [json.dumps({"type": kind, **length}), text]
    return "\n".join([*lines, ""]).encode()


ALL = (
    ("event", EVENT),
    ("transaction", TRANSACTION),
    ("log", LOGS),
    ("span", SPANS),
    ("trace_metric", METRICS),
    ("session", SESSION),
)
SAMPLES = (
    Sample(
        name="sentry envelope",
        intake="sentry",
        path="/api/1/envelope/",
        content_type="application/x-sentry-envelope",
        headers={"x-sentry-auth": "Sentry sentry_key=secret, sentry_version=7"},
        body=envelope(*ALL),
        events=7,
        whole=False,
    ),
    Sample(
        name="sentry logs and metrics",
        intake="sentry",
        path="/api/1/envelope/",
        content_type="application/x-sentry-envelope",
        body=envelope(("log", LOGS), ("trace_metric", METRICS)),
        events=2,
        whole=False,
    ),
    Sample(
        name="sentry of a browser",
        intake="sentry",
        path="/api/1/envelope",
        content_type="text/plain;charset=UTF-8",
        parameters={"sentry_key": "secret", "sentry_version": "7"},
        body=envelope(("event", EVENT), lengths=False),
        events=1,
        whole=False,
    ),
)
