"""`/v1/events`: which protocol a request is of, and what each of them answers there."""

import json

import pytest

from store.collector.intake import INTAKES, Request
from store.collector.routes import Routes
from store.tally import Receipt, Refusal
from tests.decoding import RECEIVED, ndjson
from tests.store.collector.intake.samples.rill import BASIC
from tests.store.collector.intake.samples.sample import all_samples

ROUTES = Routes(INTAKES, {})
BROKEN = Receipt(rejected=1, errors=(Refusal("line 1", "it is broken", "bad_json"),))


def taking(**headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ROUTES.find("POST", Request("/v1/events", named))


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("native", {}),
        ("native", {"content_type": "application/json"}),
        ("native", {"content_type": "application/x-ndjson"}),
        ("native", {"content_type": "application/x-ndjson", "authorization": "Bearer t"}),
        ("native", {"content_type": "application/json", "authorization": BASIC}),
        ("rill", {"authorization": BASIC}),
        ("rill", {"content_type": "application/x-ndjson", "authorization": BASIC}),
        ("beacon", {"content_type": "text/plain;charset=UTF-8"}),
        ("beacon", {"content_type": "Text/Plain"}),
        ("cloudevents", {"content_type": "application/cloudevents+json; charset=utf-8"}),
        ("cloudevents", {"content_type": "application/cloudevents-batch+json"}),
        ("cloudevents", {"content_type": "application/json", "ce_specversion": "1.0"}),
        ("cloudevents", {"content_type": "text/plain", "ce_specversion": "1.0"}),
    ],
)
def test_a_request_is_of_one_protocol(name, headers):
    assert taking(**headers).name == name


def test_a_page_that_goes_hears_nothing_but_that_it_was_taken():
    beacon = taking(content_type="text/plain")
    reply = beacon.reply(Receipt(stored=1), Request("/v1/events", {}))
    assert (reply.status, reply.body) == (204, b"")
    reply = beacon.reply(BROKEN, Request("/v1/events", {}))
    assert (reply.status, json.loads(reply.body)["rejected"]) == (400, 1)


def test_a_beacon_may_bring_many_events_in_any_form_of_the_native_body():
    (sample,) = [sample for sample in all_samples() if sample.intake == "beacon"]
    for body in (b'[{"event_name":"a"},{"event_name":"b"}]', b'{"event_name":"a"}\n' * 2):
        assert sample.decode(body).events.height == 2
    assert sample.decode().events["source"].to_list() == ["beacon"]


def test_rills_lines_keep_their_ids_and_times_and_answer_200():
    (sample,) = [sample for sample in all_samples() if sample.intake == "rill"]
    decoded = sample.decode()
    columns = ("event_id", "event_type", "event_name", "service_name", "is_dev", "value", "source")
    assert decoded.events.select(columns).rows() == [
        ("r1", "behavioral", "app-start", "rill-local", True, None, "rill"),
        ("r2", "metric", "requests", None, None, 3.5, "rill"),
    ]
    assert decoded.events["event_time"].to_list()[0].microsecond == 123456
    assert sample.reply(decoded).status == 200


def test_who_has_a_name_and_a_password_may_send_any_native_body():
    (sample,) = [sample for sample in all_samples() if sample.intake == "rill"]
    for body in (b'[{"event_name":"a"},\n{"event_name":"b"}]', b'{"event_name":"a"}\n' * 2):
        assert sample.decode(body).events.height == 2


def test_one_object_of_rill_is_a_line_and_what_is_broken_costs_no_other():
    (sample,) = [sample for sample in all_samples() if sample.intake == "rill"]
    decoded = sample.decode(ndjson({"event_name": "a"}) + b"[1]\n" + ndjson({"event_name": "b"}))
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert [(r.place, r.reason) for r in decoded.refusals] == [("line 2", "not_an_object")]
    assert decoded.events["event_time"].to_list() == [RECEIVED] * 2
