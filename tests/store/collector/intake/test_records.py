"""Vendors' records to events: places, bounds, names that stay apart, packed texts."""

import base64
import gzip
import json

import pytest

from store.collector.intake import INTAKES, Request
from store.collector.intake.records import (
    BODY,
    body_fault,
    check_body,
    decode_records,
    events_of,
    joined,
    list_of,
)
from store.collector.intake.unpacking import from_base64, unpacked
from store.collector.refused import bad_content, try_later
from store.event import EventIds
from store.normalise import Arrival
from store.normalise.json_text import Fault, NotTakenError
from store.settings import Limits
from store.tally import Receipt
from tests.decoding import RECEIVED

ARRIVAL = Arrival(RECEIVED, "vendor", EventIds(RECEIVED.timestamp), Limits())


def event_of(record):
    if "no" in record:
        raise NotTakenError(Fault("no", "it says no"))
    return joined(record.get("data", {}), {"event_name": record.get("name"), "id": 1})


def decode(body, *, event_of=event_of, record_bytes_max=None):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()

    def find(load, refusals):
        records = list_of(load(text), "the batch")
        return events_of(
            records,
            event_of,
            refusals,
            where="batch[",
            body_bytes=len(text),
            record_bytes_max=record_bytes_max,
        )

    return decode_records(find, ARRIVAL)


def deep(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_records_become_events_in_their_order():
    decoded = decode([{"name": "a", "data": {"x": {"y": [1]}}}, {"name": "b"}])
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert decoded.events["x.y"].to_list() == ["[1]", None]
    assert decoded.events["source"].unique().to_list() == ["vendor"]
    assert list(decoded.numbers) == [0, 1]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (7, "not_an_object"),
        (None, "not_an_object"),
        ({"no": 1}, "no"),
        ({"name": ""}, "no_name"),
        ({"name": "n" * 257}, "name_too_long"),
        ({"name": "a", "data": {"event": deep(40)}}, "too_deep"),
        ({"name": "a", "data": {f"k{i}": i for i in range(2001)}}, "too_many_keys"),
        ({"name": "a", "data": {"k" * 257: 1}}, "name_too_long"),
        ({"name": "a", "data": {"x": "y" * 2000}}, "too_large"),
    ],
)
def test_a_record_that_is_none_is_refused_alone_by_its_place(broken, reason):
    large = 1000 if reason == "too_large" else None
    decoded = decode([{"name": "a"}, {"name": "b"}, {"name": "c"}, broken], record_bytes_max=large)
    assert [(r.place, r.reason) for r in decoded.refusals] == [("batch[3]", reason)]
    assert list(decoded.numbers) == [0, 1, 2]


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{", "bad_json"), (b"{}", "not_an_array"), (b"[" * 2000, "too_deep")]
)
def test_what_is_no_batch_is_refused_as_one_body(body, reason):
    decoded = decode(body)
    assert [(r.place, r.reason) for r in decoded.refusals] == [(BODY, reason)]
    assert decoded.events.height == 0
    assert body_fault(Receipt(rejected=1, errors=tuple(decoded.refusals)))[0] == 400


def test_integers_past_64_bits_come_through_exactly():
    decoded = decode(b'[{"name":"a","data":{"n":123456789012345678901234567890}}]')
    assert decoded.events["n"].to_list() == ["123456789012345678901234567890"]


def test_an_attribute_called_like_a_field_of_the_protocol_is_kept_apart():
    fields = {"event_name": "a", "message": None}
    attributes = {"event_id": "x", "message": "m", "duration_ms": 5, "attr.event_id": 1}
    assert joined(attributes, fields) == {
        **fields,
        "attr.attr.event_id": "x",
        "attr.message": "m",
        "duration_ms": 5,
        "attr.event_id": 1,
    }


def test_a_body_past_the_protocols_own_limit_is_413():
    with pytest.raises(NotTakenError) as caught:
        check_body(b"12345", 4)
    assert caught.value.fault.reason == "too_large"


def test_packed_texts_come_out_whole_with_all_members():
    packed = gzip.compress(b"one ") + gzip.compress(b"two")
    assert unpacked(packed, "gzip", bytes_max=10) == b"one two"


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (gzip.compress(bytes(10_000_000)), "too_large"),
        (gzip.compress(bytes(600)) * 2, "too_large"),
        (gzip.compress(b"x")[:-1], "bad_encoding"),
        (b"x", "bad_encoding"),
    ],
    ids=["a bomb", "two members", "cut off", "no gzip"],
)
def test_packed_texts_are_bounded_and_must_be_whole(packed, reason):
    with pytest.raises(NotTakenError) as caught:
        unpacked(packed, "gzip", bytes_max=1000)
    assert caught.value.fault.reason == reason


@pytest.mark.parametrize("spelled", [b"-_8", b"+/8=", b"+/8", b"-/8==", b" /8", b"+/\n8\r\n"])
def test_base64_of_all_spellings_is_read(spelled):
    assert from_base64(spelled) == base64.b64decode("+/8=")


@pytest.mark.parametrize("wrong", [b"a", b"&&&&", b"\xff", b"ab=c"])
def test_what_is_no_base64_is_refused(wrong):
    with pytest.raises(NotTakenError):
        from_base64(wrong)


@pytest.mark.parametrize("name", ["honeycomb", "datadog", "segment", "posthog", "sentry"])
def test_a_vendors_client_is_told_when_to_come_back(name):
    intake = next(each for each in INTAKES if each.name == name)
    request = Request(intake.routes[0][1], {})
    reply = intake.refusal(try_later("memory", "no room"), None, request)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert "no room" in str(json.loads(reply.body))
    assert intake.refusal(bad_content(413, "too_large", "x"), None, request).status == 413
