"""Elasticsearch's bulk API as its clients see it."""

import json

import pytest

from store.collector.intake import Delivery, Request
from store.collector.intake.elastic import ElasticIntake
from store.event import EventIds
from store.settings import Limits
from store.tally import Receipt
from tests.decoding import RECEIVED
from tests.store.collector.intake.samples.elastic import BODY

MADE = {"event_time", "received_time", "source", "event_type"}


def decoded(body, path="/_bulk"):
    if not isinstance(body, bytes):
        body = b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in body)
    ids = EventIds(RECEIVED.timestamp)
    return ElasticIntake().decode(Delivery(body, path, {}, {}, RECEIVED, ids, Limits()))


def rows(found):
    return [
        {k: v for k, v in row.items() if v is not None and k not in MADE}
        for row in found.events.rows(named=True)
    ]


def answered(found, path="/_bulk"):
    errors = tuple(found.refusals)
    receipt = Receipt(stored=found.events.height, rejected=len(errors), errors=errors)
    reply = ElasticIntake().reply(receipt, Request(path, {}, found.note))
    assert reply.headers["x-elastic-product"] == "Elasticsearch"
    return reply.status, json.loads(reply.body)


def test_a_document_is_an_event_by_the_common_schema():
    first, second = rows(decoded(BODY, "/logs-cart/_bulk"))
    assert first == {
        "event_id": "logs-shop/1",
        "event_name": "logs-shop",
        "message": "slow",
        "severity": 13,
        "severity_text": "warn",
        "log.logger": "cart",
        "service_name": "shop",
        "n": 5,
        "elastic.index": "logs-shop",
    }
    made = second.pop("event_id")
    assert len(made) == 36
    assert second == {
        "event_name": "paid",
        "amount": 9.5,
        "tags": '["a","b"]',
        "elastic.index": "logs-cart",
    }


def test_each_item_has_its_status_in_the_order_of_the_actions():
    found = decoded(
        [
            {"index": {"_index": "a", "_id": 7}},
            {"n": 1},
            {"create": {"_index": "a"}},
            b'{"broken": ',
            {"update": {"_index": "a", "_id": "7"}},
            {"doc": {"n": 2}},
            {"delete": {"_index": "a", "_id": "7"}},
            {"index": {"_index": "a"}},
            [1],
            {"index": {"_index": "a", "_id": "8"}},
            {"n": 3},
        ]
    )
    assert found.events["n"].to_list() == [1, 3]
    assert found.events["event_id"].to_list() == ["a/7", "a/8"]
    assert [(r.place, r.reason) for r in found.refusals] == [
        ("line 4", "bad_json"),
        ("line 6", "bad_action"),
        ("line 7", "bad_action"),
        ("line 9", "not_an_object"),
    ]
    status, document = answered(found)
    assert (status, document["errors"]) == (200, True)
    told = [
        (action, about["status"]) for item in document["items"] for action, about in item.items()
    ]
    assert told == [
        ("index", 201),
        ("create", 400),
        ("update", 400),
        ("delete", 400),
        ("index", 400),
        ("index", 201),
    ]
    assert document["items"][0]["index"]["_id"] == "7"
    assert "not JSON" in document["items"][1]["create"]["error"]["reason"]


def test_an_id_that_was_made_here_is_told():
    found = decoded([{"index": {"_index": "a"}}, {"n": 1}])
    _, document = answered(found)
    assert document["errors"] is False
    assert document["items"][0]["index"]["_id"] == found.events["event_id"][0]


def test_a_broken_action_costs_its_document_and_no_other():
    found = decoded([b"{", {"n": 1}, {"index": {}}, {"n": 2}, {"x": {}}, {"index": {}}, {"n": 3}])
    assert found.events["n"].to_list() == [2, 3]
    assert [(r.place, r.reason) for r in found.refusals] == [
        ("line 1", "bad_json"),
        ("line 5", "bad_action"),
    ]


def test_a_missing_document_is_said():
    found = decoded([{"index": {}}])
    assert [refusal.reason for refusal in found.refusals] == ["no_document"]


def test_an_integer_past_64_bits_is_read_exactly():
    found = decoded(b'{"index":{}}\n{"n": 18446744073709551617}\n{"index":{}}\n{"n": 1}\n')
    assert found.events["n"].to_list() == ["18446744073709551617", "1"]
    assert len(found.note) == 2


def test_a_document_never_takes_the_place_of_what_is_ours():
    (event,) = rows(decoded([{"index": {"_id": "1"}}, {"event_id": "x", "source": "y", "n": 1}]))
    assert event["event_id"] == "/1"
    assert event.items() >= {"attr.event_id": "x", "attr.source": "y", "n": 1}.items()


@pytest.mark.parametrize("body", [b"", b"\n\n"])
def test_nothing_at_all_is_400(body):
    status, document = answered(decoded(body))
    assert status == 400
    assert document["error"]["type"] == "parse_exception"


@pytest.mark.parametrize(
    ("path", "key"), [("/", "version"), ("/_cluster/health", "status"), ("/_license", "license")]
)
def test_a_shipper_that_asks_before_it_sends_is_told(path, key):
    found = decoded(b"", path)
    status, document = answered(found, path)
    assert (status, key in document, found.refusals) == (200, True, ())


def test_an_empty_object_is_kept():
    (event,) = rows(decoded([{"index": {}}, {"log": {}, "service": {"name": "a"}, "n": 1}]))
    assert (event["log"], event["service_name"]) == ("{}", "a")
    assert "service" not in event
