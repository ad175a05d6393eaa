"""Loki's push API as its senders see it."""

import json
from datetime import UTC, datetime

import cramjam
import pytest

from store.collector.intake import Delivery, Request
from store.collector.intake.loki import LokiIntake
from store.collector.intake.loki_streams import PushRequest, labels_of
from store.event import EventIds
from store.normalise.json_text import NotTakenError
from store.settings import Limits
from store.tally import Receipt
from tests.decoding import RECEIVED
from tests.store.collector.intake.samples.loki import AT, DOCUMENT, push_request

PATH = "/loki/api/v1/push"
PROTOBUF = "application/x-protobuf"
MADE = {"event_id", "event_time", "received_time", "source", "event_type"}


def decoded(body, content_type="application/json", **headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    ids = EventIds(RECEIVED.timestamp)
    return LokiIntake().decode(Delivery(body, PATH, {}, named, RECEIVED, ids, Limits()))


def rows(found):
    assert not found.refusals
    return [
        {k: v for k, v in row.items() if v is not None and k not in MADE}
        for row in found.events.rows(named=True)
    ]


def streams(*values, **labels):
    return {"streams": [{"stream": labels, "values": list(values)}]}


def packed(request):
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def test_a_line_stays_as_it_is_and_labels_are_attributes():
    shop = {"service_name": "shop", "env": "prod", "severity": 13, "severity_text": "warn"}
    assert rows(decoded(DOCUMENT)) == [
        {"event_name": "log", "message": "user=ada msg=slow", **shop},
        {
            "event_name": "log",
            "message": '{"a": 1}',
            "trace_id": "ab" * 16,
            "pod": "web-1",
            **shop,
        },
        {"event_name": "log", "message": "done", "job": "cron"},
    ]


def test_times_are_nanoseconds_as_text_or_number():
    at = datetime(2025, 11, 22, 8, 26, 40, 123456, tzinfo=UTC)
    found = decoded(streams([str(AT), "a"], [AT, "b"]))
    assert found.events["event_time"].to_list() == [at, at]


def test_packed_protobuf_says_the_same():
    for headers in ({}, {"content_encoding": "gzip"}):
        found = decoded(packed(push_request()), PROTOBUF, **headers)
        assert (
            rows(found)
            == [
                {
                    "event_name": "log",
                    "message": "user=ada msg=slow \ufffd",
                    "service_name": "shop",
                    "severity": 13,
                    "severity_text": "warn",
                    "quoted": 'a"b\n,c',
                    "pod": "web-1",
                }
            ]
            * 2
        )
        assert found.events["event_time"].to_list()[0].microsecond == 123456


def test_what_the_door_has_unpacked_is_not_unpacked_again():
    body = push_request().SerializeToString()
    assert decoded(body, PROTOBUF, content_encoding="snappy").events.height == 2
    assert [r.reason for r in decoded(body, PROTOBUF).refusals] == ["bad_encoding"]


def test_a_bomb_is_stopped_by_what_it_declares():
    declared = b"\xff\xff\xff\xff\x0f\x00a"
    found = decoded(declared, PROTOBUF)
    assert [refusal.reason for refusal in found.refusals] == ["too_large"]
    receipt = Receipt(rejected=1, errors=tuple(found.refusals))
    assert LokiIntake().reply(receipt, Request(PATH, {})).status == 413


def test_many_empty_entries_are_not_unfolded():
    body = bytes(cramjam.snappy.compress_raw(b"\x0a\x02\x12\x00" * 3_000_000))
    assert [refusal.reason for refusal in decoded(body, PROTOBUF).refusals] == ["too_many"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        (' { a="1" , b.c="2",} ', {"a": "1", "b.c": "2"}),
        (r'{a="\"\\\n}{,="}', {"a": '"\\\n}{,='}),
    ],
)
def test_labels_are_read_as_they_are_written(text, labels):
    assert labels_of(text) == labels


@pytest.mark.parametrize("text", ["", "a", "{a}", '{a="1" b="2"}', '{a="1', '{a="1"', "{=}"])
def test_labels_that_are_none_are_refused(text):
    with pytest.raises(NotTakenError):
        labels_of(text)


def test_the_form_before_loki_0_4_is_taken_too():
    entries = [{"ts": "2026-11-22T14:00:00.5Z", "line": "hello"}]
    (event,) = rows(decoded({"streams": [{"labels": '{app="shop"}', "entries": entries}]}))
    assert event == {"event_name": "log", "message": "hello", "app": "shop"}


def test_an_entry_that_is_none_costs_no_other():
    document = streams(
        [str(AT), "a"],
        [str(AT)],
        "x",
        [str(AT), 7],
        ["noon", "b"],
        [str(AT), "x" * 300_000],
        [str(AT), "c", {}],
        app="shop",
    )
    document["streams"].append({"labels": "broken", "entries": [{"ts": str(AT), "line": "d"}]})
    found = decoded(document)
    assert found.events["message"].to_list() == ["a", "c"]
    assert sorted((r.place, r.reason) for r in found.refusals) == [
        ("entry 2", "bad_entry"),
        ("entry 3", "bad_entry"),
        ("entry 4", "bad_entry"),
        ("entry 5", "bad_time"),
        ("entry 6", "too_large"),
        ("entry 8", "bad_labels"),
    ]


def test_a_label_and_metadata_of_one_name_are_both_kept():
    (event,) = rows(decoded(streams([str(AT), "a", {"pod": "2", "env": "x"}], pod="1", env="x")))
    assert (event["pod"], event["metadata.pod"], event["env"]) == ("1", "2", "x")


def test_labels_never_replace_what_is_ours():
    (event,) = rows(decoded(streams([str(AT), "a"], event_id="1", message="m", event_time="t")))
    assert event["message"] == "a"
    assert event.items() >= {"attr.event_id": "1", "attr.event_time": "t"}.items()
    assert "m" in event.values()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "bad_json"),
        (b"[]", "not_an_object"),
        (b"{}", "not_an_array"),
        (b'{"streams": 1}', "not_an_array"),
        (b'{"streams": [1]}', "not_an_object"),
        (b'{"streams": [{"stream": {}, "values": 1}]}', "not_an_array"),
    ],
)
def test_a_body_that_is_none_is_refused_as_a_whole(body, reason):
    found = decoded(body)
    assert [(r.place, r.reason) for r in found.refusals] == [("body", reason)]
    receipt = Receipt(rejected=1, errors=tuple(found.refusals))
    assert LokiIntake().reply(receipt, Request(PATH, {})).status == 400


def test_nothing_is_fine_too():
    assert decoded({"streams": []}).refusals == []
    assert decoded(packed(PushRequest()), PROTOBUF).refusals == []
    assert LokiIntake().reply(Receipt(), Request(PATH, {})).status == 204
