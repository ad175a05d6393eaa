"""Bodies to events: what comes through, what is filled in, what is refused."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from store.event import EventIds
from store.normalise import Arrival, Decoded, decode_json
from store.settings import Limits

RECEIVED = datetime(2026, 11, 22, 14, 3, 27, 123456, tzinfo=UTC)


def decode(body: object, **how) -> Decoded:
    lines = how.pop("lines", False)
    limits = how.pop("limits", Limits())
    arrival = Arrival(RECEIVED, "native", EventIds(RECEIVED.timestamp), limits, **how)
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return decode_json(body, arrival, lines=lines)


def one(**fields) -> dict:
    """The single event that `fields` make, without what is null."""
    decoded = decode({"event_name": "x"} | fields)
    assert not decoded.refusals
    return decoded.events.row(0, named=True)


def refused(body: object, **how) -> list[tuple[str, str]]:
    return [(refusal.place, refusal.reason) for refusal in decode(body, **how).refusals]


def ndjson(*events: dict) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_only_a_name_is_needed():
    event = one()
    assert event["event_time"] == event["received_time"] == RECEIVED
    assert event["event_type"] == "log"
    assert event["source"] == "native"
    assert event["event_id"][14] == "7"


def test_a_uuid7_gives_its_time():
    event = one(event_id="019e0d4c-5c00-7000-8000-000000000000")
    assert event["event_time"] == datetime.fromtimestamp(0x019E0D4C5C00 / 1000, UTC)


@pytest.mark.parametrize(
    "body",
    [
        '{"event_name":"a"}\n{"event_name":"b"}',
        '\ufeff{"event_name":"a"}\r\n\r\n{"event_name":"b"}\r\n\n',
        '[{"event_name":"a"},{"event_name":"b"}]',
        ' \n [\n{"event_name":"a"},\n{"event_name":"b"}\n]\n',
    ],
)
def test_lines_and_arrays_are_the_same_events(body):
    decoded = decode(body)
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert not decoded.refusals


def test_one_object_may_be_printed_over_many_lines():
    decoded = decode(json.dumps({"event_name": "a", "plan": {"name": "pro"}}, indent=2))
    assert decoded.events["plan.name"].to_list() == ["pro"]
    assert not decoded.refusals


def test_kinds_stay_kinds():
    event = one(n=9007199254740993, f=0.1, b=True, t="text", big=2**64 - 1)
    assert (event["n"], event["f"], event["b"], event["t"]) == (9007199254740993, 0.1, True, "text")
    assert event["big"] == 2**64 - 1


@pytest.mark.parametrize(
    ("values", "kept", "kind"),
    [
        ([1, 2.5], [1.0, 2.5], pl.Float64),
        ([9007199254740993, 2.5], ["9007199254740993", "2.5"], pl.String),
        ([1, "1", 2.0, True, None], ["1", "1", "2", "true", None], pl.String),
        ([2**64, 1], ["18446744073709551616", "1"], pl.String),
        ([-(2**63) - 1, 1.5], ["-9223372036854775809", "1.5"], pl.String),
        ([2**63, -1], ["9223372036854775808", "-1"], pl.String),
        ([1e300, 1], [1e300, 1.0], pl.Float64),
        ([[1, {"a": 2**70}], 5], [f'[1,{{"a":{2**70}}}]', "5"], pl.String),
        ([True, False], [True, False], pl.Boolean),
    ],
)
def test_a_value_that_changes_type_is_not_damaged(values, kept, kind):
    decoded = decode(ndjson(*({"event_name": "x", "v": value} for value in values)))
    assert decoded.events["v"].to_list() == kept
    assert decoded.events["v"].dtype == kind


def test_the_good_lines_of_a_bad_batch_are_taken():
    body = b'{"event_name":"a"}\n{"event_name":\n3\nnull\n[]\n"x"\n{"event_name":"b"}\n{}\n'
    decoded = decode(body)
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert refused(body) == [
        ("line 2", "bad_json"),
        *((f"line {n}", "not_an_object") for n in (3, 4, 5, 6)),
        ("line 8", "no_name"),
    ]
