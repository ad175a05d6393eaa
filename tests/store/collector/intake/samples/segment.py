"""Deliveries of Segment's protocol: a batch, and each call by itself under both of its paths."""

import json

from tests.store.collector.intake.samples.sample import Sample

CONTEXT = {
    "library": {"name": "analytics-python", "version": "2.4.0"},
    "app": {"name": "shop", "version": "1.2"},
    "page": {"url": "https://shop.example/cart"},
}


def call(kind, **fields):
    return {
        "type": kind,
        "messageId": f"message-{kind}",
        "timestamp": "2026-11-22T14:03:20.123Z",
        "anonymousId": "device-1",
        "userId": "ada",
        "context": CONTEXT,
        "integrations": {},
        **fields,
    }


CALLS = {
    "track": call(
        "track", event="Order Completed", properties={"price": 9.5, "items": [1, 2], "ok": True}
    ),
    "identify": call("identify", traits={"email": "ada@example.org", "plan": {"name": "pro"}}),
    "page": call("page", name="Cart", category="Shop", properties={"name": "Cart", "url": "/c"}),
    "screen": call("screen", name="Home", properties={"depth": 2}),
    "group": call("group", groupId="acme", traits={"employees": 12}),
    "alias": {**call("alias", previousId="device-0"), "anonymousId": None},
}


def batch_of(*calls, **envelope):
    envelope = {"sentAt": "2026-11-22T14:03:27.000Z", "writeKey": "wk-secret", **envelope}
    return json.dumps({"batch": calls, **envelope}).encode()


def one(name, path, kind):
    body = {**CALLS[kind], "writeKey": "wk-secret", "sentAt": "2026-11-22T14:03:27.000Z"}
    return Sample(
        name=f"segment {name}",
        intake="segment",
        path=path,
        headers={"authorization": "Basic d2stc2VjcmV0Og=="},
        body=json.dumps(body).encode(),
        events=1,
        is_twin=path != f"/v1/{kind}",
    )


BATCHES = tuple(
    Sample(
        name=f"segment {last}",
        intake="segment",
        path=f"/v1/{last}",
        headers={"authorization": "Basic d2stc2VjcmV0Og=="},
        body=batch_of(*CALLS.values()),
        events=6,
        is_twin=last != "batch",
    )
    for last in ("batch", "b", "import")
)
SAMPLES = (
    *BATCHES,
    *(one(kind, f"/v1/{kind}", kind) for kind in CALLS),
    *(one(f"{kind} in short", f"/v1/{kind[0]}", kind) for kind in CALLS),
)
