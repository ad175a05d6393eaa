"""PostHog's protocols: who an event is of, when it was, how it is packed, and what is answered."""

import base64
import gzip
import json
from urllib.parse import urlencode

import pytest

from tests.store.collector.intake.samples.posthog import BATCH, FORM, IDENTIFIED, V1_EVENT
from tests.store.collector.intake.vendor import answer, refused, rows, sent

V1 = "/i/v1/analytics/events"


def one(**record):
    (row,) = rows(sent("posthog", "/e/", {"event": "x", **record}))
    return row


@pytest.mark.parametrize(
    ("record", "user", "device"),
    [
        ({"distinct_id": "ada"}, "ada", None),
        ({"distinct_id": 7}, "7", None),
        ({"properties": {"distinct_id": "ada"}}, "ada", None),
        ({"distinct_id": "d", "properties": {"$device_id": "d"}}, None, "d"),
        ({"distinct_id": "ada", "properties": {"$device_id": "d"}}, "ada", "d"),
        ({"distinct_id": "d", "properties": {"$is_identified": False}}, None, "d"),
        (
            {"distinct_id": "d", "properties": {"$is_identified": True, "$device_id": "d"}},
            *("d", "d"),
        ),
        ({"distinct_id": "d", "properties": {"$process_person_profile": False}}, None, "d"),
        ({"distinct_id": "d", "options": {"process_person_profile": False}}, None, "d"),
        ({}, None, None),
    ],
)
def test_an_id_is_a_devices_until_it_is_identified(record, user, device):
    row = one(**record)
    assert (row.get("user_id"), row.get("install_id")) == (user, device)


def test_ids_that_nest_deep_are_refused_and_never_compared():
    deep = json.loads("[" * 900 + "]" * 900)
    record = {"event": "x", "distinct_id": deep, "properties": {"$device_id": deep}}
    assert refused(sent("posthog", "/e/", record)) == ([("batch[0]", "too_deep")], 400)


def test_identify_and_alias_link_a_device_to_a_user():
    identified, aliased = rows(sent("posthog", "/batch/", BATCH))[2:4]
    assert (identified["install_id"], identified["user_id"]) == ("device-1", "ada")
    assert identified["$set.email"] == "ada@example.org"
    assert (aliased["install_id"], aliased["user_id"]) == ("device-2", "ada")


def test_the_projects_key_is_in_no_event():
    record = {"api_key": "phc_1", "token": "phc_1", "properties": {"token": "phc_1", "n": 1}}
    assert "phc_1" not in str(one(**record))


def test_an_offset_is_how_long_ago_it_was():
    assert one(offset=1500)["event_time"].isoformat() == "2026-11-22T14:03:25.623456+00:00"
    assert one(offset=-1)["event_time"] == one(offset="x")["event_time"]


def test_an_event_that_is_sent_again_later_keeps_the_time_that_is_in_its_id():
    made = "01a20391-98ff-7000-8000-000000000000"  # 3.9 s before the delivery
    times = {one(uuid=made, offset=offset)["event_time"] for offset in (3900, 9000)}
    assert len(times) == 1


def test_a_clock_that_is_wrong_is_set_right_unless_the_event_says_not_to():
    body = {
        "sent_at": "2026-11-22T13:03:27Z",
        "batch": [
            {"event": "a", "timestamp": "2026-11-22T13:00:00Z"},
            {
                "event": "b",
                "timestamp": "2026-11-22T13:00:00Z",
                "properties": {"$ignore_sent_at": True},
            },
        ],
    }
    hours = [row["event_time"].hour for row in rows(sent("posthog", "/batch/", body))]
    assert hours == [14, 13]
    assert (
        rows(sent("posthog", "/batch/", body | {"historical_migration": True}))[0][
            "event_time"
        ].hour
        == 13
    )


def test_an_exception_is_an_error_with_its_words():
    listed = [{"type": "ValueError", "value": "no money"}]
    row = one(event="$exception", properties={"$exception_list": listed})
    assert (row["event_type"], row["severity"], row["message"]) == ("error", 17, "no money")
    assert row["exception.type"] == "ValueError"


PLAIN = json.dumps(IDENTIFIED).encode()
PACKED = {
    "gzip": gzip.compress(PLAIN),
    "two members": gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]),
    "base64": base64.b64encode(PLAIN),
    "base64 of gzip": base64.b64encode(gzip.compress(PLAIN)),
    "url-safe base64": base64.urlsafe_b64encode(PLAIN).rstrip(b"="),
    "form of JSON": urlencode({"data": PLAIN}).encode(),
    "form of base64": urlencode({"data": base64.b64encode(PLAIN), "ip": "1"}).encode(),
    "form with bare pluses": b"data=" + base64.b64encode(gzip.compress(PLAIN)),
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("content_type", ["text/plain", FORM, "application/json", ""])
def test_a_body_is_unpacked_by_what_it_is(packing, content_type):
    sample = sent("posthog", "/e/", PACKED[packing], content_type=content_type)
    assert rows(sample)[0]["event_id"] == IDENTIFIED["uuid"]


BOMB = gzip.compress(bytes(30 * 2**20))
HOSTILE = {
    "bomb": (BOMB, 413),
    "bomb of members": (gzip.compress(bytes(2**20)) * 30, 413),
    "bomb in base64": (base64.b64encode(BOMB), 413),
    "bomb in a form": (urlencode({"data": base64.b64encode(BOMB)}).encode(), 413),
    "large": (b"[" + b" " * (21 * 2**20) + b"]", 413),
    "cut off": (gzip.compress(PLAIN)[:-3], 400),
    "gzip of gzip": (gzip.compress(gzip.compress(PLAIN)), 400),
    "too many fields": (b"data=&" * 50, 400),
    "no data": (b"x=1", 400),
    "empty": (b"", 400),
    "spaces": (b"   ", 400),
    "a number": (b"7", 400),
    "nothing in it": (b"{}", 400),
    "no array": (b'{"batch":7}', 400),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bodies_are_4xx(case):
    body, status = HOSTILE[case]
    told = answer(sent("posthog", "/e/", body, content_type="text/plain"))
    assert told[0] == status
    assert told[1]["code"] == "invalid_payload"


def test_lz64_is_refused():
    sample = sent("posthog", "/e/", b"x", parameters={"compression": "lz64"})
    assert refused(sample) == ([("body", "bad_encoding")], 400)


def test_v0_answers_exactly_what_its_clients_wait_for():
    sample = sent("posthog", "/batch/", BATCH)
    reply = sample.reply(sample.decode())
    assert (reply.status, reply.body) == (200, b'{"status":"Ok"}')


def test_v1_answers_for_each_event():
    broken = {"uuid": "2", "event": "", "distinct_id": "a"}
    body = {"batch": [V1_EVENT, broken, 7, {"event": "no id"}]}
    status, told = answer(sent("posthog", V1, body))
    assert status == 200
    assert told["results"] == {
        V1_EVENT["uuid"]: {"result": "ok"},
        "2": {"result": "drop", "details": "it has no event_name; every event needs one, as text"},
    }
    assert answer(sent("posthog", V1, {"batch": [broken]}))[0] == 200
    assert answer(sent("posthog", V1, b"{"))[0] == 400


def test_v1_says_in_headers_what_sent_it_and_when():
    headers = {
        "posthog-sdk-info": "posthog-python/7.91.1",
        "posthog-request-timestamp": "2026-11-22T13:03:27Z",
    }
    event = V1_EVENT | {"timestamp": "2026-11-22T13:00:00Z", "window_id": "w"}
    row = rows(sent("posthog", V1, {"batch": [event]}, headers=headers))[0]
    assert (row["$lib"], row["$lib_version"]) == ("posthog-python", "7.91.1")
    assert (row["event_time"].hour, row["session_id"], row["window_id"]) == (14, "session-1", "w")
    assert row["$process_person_profile"] is True
