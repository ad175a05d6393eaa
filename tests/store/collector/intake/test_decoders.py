"""Every decoder over the same cases: whole, truncated, compressed, damaged, hostile."""

import gzip
import os
import random
import zlib

import pytest
import zstandard

from store.collector.decoder import done
from store.collector.intake import INTAKES
from store.collector.routes import Routes
from tests.collecting import request
from tests.store.collector.intake.samples.sample import all_samples

FUZZED = int(os.environ.get("EVENTDECK_FUZZED", "500"))
"""Bodies for each sample; 10,000 on demand."""


SAMPLES = all_samples()
CUTS_MAX = 150


def by_name(sample):
    return sample.name


every = pytest.mark.parametrize("sample", SAMPLES, ids=by_name)
over_http = pytest.mark.parametrize("sample", [s for s in SAMPLES if s.path], ids=by_name)


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


@every
def test_a_whole_body_gives_its_events(sample):
    decoded = sample.decode()
    assert (decoded.events.height, list(decoded.refusals)) == (sample.events, [])
    assert sample.reply(decoded).status == sample.status


@every
def test_events_come_through_the_process_beside_unharmed(sample):
    decoded = sample.decode()
    there = done(decoded).decoded()
    assert there.events.equals(decoded.events)
    assert there.note == decoded.note


@every
def test_a_body_cut_off_anywhere_is_refused_and_never_raises(sample):
    for end in range(1, len(sample.body), 1 + len(sample.body) // CUTS_MAX):
        decoded = sample.decode(sample.body[:end])
        if sample.whole and not is_whole(sample, end):
            assert decoded.refusals, end
            assert 400 <= sample.reply(decoded).status < 500


def is_whole(sample, end):
    """Protobuf's outermost message may end after any of its fields."""
    return sample.decode(sample.body[:end]).events.height == sample.events


@over_http
@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_compressed_it_is_the_same(collector, sample, encoding, compress):
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


@every
def test_whatever_the_bytes_are_a_decoder_answers(sample):
    chance = random.Random(sample.name)
    for _ in range(FUZZED):
        body = damaged(sample.body, chance)
        decoded = sample.decode(body)
        status = sample.reply(decoded).status
        assert status == sample.status or 400 <= status < 500, body


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
