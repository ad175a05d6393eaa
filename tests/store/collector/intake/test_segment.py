"""Segment's protocol: kinds of calls, who they are of, and what the sender is told."""

import json

import pytest

from tests.store.collector.intake.samples.segment import CALLS, batch_of, call
from tests.store.collector.intake.vendor import answer, refused, rows, sent


def one(**fields):
    (row,) = rows(sent("segment", "/v1/track", {"event": "x", **fields}))
    return row


def test_an_identify_links_a_device_to_a_user():
    row = rows(sent("segment", "/v1/identify", CALLS["identify"]))[0]
    assert (row["event_name"], row["install_id"], row["user_id"]) == ("identify", "device-1", "ada")
    assert row["traits.plan.name"] == "pro"


def test_an_alias_links_the_id_before_to_the_user():
    row = rows(sent("segment", "/v1/alias", CALLS["alias"]))[0]
    assert (row["install_id"], row["user_id"]) == ("device-0", "ada")


def test_ids_of_numbers_are_texts():
    row = one(userId=7, anonymousId=8, messageId=9)
    assert (row["user_id"], row["install_id"], row["event_id"]) == ("7", "8", "9")


def test_properties_are_attributes_and_never_fields_of_the_protocol():
    properties = {"event_id": "p", "user_id": "q", "value": 5, "duration_ms": 1.5, "price": 9}
    row = one(messageId="m", userId="ada", properties=properties)
    assert (row["event_id"], row["attr.event_id"]) == ("m", "p")
    assert (row["user_id"], row["attr.user_id"]) == ("ada", "q")
    assert (row["value"], row["duration_ms"], row["price"]) == (5.0, 1.5, 9)


def test_what_else_a_call_says_is_kept():
    row = one(channel="server", context={"ip": "::1", "sessionId": 17}, properties="none")
    assert (row["channel"], row["context.ip"], row["session_id"]) == ("server", "::1", "17")
    assert row["properties"] == "none"


def test_the_name_of_a_page_that_is_said_twice_differently_is_kept_twice():
    page = call("page", name="Cart", properties={"name": "Basket"})
    row = rows(sent("segment", "/v1/page", page))[0]
    assert (row["event_name"], row["name"], row["attr.name"]) == ("page", "Basket", "Cart")


def test_what_nests_deep_is_refused_wherever_it_is_said_twice():
    deep = json.loads("[" * 900 + "]" * 900)
    assert refused(sent("segment", "/v1/page", call("page", x=deep, properties={"x": deep}))) == (
        [("batch[0]", "too_deep")],
        400,
    )


def test_a_batchs_context_is_that_of_calls_without_one():
    calls = [{"type": "track", "event": "x"}, {"type": "page", "context": {"a": 2}}]
    found = rows(sent("segment", "/v1/batch", batch_of(*calls, context={"a": 1})))
    assert [row["context.a"] for row in found] == [1, 2]


def test_a_clock_that_is_wrong_is_set_right():
    track = call("track", event="x", timestamp="2026-11-22T13:00:00Z")
    row = rows(sent("segment", "/v1/batch", batch_of(track, sentAt="2026-11-22T13:00:03Z")))[0]
    assert row["event_time"].isoformat()[:16] == "2026-11-22T14:03"
    assert row["clock_skew_seconds"] == 3780.0


def test_broken_calls_are_refused_alone():
    calls = [
        CALLS["track"],
        {"type": "dance"},
        7,
        {"type": "track"},
        call("track", event="x", timestamp="soon"),
        call("track", event="x", properties={"x": "y" * 40_000}),
    ]
    assert refused(sent("segment", "/v1/batch", batch_of(*calls))) == (
        [
            ("batch[1]", "unknown_type"),
            ("batch[2]", "not_an_object"),
            ("batch[5]", "too_large"),
            ("batch[3]", "no_name"),
            ("batch[4]", "bad_time"),
        ],
        200,
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"batch":{}}', 400),
        (b'{"batch":[7]}', 400),
        (b'{"batch":[],"context":7}', 400),
        (b'{"batch":[]}', 200),
        (json.dumps({"batch": ["x" * 600_000]}).encode(), 413),
    ],
)
def test_bodies_get_the_status_that_clients_act_on(body, status):
    told = answer(sent("segment", "/v1/batch", body))
    assert told[0] == status
    assert told[1].get("success") is (status == 200)
    assert status == 200 or {"code", "message"} <= told[1].keys()
