import asyncio

import pytest

from store.client import Client


@pytest.fixture
def client(door):
    with Client(url=door.url, interval_seconds=0.01) as client:
        yield client


def by_name(door, client):
    assert client.flush(5)
    return {event["event_name"]: event for event in door.events()}


def test_a_span_has_its_start_its_length_and_what_was_set(door, client):
    with client.span("db.query", table="carts") as span:
        span.set(rows=3)
    event = by_name(door, client)["db.query"]
    assert event["event_type"] == "span"
    assert (event["table"], event["rows"]) == ("carts", 3)
    assert 0 <= event["duration_ms"] < 1_000
    assert (len(event["trace_id"]), len(event["span_id"])) == (32, 16)
    assert "parent_span_id" not in event
    assert "severity" not in event


def test_spans_inside_one_another_belong_to_one_trace(door, client):
    with client.span("outer"), client.span("inner"):
        pass
    with client.span("other"):
        pass
    spans = by_name(door, client)
    assert spans["inner"]["parent_span_id"] == spans["outer"]["span_id"]
    assert spans["inner"]["trace_id"] == spans["outer"]["trace_id"]
    assert spans["other"]["trace_id"] != spans["outer"]["trace_id"]


def test_an_error_is_recorded_and_goes_on_to_the_caller(door, client):
    def failing():
        with client.span("pay", message="overwritten"):
            raise PermissionError("EACCES: permission denied")

    with pytest.raises(PermissionError):
        failing()
    event = by_name(door, client)["pay"]
    assert event["severity"] == "error"
    assert event["error_type"] == "PermissionError"
    assert event["message"] == "EACCES: permission denied"


async def test_tasks_side_by_side_do_not_mix_their_spans(door, client):
    async def work(name):
        with client.span(name):
            await asyncio.sleep(0.01)
            with client.span(f"{name}.inner"):
                await asyncio.sleep(0.01)

    await asyncio.gather(work("a"), work("b"))
    spans = by_name(door, client)
    assert spans["a.inner"]["parent_span_id"] == spans["a"]["span_id"]
    assert spans["b.inner"]["parent_span_id"] == spans["b"]["span_id"]
