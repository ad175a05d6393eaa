"""Clients of Elasticsearch, Loki and CloudEvents, unmodified, against a collector; Rill's and a
page's requests as they stand on the wire. What they sent is read back attribute by attribute.
"""

import json
import logging
import signal
import threading
import time
import urllib.request
from datetime import UTC, datetime

import polars as pl
import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from elasticsearch import Elasticsearch
from elasticsearch.helpers import BulkIndexError, bulk
from logging_loki import LokiHandler

from tests.collecting import Collecting, collecting, settings
from tests.reading import stored
from tests.store.collector.intake.samples.loki import PACKED
from tests.store.collector.intake.samples.rill import BASIC, BODY

SHOP = "https://shop.example"
AT = datetime(2026, 11, 22, 14, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """Shared, as a start takes a second; each test has an intake of its own."""
    store = tmp_path_factory.mktemp("wires") / "store"
    with collecting(settings(store, origins=(SHOP,))) as collector:
        yield collector


def rows(collector, intake, *columns):
    events = stored(collector.settings.store, "source", *columns)
    return events.filter(source=intake).select(columns).rows()


def received(collector, intake):
    return collector.get("/v1/tally")["intakes"].get(intake, 0)


def elastic(collector, **options):
    return Elasticsearch(f"http://127.0.0.1:{collector.port}", **options)


def test_elastics_bulk_helper_stores_documents(running):
    documents = [
        {
            "_index": "logs-shop",
            "_id": "d1",
            "@timestamp": AT.isoformat(),
            "message": "slow",
            "log": {"level": "error", "logger": "cart"},
            "service": {"name": "shop", "version": "1.2"},
            "trace": {"id": "ab" * 16},
            "user": {"id": "ada", "name": "Ada"},
            "n": 5,
        },
        {
            "_op_type": "create",
            "_index": "logs-shop",
            "@timestamp": AT.isoformat(),
            "event": {"action": "paid", "dataset": "shop.orders"},
            "amount": 9.5,
            "ok": True,
            "tags": ["a", "b"],
        },
    ]
    with elastic(running) as client:
        assert client.ping()
        assert client.info()["cluster_name"] == "eventdeck"
        assert bulk(client, documents) == (2, [])
        with pytest.raises(BulkIndexError) as caught:
            bulk(client, [{"_index": "x", "_op_type": "delete", "_id": "d1"}])
        assert caught.value.errors[0]["delete"]["status"] == 400
    columns = (
        *("event_time", "event_name", "message", "severity", "severity_text", "log.logger"),
        *("service_name", "service_version", "trace_id", "user_id", "user.name", "n"),
        *("event.dataset", "amount", "ok", "tags", "elastic.index"),
    )
    whose = ("logs-shop",)
    assert sorted(rows(running, "elastic", *columns), key=lambda row: row[1]) == [
        (
            *(AT, "logs-shop", "slow", 17, "error", "cart", "shop", "1.2", "ab" * 16),
            *("ada", "Ada", 5, None, None, None, None, *whose),
        ),
        (AT, "paid", *[None] * 10, "shop.orders", 9.5, True, '["a","b"]', *whose),
    ]
    assert received(running, "elastic") == 3


@pytest.mark.parametrize("version", ["0", "1"])
def test_lokis_handler_for_logging_stores_lines(running, version):
    url = f"http://127.0.0.1:{running.port}/loki/api/v1/push"
    handler = LokiHandler(url, tags={"application": "shop"}, version=version)
    logger = logging.getLogger(f"cart.{version}")
    logger.addHandler(handler)
    logger.error("user=%s it broke", "ada", extra={"tags": {"order": "o 7"}})
    logger.removeHandler(handler)
    handler.close()
    columns = ("event_name", "message", "severity", "severity_text", "application", "order")
    found = [row for row in rows(running, "loki", "logger", *columns) if row[0] == logger.name]
    assert found == [
        (logger.name, "log", "user=ada it broke", 17, "error", "shop", "o 7"),
    ]


def test_promtails_packed_protobuf_is_stored_whether_or_not_it_says_that_it_is_packed(running):
    headers = {"Content-Type": "application/x-protobuf"}
    before = received(running, "loki")
    for more in ({}, {"Content-Encoding": "snappy"}):
        answer = running.ask("POST", "/loki/api/v1/push", PACKED, headers | more)
        assert (answer.status, answer.body) == (204, b"")
    assert received(running, "loki") == before + 4


@pytest.mark.parametrize("to_message", [to_binary_event, to_structured_event])
def test_cloudevents_of_the_sdk_are_stored(running, to_message):
    mode = to_message.__name__
    event = CloudEvent(
        {
            "id": mode,
            "source": "/shop/orders",
            "type": "com.example.order.paid",
            "time": AT,
            "subject": "für ada",
            "datacontenttype": "application/json",
            "partitionkey": "7",
        },
        {"amount": 9.5, "items": [1, 2], "by": {"name": "Ada"}},
    )
    message = to_message(event)
    for status in (202, 202):
        answer = running.ask("POST", "/v1/events", message.body, message.headers)
        assert answer.status == status
    assert answer.json()["duplicate"] == 1
    columns = (
        *("event_id", "event_time", "event_name", "ce.source", "ce.subject"),
        *("ce.partitionkey", "amount", "items", "by.name"),
    )
    assert [row for row in rows(running, "cloudevents", *columns) if mode in row[0]] == [
        (
            *(f"/shop/orders#{mode}", AT, "com.example.order.paid", "/shop/orders", "für ada"),
            *("7", 9.5, "[1,2]", "Ada"),
        )
    ]


def test_rills_request_is_stored_and_its_password_is_not(running):
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}/v1/events", BODY, {"Authorization": BASIC}
    )
    request.add_unredirected_header("Content-Type", "")  # Go's client names none
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert (reply.status, json.loads(reply.read())["stored"]) == (200, 2)
    columns = ("event_id", "event_name", "service_name", "is_dev", "install_id", "value")
    assert rows(running, "rill", *columns) == [
        ("r1", "app-start", "rill-local", True, "i1", None),
        ("r2", "requests", None, None, None, 3.5),
    ]
    for path in running.settings.store.rglob("*"):
        if path.is_file():
            kept = str(pl.read_parquet(path).rows()) if path.suffix == ".parquet" else ""
            kept += path.read_bytes().decode("latin-1")
            assert "secret" not in kept
            assert BASIC.removeprefix("Basic ") not in kept


def test_a_beacon_of_a_listed_page_is_stored_and_of_no_other(running):
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Origin": SHOP}
    body = b'{"event_name":"page_left","session_id":"s1","seconds":12.5}'
    answer = running.ask("POST", "/v1/events", body, headers)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == SHOP
    for origin in ("null", "https://shop.example.evil.com", "http://shop.example", f"{SHOP}:444"):
        refused = running.ask("POST", "/v1/events", body, headers | {"Origin": origin})
        assert refused.status == 403
        assert "access-control-allow-origin" not in refused.headers
    columns = ("event_name", "session_id", "seconds")
    assert rows(running, "beacon", *columns) == [("page_left", "s1", 12.5)]


def test_what_elastics_client_still_has_when_the_collector_is_killed_arrives_once(tmp_path):
    """It tries again at once, so it is given many tries."""
    config = settings(tmp_path / "store")
    first = Collecting(config)
    documents = [{"_index": "a", "_id": str(n), "@timestamp": AT, "n": n} for n in range(1500)]
    done = []

    def send():
        with elastic(first, max_retries=1_000_000, retry_on_timeout=True) as client:
            done.append(bulk(client, documents, chunk_size=100))

    sending = threading.Thread(target=send)
    sending.start()
    deadline = time.monotonic() + 60
    while received(first, "elastic") < 500:
        assert time.monotonic() < deadline
    first.stop(signal.SIGKILL)
    with collecting(settings(tmp_path / "store", port=first.port)) as again:
        sending.join(60)
        assert done == [(1500, [])]
        tally = again.get("/v1/tally")
    numbers = stored(config.store, "n")["n"].to_list()
    assert sorted(numbers) == list(range(1500))
    assert tally["stored"] == 1500
