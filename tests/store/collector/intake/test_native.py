"""The native protocol as a sender sees it."""

import json

import pytest

from store.collector.intake import INTAKES, Delivery, Request
from store.collector.intake.native import NativeIntake
from store.collector.intake.rill import RillIntake
from store.event import EventIds
from store.settings import Limits
from store.tally import Receipt, Refusal
from tests.decoding import RECEIVED


def delivery(body: bytes, content_type: str = "", **parameters: str) -> Delivery:
    headers = {"content-type": content_type}
    ids = EventIds(RECEIVED.timestamp)
    return Delivery(body, "/v1/events", parameters, headers, RECEIVED, ids, Limits())


def test_it_is_listed_after_those_that_share_its_path():
    names = [intake.name for intake in INTAKES if ("POST", "/v1/events") in intake.routes]
    assert names[-1] == "native"


@pytest.mark.parametrize(
    "content_type", ["application/x-ndjson", "application/jsonl; charset=utf-8"]
)
def test_with_the_type_of_lines_every_line_is_an_event_by_itself(content_type):
    decoded = NativeIntake().decode(delivery(b'[1]\n{"event_name":"a"}\n', content_type))
    assert decoded.events["event_name"].to_list() == ["a"]
    assert [(r.place, r.reason) for r in decoded.refusals] == [("line 1", "not_an_object")]


def test_events_carry_the_name_of_the_intake():
    decoded = NativeIntake().decode(delivery(b'{"event_name":"a"}', "text/plain"))
    assert decoded.events["source"].to_list() == ["native"]


@pytest.mark.parametrize(("value", "events"), [("1", 0), ("true", 0), ("0", 1), ("", 1)])
def test_strict_is_asked_for_by_a_parameter(value, events):
    decoded = NativeIntake().decode(delivery(b'{"event_name":"a"}', strict=value))
    assert decoded.events.height == events


@pytest.mark.parametrize(
    ("receipt", "status"),
    [
        (Receipt(stored=1), 200),
        (Receipt(stored=1, rejected=9), 200),
        (Receipt(duplicate=1, rejected=1), 200),
        (Receipt(), 200),
        (Receipt(rejected=2, errors=(Refusal("line 1", "it is broken", "bad_json"),)), 400),
    ],
)
def test_400_is_for_deliveries_of_which_nothing_could_be_read(receipt, status):
    reply = NativeIntake().reply(receipt, Request("/v1/events", {}))
    assert reply.status == status
    assert json.loads(reply.body) == receipt.as_json()


def test_several_that_are_equally_strict_are_decoded_together():
    bodies = [b'{"event_name":"a"}', b'[{"event_name":"b"},{"event_name":"c"}]']
    found = NativeIntake().decode_together([delivery(body) for body in bodies])
    assert [each.events["event_name"].to_list() for each in found] == [["a"], ["b", "c"]]
    assert NativeIntake().decode_together([delivery(b"{}"), delivery(b"{}", strict="1")]) is None


def test_what_is_decoded_together_has_the_name_of_its_own_intake():
    found = RillIntake().decode_together([delivery(b'{"event_name":"a"}')] * 2)
    assert [each.events["source"].to_list() for each in found] == [["rill"]] * 2
