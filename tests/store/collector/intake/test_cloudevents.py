"""CloudEvents as their senders see it: three modes, one meaning."""

import base64
import json
from datetime import UTC, datetime

import pytest

from store.collector.intake import Delivery, Request
from store.collector.intake.cloudevents import BATCH, STRUCTURED, CloudEventsIntake
from store.event import EventIds
from store.settings import Limits
from store.tally import Receipt
from tests.decoding import RECEIVED
from tests.store.collector.intake.samples.cloudevents import EVENT, HEADERS

MADE = {"received_time", "event_time", "event_type"}


def decoded(body, content_type=STRUCTURED, **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    ids = EventIds(RECEIVED.timestamp)
    delivery = Delivery(body, "/v1/events", {}, named, RECEIVED, ids, Limits())
    return CloudEventsIntake().decode(delivery)


def read(body, content_type=STRUCTURED, **headers):
    found = decoded(body, content_type, **headers)
    assert not found.refusals
    (row,) = found.events.rows(named=True)
    return {k: v for k, v in row.items() if v is not None and k not in MADE}


def binary(body, content_type="application/json", **changes):
    return read(body, content_type, **{**HEADERS, **changes})


PAID = {
    "event_name": "com.example.order.paid",
    "source": "cloudevents",
    "ce.source": "/shop/orders",
    "ce.specversion": "1.0",
}


def test_binary_attributes_are_headers_and_the_data_is_the_body():
    assert binary(b'{"amount": 9.5, "note": {"a": [1]}}') == {
        **PAID,
        "event_id": "/shop/orders#o-1",
        "ce.id": "o-1",
        "ce.subject": "für ada",
        "ce.datacontenttype": "application/json",
        "amount": 9.5,
        "note.a": "[1]",
    }


def test_structured_has_all_of_it_in_the_body():
    assert read(EVENT) == {
        **PAID,
        "event_id": EVENT["id"],
        "ce.id": EVENT["id"],
        "ce.datacontenttype": "application/json",
        "ce.traceparent": EVENT["traceparent"],
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "amount": 9.5,
        "items": "[1,2]",
        "attr.user_id": "ada",
        "attr.event_id": "theirs",
    }


def test_the_time_is_the_senders_or_that_of_arrival():
    times = decoded([EVENT, {k: v for k, v in EVENT.items() if k != "time"}], BATCH).events
    sent = datetime(2026, 11, 22, 14, 0, 0, 500_000, tzinfo=UTC)
    assert times["event_time"].to_list() == [sent, RECEIVED]


def test_a_batch_keeps_what_it_can():
    found = decoded([EVENT, 7, EVENT | {"type": ""}, EVENT | {"id": "2"}], BATCH)
    assert found.events["event_id"].to_list() == [EVENT["id"], "/shop/orders#2"]
    assert [(r.place, r.reason) for r in found.refusals] == [
        ("event[1]", "not_an_object"),
        ("event[2]", "no_type"),
    ]


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
def test_what_the_specification_requires_is_required(name):
    found = decoded({k: v for k, v in EVENT.items() if k != name})
    assert [refusal.reason for refusal in found.refusals] == [f"no_{name}"]
    headers = {k: v for k, v in HEADERS.items() if k != f"ce-{name}"}
    assert [r.reason for r in decoded(b"{}", "application/json", **headers).refusals] == [
        f"no_{name}"
    ]


def test_another_version_is_refused():
    assert [r.reason for r in decoded(EVENT | {"specversion": "2.0"}).refusals] == ["bad_version"]


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"hello", "text/plain; charset=utf-8", {"message": "hello"}),
        (b"\x00\x01", "application/octet-stream", {"data_base64": "AAE="}),
        (b"<a/>", "application/xml", {"data_base64": base64.b64encode(b"<a/>").decode()}),
        (b"[1,2]", "application/json", {"data": "[1,2]"}),
        (b'{"a":1}', "application/vnd.x+json", {"a": 1}),
        (b'{"a":1}', "", {"a": 1}),
        (b"", "", {}),
    ],
)
def test_data_of_any_kind_is_kept(body, content_type, said):
    event = binary(body, content_type)
    assert event.items() >= said.items()
    assert said or not {"message", "data", "data_base64"} & event.keys()


def test_data_may_come_as_base64():
    assert (
        read({**{k: v for k, v in EVENT.items() if k != "data"}, "data_base64": "AAE="})[
            "data_base64"
        ]
        == "AAE="
    )


def test_data_that_is_not_what_it_says_is_refused():
    found = decoded(b"{", "application/json", **HEADERS)
    assert [refusal.reason for refusal in found.refusals] == ["bad_json"]


def test_the_same_event_has_the_same_id_and_another_source_another():
    assert binary(b"")["event_id"] == binary(b"")["event_id"]
    assert binary(b"")["event_id"] != binary(b"", **{"ce-source": "/other"})["event_id"]
    long = binary(b"", **{"ce-source": "/" + "x" * 300})["event_id"]
    assert len(long) == 32


@pytest.mark.parametrize(
    ("receipt", "status"),
    [(Receipt(stored=1), 202), (Receipt(stored=1, rejected=1), 202), (Receipt(duplicate=1), 202)],
)
def test_202_is_for_what_was_taken(receipt, status):
    assert CloudEventsIntake().reply(receipt, Request("/v1/events", {})).status == status


def test_400_is_for_what_could_not_be_read():
    refusals = tuple(decoded(b"{").refusals)
    reply = CloudEventsIntake().reply(Receipt(rejected=1, errors=refusals), Request("/", {}))
    assert reply.status == 400
