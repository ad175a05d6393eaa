"""What the tests of vendors' intakes share."""

import json

from tests.store.collector.intake.samples.sample import Sample


def sent(intake, path, body, **how):
    """A delivery that is only looked at by a decoder."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Sample("", intake, path, text, 0, **how)


def rows(sample):
    """The events, each without what it has not."""
    decoded = sample.decode()
    assert not decoded.refusals, decoded.refusals
    return [{k: v for k, v in row.items() if v is not None} for row in decoded.events.to_dicts()]


def refused(sample):
    """(place, reason) of each refusal, and the status of the answer."""
    decoded = sample.decode()
    found = [(refusal.place, refusal.reason) for refusal in decoded.refusals]
    return found, sample.reply(decoded).status


def answer(sample):
    reply = sample.reply(sample.decode())
    return reply.status, json.loads(reply.body) if reply.body else None
