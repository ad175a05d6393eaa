"""Honeycomb's protocol: spans, logs, rates, and a status for each event."""

import json

import pytest

from store.tally import Receipt
from tests.store.collector.intake.samples.honeycomb import SPAN
from tests.store.collector.intake.vendor import answer, refused, rows, sent


def one(data, **record):
    (row,) = rows(sent("honeycomb", "/1/batch/shop", [{"data": data, **record}]))
    return row


def test_the_time_and_rate_of_an_event_by_itself_are_in_its_headers():
    headers = {"x-honeycomb-event-time": "1763800000", "x-honeycomb-samplerate": "10"}
    row = rows(sent("honeycomb", "/1/events/shop", {"n": 1}, headers=headers))[0]
    assert (row["event_time"].year, row["sample_rate"], row["event_name"]) == (2025, 10.0, "shop")


@pytest.mark.parametrize("rate", ["x", "-1", "", "²", "9" * 5000])
def test_a_rate_that_is_none_is_left_aside(rate):
    sample = sent("honeycomb", "/1/events/shop", {"n": 1}, headers={"x-honeycomb-samplerate": rate})
    assert "sample_rate" not in rows(sample)[0]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, "span"),
        ({"duration_ms": None}, "span"),
        ({"trace.span_id": None}, "log"),
        ({"trace.trace_id": None}, "log"),
        ({"meta.annotation_type": "span_event"}, "span_event"),
        ({"meta.annotation_type": "link"}, "span_link"),
        ({"meta.annotation_type": []}, "span"),
    ],
)
def test_what_has_the_ids_of_a_span_is_one(changed, kind):
    assert one(SPAN["data"] | changed)["event_type"] == kind


def test_a_field_by_another_name_of_the_same_meaning_is_kept_beside():
    row = one({"service.name": "a", "service_name": "b", "name": 5, "message": {"x": 1}})
    assert (row["service_name"], row["attr.service_name"]) == ("a", "b")
    assert (row["event_name"], row["name"]) == ("shop", 5)


def test_a_long_name_is_cut_and_kept_whole_beside():
    row = one({"name": "n" * 300})
    assert (row["event_name"], row["name"]) == ("n" * 256, "n" * 300)


def test_data_never_sets_the_fields_of_the_protocol():
    row = one({"event_id": "x", "event_time": 5, "sample_rate": 7, "received_time": 1})
    assert row["attr.event_id"] == "x"
    assert (row["attr.event_time"], row["attr.sample_rate"]) == (5, 7)
    assert len(row["event_id"]) == 36


def test_each_event_of_a_batch_gets_its_status_in_order():
    batch = [SPAN, 7, {"data": 1}, {"data": {}, "time": "soon"}, {"data": {}}]
    status, statuses = answer(sent("honeycomb", "/1/batch/shop", batch))
    assert status == 200
    assert [one["status"] for one in statuses] == [202, 400, 400, 400, 202]
    assert statuses[2]["error"] == "it has no object called data"
    assert "soon" in statuses[3]["error"]


def test_a_batch_of_nothing_but_faults_gets_its_statuses_too():
    assert answer(sent("honeycomb", "/1/batch/shop", [7])) == (
        200,
        [{"status": 400, "error": "it is a number, an event is a JSON object"}],
    )


def test_events_that_had_no_room_are_not_called_taken():
    sample = sent("honeycomb", "/1/batch/shop", [SPAN])
    intake, note = sample.spoken_by, sample.decode().note
    request = type("Request", (), {"path": sample.path, "note": note})
    assert json.loads(intake.reply(Receipt(dropped=1), request).body) == [{"status": 503}]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/1/batch/shop", b"{", 400),
        ("/1/batch/shop", b"{}", 400),
        ("/1/batch/shop", b"[" + b"1," * 100_001 + b"1]", 413),
        ("/1/batch/shop", b"[]", 200),
        ("/1/events/shop", b"[]", 400),
        ("/1/events/shop", b'{"a":"' + b"x" * 2**20 + b'"}', 400),
    ],
)
def test_bodies_get_the_status_that_clients_act_on(path, body, status):
    assert answer(sent("honeycomb", path, body))[0] == status


def test_messagepack_is_415():
    sample = sent("honeycomb", "/1/batch/shop", b"\x90", content_type="application/msgpack")
    assert refused(sample) == ([("body", "bad_type")], 415)


def test_a_dataset_may_be_called_anything():
    (row,) = rows(sent("honeycomb", "/1/batch/a%2Fb%2541%20c", [{"data": {"n": 1}}]))
    assert row["honeycomb.dataset"] == "a/b%41 c"
