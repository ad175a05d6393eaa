"""Every decoder over the same cases: whole, truncated, compressed, damaged, hostile."""

import gzip
import os
import random
import zlib

import pytest
import zstandard

from store.collector.decoder import done
from store.collector.intake import INTAKES, Request
from store.tally import Receipt
from tests.collecting import request
from tests.store.collector.intake.samples import SAMPLES

FUZZED = int(os.environ.get("EVENTDECK_FUZZED", "500"))
"""Bodies for each sample; 10,000 on demand."""


def by_name(sample):
    return sample.name


every = pytest.mark.parametrize("sample", SAMPLES, ids=by_name)


def reply(sample, decoded):
    intake = next(each for each in INTAKES if each.name == sample.intake)
    errors = tuple(decoded.refusals)
    receipt = Receipt(stored=decoded.events.height, rejected=len(errors), errors=errors)
    return intake.reply(receipt, Request(sample.path, {"content-type": sample.content_type}))


def test_there_is_a_sample_for_each_route():
    routes = {path for intake in INTAKES for _, path in intake.routes}
    assert routes == {sample.path for sample in SAMPLES}


@every
def test_a_whole_body_gives_its_events(sample):
    decoded = sample.decode()
    assert (decoded.events.height, list(decoded.refusals)) == (sample.events, [])
    assert reply(sample, decoded).status == 200


@every
def test_events_come_through_the_process_beside_unharmed(sample):
    decoded = sample.decode()
    assert done(decoded).decoded().events.equals(decoded.events)


@every
def test_a_body_cut_off_anywhere_is_refused_and_never_raises(sample):
    for end in range(1, len(sample.body)):
        decoded = sample.decode(sample.body[:end])
        if sample.whole and not is_whole(sample, end):
            assert decoded.refusals, end
            assert reply(sample, decoded).status == 400


def is_whole(sample, end):
    """Protobuf's outermost message may end after any of its fields."""
    return sample.decode(sample.body[:end]).events.height == sample.events


@every
@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_compressed_it_is_the_same(collector, sample, encoding, compress):
    headers = {"Content-Type": sample.content_type, "Content-Encoding": encoding}
    answer = collector.ask("POST", sample.path, compress(sample.body), headers)
    assert answer.status == 200
    broken = collector.ask("POST", sample.path, compress(sample.body)[:-9], headers)
    assert broken.status == 400


@every
def test_in_chunks_without_a_length_it_is_the_same(collector, sample):
    chunks = [sample.body[i : i + 7] for i in range(0, len(sample.body), 7)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    headers = {"Content-Type": sample.content_type, "Transfer-Encoding": "chunked"}
    assert collector.send(request("POST", sample.path, body, headers)).status == 200


@every
def test_whatever_the_bytes_are_a_decoder_answers(sample):
    chance = random.Random(sample.name)
    for _ in range(FUZZED):
        body = damaged(sample.body, chance)
        decoded = sample.decode(body)
        assert reply(sample, decoded).status in {200, 400}, body


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
