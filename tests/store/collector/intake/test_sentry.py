"""Sentry's envelopes: their framing, their kinds of items, and what the sender is told."""

import json
import time

import pytest

from tests.store.collector.intake.samples.sentry import (
    ALL,
    EVENT,
    HEADER,
    LOGS,
    METRICS,
    SESSION,
    SPANS,
    TRANSACTION,
    envelope,
)
from tests.store.collector.intake.vendor import answer, refused, rows, sent

PATH = "/api/1/envelope/"


def of(*items, **how):
    return sent("sentry", PATH, envelope(*items, **how))


def one(event, kind="event"):
    (row,) = rows(of((kind, event)))
    return row


def test_an_exception_is_an_error_by_the_name_of_its_type():
    row = one(EVENT)
    assert (row["event_type"], row["event_name"], row["message"]) == (
        *("error", "ValueError"),
        "no money",
    )
    assert row["exception.stacktrace"] == "shop.py:3 in pay"
    assert json.loads(row["exception.values"]) == EVENT["exception"]["values"]
    assert (row["service_name"], row["service_version"]) == ("shop", "1.2")
    assert (row["user_id"], row["user.email"], row["plan"]) == ("ada", "ada@example.org", "pro")
    assert row["modules"] == '{"pip":"24"}'


@pytest.mark.parametrize(
    "said",
    [
        {"message": "hello"},
        {"message": {"formatted": "hello", "message": "%s"}},
        {"logentry": {"message": "hello"}},
    ],
)
def test_a_message_is_a_log(said):
    row = one({"level": "warning", "tags": [["a", "b"], 7], **said})
    assert (row["event_type"], row["severity"], row["message"]) == ("log", 13, "hello")
    assert row["a"] == "b"


def test_a_transaction_is_a_span_and_so_is_each_within():
    whole, within = rows(of(("transaction", TRANSACTION)))
    assert (whole["event_type"], whole["event_name"], whole["duration_ms"]) == (
        *("span", "GET /cart"),
        500.0,
    )
    assert (whole["severity"], whole["op"], whole["http.route"]) == (17, "http.server", "/cart")
    assert (within["event_name"], within["duration_ms"], within["db.system"]) == (
        *("SELECT 1", 100.0),
        "sqlite",
    )
    assert within["parent_span_id"] == whole["span_id"]
    assert within["service_version"] == "1.2"
    assert within["event_id"] == f"{TRANSACTION['event_id']}-0"


def test_a_sampled_trace_stands_for_those_that_were_not_kept():
    header = {**HEADER, "trace": {"sample_rate": "0.25"}}
    assert {
        row["sample_rate"] for row in rows(of(("transaction", TRANSACTION), header=header))
    } == {4.0}
    for wrong in ("0", "1.0", "x", None, "-1", "nan", [], "1e-400", 10**400):
        header = {**HEADER, "x": "\ud800", "trace": {"sample_rate": wrong}}
        assert "sample_rate" not in rows(of(("transaction", TRANSACTION), header=header))[0]


def test_logs_spans_and_metrics_come_many_in_an_item():
    found = rows(of(("log", LOGS), ("span", SPANS), ("trace_metric", METRICS)))
    kinds = [(row["event_type"], row["event_name"]) for row in found]
    assert kinds == [("log", "log"), ("span", "pay"), ("metric", "load")]
    assert (found[0]["message"], found[0]["n"], found[0]["service_name"]) == (
        *("almost empty", 1),
        "shop",
    )
    assert (found[1]["amount"], found[1]["severity"]) == (9.5, 17)
    assert (found[2]["value"], found[2]["metric_kind"], found[2]["unit"]) == (0.5, "gauge", "1")


def test_what_is_sent_again_has_the_same_ids_and_what_is_not_has_others():
    ids = [row["event_id"] for row in rows(of(*ALL))]
    assert ids == [row["event_id"] for row in rows(of(*ALL))]
    assert len(set(ids)) == len(ids)
    later = {"items": [{**LOGS["items"][0], "body": "empty"}] * 2}
    assert len({row["event_id"] for row in rows(of(("log", LOGS), ("log", later)))}) == 3


def test_a_session_is_kept_with_whose_it_is():
    row = one({**SESSION, "attrs": {"release": "shop@2"}}, "session")
    assert (row["event_name"], row["user_id"], row["session_id"]) == ("session", "ada", "s1")
    assert row["service_version"] == "2"


def test_files_and_profiles_are_counted_and_no_fault():
    binary = (
        b'{}\n{"type":"attachment","length":5}\n\x00\n{"\xff\n{"type":"event"}\n{"message":"x"}'
    )
    sample = sent("sentry", PATH, binary)
    assert refused(sample) == ([("item[0]", "unsupported")], 200)
    assert sample.decode().events["message"].to_list() == ["x"]
    assert refused(of(("profile", {}))) == ([("item[0]", "unsupported")], 200)


def test_modules_that_nest_deep_are_refused():
    deep = json.loads('{"a":' * 900 + "1" + "}" * 900)
    assert refused(of(("event", {"modules": deep}))) == ([("item[0]", "too_deep")], 400)


def test_an_envelope_has_a_thousand_items_at_most():
    found, status = refused(of(*[("event", {"message": "x"})] * 1001))
    assert (found, status) == ([("item[1000]", "too_many")], 200)


def test_any_number_of_blank_lines_is_one_step():
    begun = time.process_time()
    body = b"{}" + b"\n" * 20_000_000 + b'{"type":"event"}\n{"message":"x"}'
    assert rows(sent("sentry", PATH, body))[0]["message"] == "x"
    assert time.process_time() - begun < 3


def test_broken_items_are_refused_alone():
    large = {"message": "x" * 2**20}
    sample = of(("event", "{"), ("event", EVENT), ("log", {"items": 7}), ("event", large), (7, {}))
    assert refused(sample) == (
        [
            *(("item[0]", "bad_json"), ("item[2]", "not_an_array"), ("item[3]", "too_large")),
            ("item[4]", "unsupported"),
        ],
        200,
    )
    assert sample.decode().events.height == 1


@pytest.mark.parametrize("length", [10**6, -1, 1.5, "2", True, [], 1])
def test_a_wrong_length_ends_what_can_be_read(length):
    text = envelope(("event", EVENT)) + json.dumps({"type": "event", "length": length}).encode()
    sample = sent("sentry", PATH, text + b"\n{}\n" + b'{"type":"event"}\n{}\n')
    found, status = refused(sample)
    assert (found, status) == ([("item[1]", "bad_length")], 200)
    assert sample.decode().events.height == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"{}\n[]", 400),
        (b'{}\n{"type":"event"}\n[]', 400),
        (b'{}\n{"type":"event"}', 400),
        (b"{}", 200),
        (b"{}\n\n\n", 200),
    ],
)
def test_bodies_get_the_status_that_clients_act_on(body, status):
    told = answer(sent("sentry", PATH, body))
    assert told[0] == status
    assert status == 200 or "detail" in told[1]


def test_the_answer_has_the_id_of_what_was_sent():
    assert answer(of(("event", EVENT)))[1] == {"id": EVENT["event_id"]}
    assert answer(of(("event", EVENT), header={}))[1] == {"id": EVENT["event_id"]}
    assert answer(of(("session", SESSION), header={"event_id": 7}))[1].keys() == {"id"}
    assert answer(sent("sentry", PATH, b"{}"))[1] == {}
