import gzip
import zlib

import cramjam
import pytest
import zstandard

from store.collector.bodies import Budget, DisconnectedError, inflated, read_body
from store.collector.refused import Refused
from store.settings import MIB

TEXT = b'{"event_name": "x"}\n' * 1000
RAW_DEFLATE = zlib.compressobj(wbits=-15)
PACKED = {
    "identity": TEXT,
    "": TEXT,
    "gzip": gzip.compress(TEXT),
    " GZip ": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "snappy": bytes(cramjam.snappy.compress_raw(TEXT)),
}


def inflate(body, encoding, *, bytes_max=MIB, budget=None):
    with (budget or Budget(1 << 40)).reservation() as held:
        return inflated(body, encoding, bytes_max=bytes_max, held=held)


def refusal(body, encoding, **bounds):
    with pytest.raises(Refused) as caught:
        inflate(body, encoding, **bounds)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize("encoding", PACKED)
def test_every_encoding_comes_out_as_it_went_in(encoding):
    assert inflate(PACKED[encoding], encoding) == TEXT


def test_deflate_without_its_header_is_known_as_well():
    assert inflate(RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush(), "deflate") == TEXT


def test_several_members_are_one_body():
    assert inflate(gzip.compress(b"a") + gzip.compress(b"b") + bytes(9), "gzip") == b"ab"
    assert inflate(zstandard.compress(b"a") + zstandard.compress(b"b"), "zstd") == b"ab"
    large = zstandard.compress(bytes(range(256)) * 9999)
    assert len(inflate(large * 2, "zstd", bytes_max=8 * MIB)) == 2 * 256 * 9999


def test_an_empty_body_stays_empty():
    for encoding in PACKED:
        assert inflate(b"", encoding) == b""


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "snappy"])
def test_a_body_cut_off_anywhere_is_400(encoding):
    packed = PACKED[encoding]
    for end in range(1, len(packed)):
        assert refusal(packed[:end], encoding) == (400, "bad_encoding")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "snappy"])
def test_bytes_that_are_not_of_the_encoding_are_400(encoding):
    assert refusal(b"\xffnot packed at all", encoding) == (400, "bad_encoding")
    assert refusal(PACKED[encoding] + b"\xfftrailing", encoding) == (400, "bad_encoding")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "x-snappy-framed", "\x1b[2J"])
def test_an_unknown_encoding_is_415(encoding):
    assert refusal(b"x", encoding) == (415, "bad_encoding")


def bombs(size):
    zeros = bytes(size)
    yield "gzip", gzip.compress(zeros)
    yield "gzip", gzip.compress(zeros[: size // 40]) * 40
    yield "deflate", zlib.compress(zeros)
    yield "zstd", zstandard.compress(zeros)
    yield "zstd", zstandard.compress(zeros[: size // 40]) * 40
    yield "snappy", bytes(cramjam.snappy.compress_raw(zeros))


def test_a_bomb_stops_at_the_limit_however_it_is_packed():
    for encoding, bomb in bombs(20 * MIB):
        budget = Budget(64 * MIB)
        assert refusal(bomb, encoding, bytes_max=8 * MIB, budget=budget) == (413, "too_large")
        assert budget.bytes == 0


@pytest.mark.parametrize("declared", [b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x20"])
def test_what_snappy_declares_is_checked_before_anything_is_inflated(declared):
    """Four gigabytes, and 64 MiB: neither is asked of the system."""
    assert refusal(declared + b"\x00a", "snappy", bytes_max=8 * MIB) == (413, "too_large")
    budget = Budget(3 * MIB)
    body = bytes(cramjam.snappy.compress_raw(bytes(4 * MIB)))
    assert refusal(body, "snappy", bytes_max=64 * MIB, budget=budget) == (503, "memory")
    assert budget.bytes == 0


def test_inflating_is_counted_against_what_all_requests_share():
    budget = Budget(3 * MIB)
    budget.take(MIB)
    packed = gzip.compress(bytes(4 * MIB))
    assert refusal(packed, "gzip", bytes_max=64 * MIB, budget=budget) == (503, "memory")
    assert budget.bytes == MIB


def sender(*chunks, breaks_off=False):
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if breaks_off:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False

    async def receive():
        assert messages, "it was asked for more than there is"
        return messages.pop(0)

    return receive


async def read(receive, budget, **bounds):
    with budget.reservation() as held:
        return await read_body(receive, **{"length": None, "bytes_max": 100, **bounds}, held=held)


async def test_a_body_is_read_to_its_end():
    budget = Budget(100)
    assert await read(sender(b"ab", b"", b"c"), budget) == b"abc"
    assert await read(sender(b"abc"), budget, length=3) == b"abc"
    assert budget.bytes == 0


async def test_a_body_that_says_it_is_too_long_is_not_read_at_all():
    with pytest.raises(Refused) as caught:
        await read(sender(b"never read"), Budget(1000), length=101)
    assert caught.value.status == 413


async def test_a_body_without_a_length_is_counted_while_it_comes():
    with pytest.raises(Refused) as caught:
        await read(sender(b"x" * 60, b"x" * 60), Budget(1000))
    assert caught.value.status == 413


async def test_bytes_are_reserved_before_they_are_read():
    budget = Budget(1000)
    budget.take(950)
    with pytest.raises(Refused) as caught:
        await read(sender(b"never read"), budget, length=60)
    assert (caught.value.status, caught.value.headers) == (503, {"retry-after": "1"})
    assert budget.bytes == 950


async def test_a_sender_that_goes_away_is_told_apart():
    with pytest.raises(DisconnectedError):
        await read(sender(b"ab", breaks_off=True), Budget(100), length=5)
