"""Vendors' records with values that nobody would send: JSON all right, and of any shape."""

import copy
import json
import os
import random

import pytest

from tests.store.collector.intake.samples import datadog, honeycomb, posthog, segment, sentry
from tests.store.collector.intake.samples.sample import Sample

FUZZED = int(os.environ.get("EVENTDECK_FUZZED", "500"))
"""Bodies for each intake; 10,000 on demand."""


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value] if levels % 2 else {"a": value}
    return value


ODD = (
    *(None, True, False, 0, -1, 7, 2**63, -(2**63) - 1, 10**40, 0.1, -0.0, 1e308, 1.5e19),
    *("", " ", "x", "\x00", "\ud800", "😀", "5", "nan", "-Infinity", "9" * 400, "x" * 300),
    *([], {}, [None], [[]], {"": ""}, {"a": {}}, [{"type": "x"}], deep(31), deep(40), deep(41)),
    deep(200),
    *({"values": [{"type": 1, "stacktrace": {"frames": [{}, 7]}}]}, {"value": []}, [["a", 1]]),
    *({"sample_rate": 10**400, "x": "\ud800"}, 10**400),
    *("2026-11-22T14:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01", 253402300799, -62135596800),
    *({"id": {"id": []}}, {"trace": 7}, {"trace": {"data": 7, "status": []}}, {"items": [{}, 7]}),
)
NAMES = ("event_id", "event_time", "user_id", "attr.user_id", "_part", "_overflow", "", "x" * 300)


def changed(value, chance):
    """A copy with one to three of its values replaced, left out, or put in."""
    value = copy.deepcopy(value)
    for _ in range(chance.randint(1, 3)):
        holders = list(holders_in(value))
        if not holders:
            return chance.choice(ODD)
        holder, odd = chance.choice(holders), copy.deepcopy(chance.choice(ODD))
        if isinstance(holder, list):
            holder[chance.randrange(len(holder))] = odd
            continue
        key = chance.choice([*holder, chance.choice(NAMES)])
        if chance.random() < 0.1:
            holder.pop(key, None)
        else:
            holder[key] = odd
    return value


def holders_in(value):
    if not isinstance(value, dict | list) or not value:
        return
    yield value
    for item in value.values() if isinstance(value, dict) else value:
        yield from holders_in(item)


def plain(document):
    return json.dumps(document).encode()


def lines(document):
    return b"\n".join(plain(line) for line in document)


def records_of(document):
    """Those that a body holds, when it is one."""
    if isinstance(document, dict) and "batch" in document:
        document = document["batch"]
    return len(document) if isinstance(document, list) else 1


BATCH = [*map(dict, segment.CALLS.values())]
BODIES = {
    "honeycomb": ("/1/batch/shop", [honeycomb.SPAN, honeycomb.LOG], plain),
    "datadog": ("/api/v2/logs", [datadog.LOG, {"message": "x"}], plain),
    "segment": ("/v1/batch", {"batch": BATCH, "sentAt": "2026-11-22T13:03:27Z"}, plain),
    "posthog": ("/batch/", json.loads(json.dumps(posthog.BATCH)), plain),
}
ALSO = {
    "posthog": [("/i/v1/analytics/events", {"batch": [posthog.V1_EVENT]}, plain)],
    "sentry": [
        ("/api/1/envelope/", [sentry.HEADER, {"type": kind}, payload], lines)
        for kind, payload in sentry.ALL
    ],
}


@pytest.mark.parametrize("intake", [*BODIES, "sentry"])
def test_whatever_a_record_holds_it_is_an_event_or_a_refusal(intake):
    chance = random.Random(intake)
    bodies = [*filter(None, [BODIES.get(intake)]), *ALSO.get(intake, ())]
    for _ in range(FUZZED):
        path, document, write = chance.choice(bodies)
        odd = changed(document, chance)
        sample = Sample("", intake, path, write(odd), 0)
        decoded = sample.decode()
        reply = sample.reply(decoded)
        assert reply.status < 500, sample.body
        if any(refusal.place == "body" for refusal in decoded.refusals):
            assert len(decoded.refusals) == 1
            assert not decoded.events.height
            assert reply.status >= 400, sample.body
        elif intake != "sentry":
            became = decoded.events.height + len(decoded.refusals)
            assert became == records_of(odd), sample.body
            assert len(decoded.numbers) == decoded.events.height
        if intake == "honeycomb" and reply.status == 200:
            statuses = [one["status"] for one in json.loads(reply.body)]
            assert statuses.count(202) == decoded.events.height
            assert statuses.count(400) == len(decoded.refusals)
