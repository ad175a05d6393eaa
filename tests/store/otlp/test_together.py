"""Requests that are decoded together become what they become one by one."""

import random

import pytest
from polars.testing import assert_frame_equal

from store.event import EventIds
from store.normalise import Arrival
from store.otlp import SIGNALS, decode_otlp, decode_together
from store.settings import Limits
from tests.decoding import RECEIVED
from tests.store.collector.intake.samples.otlp import logs_request, put
from tests.store.otlp.making import MAKERS

SHAPES = ({"a": ("text", 1.0), "b.c": ("whole", 0.6)}, {"a": ("text", 1.0), "x": ("float", 1.0)})


def arrival():
    return Arrival(RECEIVED, "otlp", EventIds(RECEIVED.timestamp), Limits())


def bodies_of(name, seeds):
    made = (MAKERS[name](seed, SHAPES[seed % 2]) for seed in seeds)
    return [request.SerializeToString() for request in made]


def without_ids(decoded):
    assert not decoded.refusals
    events = decoded.events
    return events.drop("event_id").select(sorted(set(events.columns) - {"event_id"}))


@pytest.mark.parametrize("name", MAKERS)
def test_each_gets_its_own_events_and_columns(name):
    bodies = bodies_of(name, [1, 2, 3])
    together = decode_together(SIGNALS[name], bodies, arrival())
    assert together is not None
    for body, found in zip(bodies, together, strict=True):
        alone = decode_otlp(SIGNALS[name], body, arrival(), json=False)
        assert_frame_equal(without_ids(found), without_ids(alone))


def test_an_empty_request_is_none_of_the_others_events():
    empty = logs_request(0).SerializeToString()
    together = decode_together(SIGNALS["logs"], [empty, *bodies_of("logs", [2])], arrival())
    assert [each.events.height > 0 for each in together] == [False, True]


def log_bodies(*attributes):
    return [logs_request(40, **each).SerializeToString() for each in attributes]


@pytest.mark.parametrize("values", [(1, "a"), (True, 1), (1.5, 2)])
def test_no_request_changes_what_anothers_values_are(values):
    bodies = log_bodies(*({"x": value} for value in values))
    assert decode_together(SIGNALS["logs"], bodies, arrival()) is None


def test_nor_what_anothers_resource_is():
    other = logs_request(40)
    put(other.resource_logs[0].resource.attributes, {"n": 1})
    another = logs_request(40)
    put(another.resource_logs[0].resource.attributes, {"n": "1"})
    bodies = [other.SerializeToString(), another.SerializeToString()]
    assert decode_together(SIGNALS["logs"], bodies, arrival()) is None


@pytest.mark.parametrize("spoiled", [b"\xff", b"\x0a\x7f", b"{}"])
def test_one_that_is_spoiled_is_looked_at_by_itself(spoiled):
    assert decode_together(SIGNALS["logs"], [*log_bodies({}, {}), spoiled], arrival()) is None


def test_so_is_one_with_a_refusal():
    late = logs_request(40)
    late.resource_logs[0].scope_logs[0].log_records[3].event_name = "n" * 300
    bodies = [*log_bodies({}, {}), late.SerializeToString()]
    assert decode_together(SIGNALS["logs"], bodies, arrival()) is None


def test_many_small_ones_are_worth_it():
    chance = random.Random(1)
    bodies = [logs_request(10, place=chance.random()).SerializeToString() for _ in range(8)]
    at = arrival()
    together = decode_together(SIGNALS["logs"], bodies, at)
    assert [each.events.height for each in together] == [10] * 8
    assert together[0].events["received_time"].unique().to_list() == [RECEIVED]
