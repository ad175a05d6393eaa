"""Bodies of vendors' protocols to events, against the native protocol with the same events.

`python -m tests.benches.bench_vendors`. Processor time, the best of many rounds in turns; batches
as large as the vendors' clients make them, and ten times as large. The peer is what decodes the
native protocol, given the same events as one flat object each.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from store.collector.intake import INTAKES, Delivery
from store.event import EventIds
from store.settings import Limits
from tests.benches.bench_decode import microseconds
from tests.decoding import RECEIVED

BATCH = 100
ROUNDS = 12
CONTEXT = {"library": {"name": "analytics-python", "version": "2.4.0"}}


def attributes(chance: random.Random) -> dict[str, Any]:
    return {
        "price": round(chance.random() * 100, 2),
        "currency": "USD",
        "items": chance.randrange(9),
        "is_new": chance.random() < 0.5,
        "path": f"/products/{chance.randrange(100)}",
        "plan": chance.choice(["free", "pro"]),
        "region": chance.choice(["eu", "us"]),
        "status": chance.choice([200, 404, 500]),
    }


def hexes(chance: random.Random, digits: int) -> str:
    return f"{chance.getrandbits(digits * 4):0{digits}x}"


def honeycomb(chance: random.Random, count: int) -> Any:
    for _ in range(count):
        ids = {"trace.trace_id": hexes(chance, 32), "trace.span_id": hexes(chance, 16)}
        data = {"name": "GET /", "service.name": "shop", "duration_ms": chance.random(), **ids}
        yield {
            "time": "2026-11-22T13:59:58.123456Z",
            "samplerate": 1,
            "data": data | attributes(chance),
        }


def datadog(chance: random.Random, count: int) -> Iterator[Any]:
    for _ in range(count):
        tags = {"ddsource": "python", "ddtags": "env:prod,version:1.2", "hostname": "web-1"}
        log = {"message": "no money", "service": "shop", "status": "error"}
        yield {**log, **tags, "timestamp": 1763800000123} | attributes(chance) | {"status": "error"}


def segment(chance: random.Random, count: int) -> Iterator[Any]:
    for _ in range(count):
        yield {
            "type": "track",
            "event": "Order Completed",
            "messageId": hexes(chance, 32),
            "timestamp": "2026-11-22T14:03:20.123Z",
            "userId": f"user-{chance.randrange(1000)}",
            "anonymousId": hexes(chance, 16),
            "context": CONTEXT,
            "integrations": {},
            "properties": attributes(chance),
        }


def posthog(chance: random.Random, count: int) -> Iterator[Any]:
    for _ in range(count):
        yield {
            "event": "order completed",
            "uuid": hexes(chance, 32),
            "distinct_id": f"user-{chance.randrange(1000)}",
            "timestamp": "2026-11-22T14:03:20.123456+00:00",
            "properties": attributes(chance) | {"$lib": "posthog-python", "$lib_version": "7.91.1"},
        }


def sentry(chance: random.Random, count: int) -> Iterator[Any]:
    for _ in range(count):
        found = attributes(chance) | {"sentry.release": "shop@1.2"}
        yield {
            "timestamp": 1763800000.5 + chance.random(),
            "trace_id": hexes(chance, 32),
            "level": "warn",
            "severity_number": 13,
            "body": "almost empty",
            "attributes": {name: {"value": value, "type": ""} for name, value in found.items()},
        }


def in_batch(records: list[Any]) -> Any:
    return {"batch": records, "sentAt": "2026-11-22T14:03:27Z"}


def in_envelope(records: list[Any]) -> bytes:
    return b'{}\n{"type":"log"}\n' + json.dumps({"items": records}).encode()


VENDORS: dict[str, tuple[str, Callable[..., Any], Callable[[list[Any]], Any]]] = {
    "honeycomb": ("/1/batch/shop", honeycomb, list),
    "datadog": ("/api/v2/logs", datadog, list),
    "segment": ("/v1/batch", segment, in_batch),
    "posthog": ("/batch/", posthog, in_batch),
    "sentry": ("/api/1/envelope/", sentry, in_envelope),
}


def decoder(name: str, path: str) -> Callable[[bytes], Any]:
    intake = next(each for each in INTAKES if each.name == name)
    ids = EventIds(time.time)
    return lambda body: intake.decode(Delivery(body, path, {}, {}, RECEIVED, ids, Limits()))


def body_of(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def natively(events: Any) -> bytes:
    """The same events as the native protocol has them."""
    ours = {"received_time", "subject_hash", "source"}
    rows = (
        {name: value for name, value in row.items() if value is not None and name not in ours}
        for row in events.to_dicts()
    )
    return json.dumps(
        [row | {"event_time": row["event_time"].isoformat()} for row in rows]
    ).encode()


def main() -> None:
    native = decoder("native", "/v1/events")
    for name, (path, records, wrapped) in VENDORS.items():
        decode = decoder(name, path)
        for size in (BATCH, BATCH * 10):
            chance = random.Random(1)
            count = BATCH * 100 // size
            bodies = [body_of(wrapped([*records(chance, size)])) for _ in range(count)]
            flat = [natively(decode(body).events) for body in bodies]
            ours = peer = float("inf")
            for _ in range(ROUNDS):
                ours = min(ours, microseconds(decode, bodies))
                peer = min(peer, microseconds(native, flat))
            print(
                f"{name:9} batches of {size:5,}: {1e6 / ours:8,.0f} records/s, "
                f"native {1e6 / peer:8,.0f}/s   ratio {peer / ours:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
