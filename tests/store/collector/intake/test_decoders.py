"""Every decoder over the same cases: whole, truncated, compressed, damaged, hostile."""

import gzip
import os
import random
import re
import socket
import zlib
from collections import Counter
from itertools import cycle, islice

import cramjam
import polars as pl
import pytest
import zstandard

from store.collector.decoder import answer_of, decoded_of
from store.collector.intake import INTAKES
from store.collector.processors import PROCESSORS
from store.collector.routes import Routes
from store.schema import FIXED, REQUIRED
from tests.collecting import read_answer, request
from tests.store.collector.intake import hostile
from tests.store.collector.intake.samples.sample import all_samples

FUZZED = int(os.environ.get("EVENTDECK_FUZZED", "10000"))
"""Bodies for each intake; more on demand."""
FUZZED_TOGETHER = {"statsd": 25}
"""Datagrams are not decoded one by one, but as many as have come (store.collector.datagrams)."""
HOSTILE_MAX = int(os.environ.get("EVENTDECK_HOSTILE", "150"))
"""Of the hostile bodies that there are for the samples of an intake."""
ENCODINGS = (
    ("gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("zstd", zstandard.ZstdCompressor().compress),
    ("snappy", lambda body: bytes(cramjam.snappy.compress_raw(body))),
)
KINDS = {pl.String, pl.Boolean, pl.Int64, pl.UInt64, pl.Float64}


SAMPLES = all_samples()
CUTS_MAX = 150


def by_name(sample):
    return sample.name


def of_intake(intake):
    return [sample for sample in SAMPLES if sample.intake == intake.name]


every = pytest.mark.parametrize("sample", SAMPLES, ids=by_name)
over_http = pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.path and not s.is_twin], ids=by_name
)
every_intake = pytest.mark.parametrize("intake", INTAKES, ids=by_name)
every_intake_over_http = pytest.mark.parametrize(
    "intake", [intake for intake in INTAKES if intake.routes], ids=by_name
)


def test_there_is_a_sample_for_each_route_that_takes_a_body():
    for intake in INTAKES:
        for method, path in intake.routes:
            if method in {"GET", "HEAD"}:
                continue
            routes = Routes([_Only(method, path)], {})
            fitting = [s for s in SAMPLES if s.method in routes.methods(s.path)]
            assert intake.name in {sample.intake for sample in fitting}, path


class _Only:
    """One route."""

    def __init__(self, method, path):
        self.routes = ((method, path),)


def sound(sample, body):
    """What the body is decoded to: events that can be stored, refusals that can be shown and
    counted, and an answer of the protocol's.
    """
    decoded = sample.decode(body)
    for refusal in decoded.refusals:
        assert re.fullmatch("[a-z_]{2,40}", refusal.reason), refusal
        assert refusal.place.isprintable(), refusal
        assert refusal.fault.isprintable(), refusal
        assert len(refusal.fault) < 1000, refusal
    events = decoded.events
    if events.height:
        assert not any(events[name].null_count() for name in REQUIRED)
        odd = {k: v for k, v in events.schema.items() if v != FIXED.get(k) and v not in KINDS}
        assert not odd, odd
        for processor in PROCESSORS:
            events = processor(events).events
    status = sample.reply(decoded).status
    assert status == sample.status or 400 <= status < 500, body
    return decoded


@every
def test_a_whole_body_gives_its_events(sample):
    decoded = sound(sample, sample.body)
    assert (decoded.events.height, list(decoded.refusals)) == (sample.events, [])
    assert sample.reply(decoded).status == sample.status


@every
def test_events_come_through_the_process_beside_unharmed(sample):
    decoded = sample.decode()
    (there,) = decoded_of(answer_of([decoded]))
    assert there.events.equals(decoded.events)
    assert there.note == decoded.note


@every
def test_a_body_cut_off_anywhere_is_refused_and_never_raises(sample):
    for end in range(1, len(sample.body), 1 + len(sample.body) // CUTS_MAX):
        decoded = sound(sample, sample.body[:end])
        if sample.whole and not is_whole(sample, end):
            assert decoded.refusals, end
            assert 400 <= sample.reply(decoded).status < 500


def is_whole(sample, end):
    """Protobuf's outermost message may end after any of its fields."""
    return sample.decode(sample.body[:end]).events.height == sample.events


@over_http
@pytest.mark.parametrize(("encoding", "compress"), ENCODINGS)
def test_compressed_it_is_the_same(collector, sample, encoding, compress):
    if encoding == "snappy" and sample.name == "loki protobuf":
        pytest.skip("it is packed so already")
    headers = {**sample.all_headers, "content-encoding": encoding}
    answer = collector.ask(sample.method, sample.target, compress(sample.body), headers)
    assert answer.status == sample.status
    broken = collector.ask(sample.method, sample.target, compress(sample.body)[:-9], headers)
    assert broken.status == 400


@over_http
def test_in_chunks_without_a_length_it_is_the_same(collector, sample):
    chunks = [sample.body[i : i + 7] for i in range(0, len(sample.body), 7)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    headers = {**sample.all_headers, "Transfer-Encoding": "chunked"}
    answer = collector.send(request(sample.method, sample.target, body, headers))
    assert answer.status == sample.status


@every_intake_over_http
def test_byte_by_byte_it_is_the_same(collector, intake):
    sample = min(of_intake(intake), key=lambda each: len(each.body))
    data = request(sample.method, sample.target, sample.body, sample.all_headers)
    with socket.create_connection(("127.0.0.1", collector.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
        assert read_answer(connection).status == sample.status


@every_intake
def test_whatever_the_bytes_are_a_decoder_answers(intake):
    chance = random.Random(intake.name)
    together = FUZZED_TOGETHER.get(intake.name, 1)
    outcomes = Counter()
    for sample in islice(cycle(of_intake(intake)), 0, FUZZED, together):
        bodies = [damaged(sample.body, chance) for _ in range(together)]
        decoded = sound(sample, b"\n".join(bodies))
        outcomes["bodies"] += len(bodies)
        outcomes["stored"] += decoded.events.height
        outcomes["refused"] += len(decoded.refusals)
    assert outcomes["bodies"] >= FUZZED
    assert outcomes["stored"] > FUZZED // 100, outcomes
    assert outcomes["refused"] > FUZZED // 100, outcomes


@every_intake_over_http
def test_whatever_the_bytes_are_a_collector_answers(collector, intake):
    chance = random.Random(intake.name)
    for sample in islice(cycle(of_intake(intake)), 20):
        body = damaged(sample.body, chance)
        answer = collector.ask(sample.method, sample.target, body, sample.all_headers)
        assert answer.status == sample.status or 400 <= answer.status < 500, body


def damaged(body, chance):
    """Bytes changed, cut out, doubled, or put in."""
    found = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at, size = chance.randrange(len(found) + 1), chance.randint(1, 12)
        match chance.randrange(4):
            case 0:
                found[at : at + 1] = chance.randbytes(1)
            case 1:
                del found[at : at + size]
            case 2:
                found[at:at] = found[at : at + size]
            case _:
                found[at:at] = chance.randbytes(size)
    return bytes(found)


@every_intake
def test_values_made_to_harm_are_stored_or_refused(intake):
    samples = of_intake(intake)
    for sample in samples:
        bodies = list(hostile.bodies(sample.body))
        count = min(len(bodies), 1 + HOSTILE_MAX // len(samples))
        for body in random.Random(sample.name).sample(bodies, count):
            sound(sample, body())


@every
@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\xff" * 99, b"[" * 5000, b'{"a":' * 5000],
    ids=["empty", "zero", "ones", "arrays", "objects"],
)
def test_a_body_that_is_nothing_harms_nobody(sample, body):
    decoded = sound(sample, body)
    assert decoded.events.height + len(decoded.refusals) < 5000
