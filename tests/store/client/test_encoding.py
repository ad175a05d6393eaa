import dataclasses
import json
import pathlib
import uuid
from collections import deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

import orjson
import pytest

from store.client.encoding import LINE_BYTES_MAX, Recorded, encode, stdlib_dumps

LINE_LIMIT = 256 * 1024


@pytest.fixture(params=[orjson.dumps, stdlib_dumps], ids=["orjson", "json"])
def encoded(request):
    def event(event_name="x", context=None, **attributes):
        recorded = Recorded(1_795_000_000_123_456_789, context or {}, "log", event_name, attributes)
        line = encode(recorded, "the-id", request.param)
        assert b"\n" not in line
        assert len(line) < LINE_LIMIT
        return json.loads(line)

    return event


class Colour(Enum):
    RED = "red"


class Mute:
    def __str__(self):
        raise SystemExit(3)

    __repr__ = __str__


def cycle():
    items = []
    items += [items, items]
    return items


def test_time_goes_out_in_whole_microseconds(encoded):
    assert encoded()["event_time"] == 1_795_000_000_123_456


def test_an_event_may_bring_its_own_id_and_time(encoded):
    event = encoded(event_id="mine", event_time="2026-11-22T10:00:00Z")
    assert (event["event_id"], event["event_time"]) == ("mine", "2026-11-22T10:00:00Z")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (True, True),
        (2**63 - 1, 2**63 - 1),
        (1.5, 1.5),
        ("Zoë ✓ \x1b[2J\n", "Zoë ✓ \x1b[2J\n"),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (2**80, str(2**80)),
        ("\ud800x", "?x"),
        (Decimal("1.10"), "1.10"),
        (pathlib.PurePosixPath("/a"), "/a"),
        (b"caf\xc3\xa9\xff", "café�"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
        (date(2026, 11, 22), "2026-11-22"),
        (timedelta(seconds=1.5), 1.5),
        (Colour.RED, "red"),
        ({1: {"a": [1, 2]}}, {"1": {"a": [1, 2]}}),
        ({"b"}, ["b"]),
        (ValueError("no"), "no"),
        (Mute(), "<Mute without text>"),
    ],
)
def test_a_value_becomes_plain_json_or_its_text(encoded, value, plain):
    assert encoded(value=value)["value"] == plain


def test_cycles_and_deep_values_end_somewhere(encoded):
    deep = None
    for _ in range(5_000):
        deep = [deep]
    event = encoded(cycle=cycle(), deep=deep, kept="yes")
    assert event["event_name"] == "x"
    assert event["cycle"][0]


@pytest.mark.parametrize(
    "huge",
    [
        "x" * 5_000_000,
        "\x00" * 5_000_000,
        "😀" * 1_000_000,
        b"x" * 5_000_000,
        list(range(1_000_000)),
        {f"key{number}": "value" for number in range(100_000)},
        [["y" * 10_000] * 1_000],
        ["z" * LINE_BYTES_MAX],
    ],
    ids=["text", "escaped", "wide", "bytes", "list", "dict", "nested", "listed"],
)
def test_a_huge_value_is_cut_and_the_small_ones_stay(encoded, huge):
    event = encoded(first="1", huge=huge)
    assert (event["event_name"], event["first"]) == ("x", "1")
    assert event["huge"]


@pytest.mark.parametrize(
    ("name", "text"), [(None, "None"), (7, "7"), (Mute(), "<Mute without text>")]
)
def test_a_name_that_is_no_text_becomes_text(encoded, name, text):
    assert encoded(event_name=name)["event_name"] == text


def test_attributes_that_change_while_they_are_read_lose_no_event(encoded):
    @dataclasses.dataclass
    class Odd:
        items: deque

        def __iter__(self):
            raise RuntimeError("changed during iteration")

    assert encoded(odd=Odd(deque([1])))["event_name"] == "x"
