"""Lines to events: what is taken, what is refused, what is left aside."""

import itertools
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.event import EventIds
from store.normalise import Arrival
from store.settings import Limits
from store.vacuum.events import Vacuum

LIMITS = Limits()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def vacuumed(output, *cuts, logs=False):
    vacuum = Vacuum(LIMITS, logs=logs)
    edges = [0, *sorted(cuts), len(output)]
    raws = [vacuum.feed(output[a:b]) for a, b in itertools.pairwise(edges)]
    return [*raws, vacuum.close()]


def taken(output, **options):
    """(number, fields) of each event, and (place, reason) of what was refused."""
    raws = vacuumed(output, **options)
    rows = [
        (number, {name: value for name, value in row.items() if value is not None})
        for raw in raws
        for number, row in zip(raw.numbers, raw.frame.to_dicts(), strict=True)
    ]
    return rows, [(each.place, each.reason) for raw in raws for each in raw.refusals]


@pytest.mark.parametrize(
    "line",
    [
        b'{"_e": 1, "event_name": "a"}',
        b'{"_e":1,"event_name":"a"}',
        b'{"event_name":"a","_e":1}',
        b'  {"event_name" : "a" , "_e" : 1 }  ',
        b'{"event_name":"a","_e":1}\r',
        b'{"_e":1.0,"event_name":"a"}',
    ],
)
def test_the_flag_is_taken_however_it_is_written_and_stripped(line):
    assert taken(b"before\n" + line + b"\nafter\n") == ([(2, {"event_name": "a"})], [])


@pytest.mark.parametrize(
    "line",
    [
        b'{"_e": "1", "event_name": "a"}',
        b'{"_e": 1.5, "event_name": "a"}',
        b'{"_e": 2, "event_name": "a"}',
        b'{"_e": 11, "event_name": "a"}',
        b'{"_e": true, "event_name": "a"}',
        b'{"_e": null}',
        b'{"_e": [1]}',
        b'{"in": {"_e": 1}, "event_name": "a"}',
        b'{"text": "\\"_e\\": 1"}',
        b'[{"_e": 1}]',
        b'"_e"',
        b'Print {"_e": 1, ...} to emit an event',
        b'{"_e": "1", broken',
        b"{}",
        b"",
    ],
)
def test_any_other_line_is_left_aside(line):
    assert taken(line + b"\n") == ([], [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"_e": 1, "event_name": "a"', "bad_json"),
        (b'{"_e": 1, "event_name": "a\x01"}', "bad_json"),
        (b'{"_e":1,"event_name":"\xff"}', "bad_encoding"),
        (b'{"_e":1}{"_e":1}', "bad_json"),
        (b'50 % {"_e":1,"event_name":"a"}', "not_alone"),
        (b'{"_e":1,"a":' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b'{"_e":1,"a":"' + b"x" * LIMITS.line_bytes_max + b'"}', "too_large"),
    ],
)
def test_what_carries_the_flag_and_is_broken_is_refused_with_its_number(line, reason):
    rows, refused = taken(b"\n\n" + line + b'\n{"_e":1,"event_name":"b"}\n')
    assert refused == [("line 3", reason)]
    assert rows == [(4, {"event_name": "b"})]


@pytest.mark.parametrize("name", ["timestamp", "Timestamp"])
@pytest.mark.parametrize(
    "time", [1795348800, 1795348800.0, 1795348800000, "2026-11-22T12:00:00Z", "1795348800"]
)
def test_the_timestamp_is_read_in_any_unit(name, time):
    line = json.dumps({"_e": 1, "event_name": "a", name: time}).encode() + b"\n"
    arrival = Arrival(NOON, "log", EventIds(lambda: 0.0), LIMITS)
    (raw, _) = vacuumed(line)
    assert raw.decoded(arrival).events["event_time"].to_list() == [NOON]


def test_a_time_of_the_events_own_goes_before_the_timestamp():
    rows, _ = taken(b'{"_e":1,"event_name":"a","event_time":5,"timestamp":7}\n')
    assert rows == [(1, {"event_name": "a", "event_time": 5, "timestamp": 7})]


@pytest.mark.parametrize("name", ["event", "name", "type"])
def test_a_name_by_another_name_is_one(name):
    assert taken(b'{"_e":1,"%b":"a"}\n' % name.encode())[0] == [(1, {"event_name": "a"})]


def test_source_sequence_and_context_are_kept():
    line = b'{"_e":1,"event":"a","source":"cart","sequence":9007199254740993,"context":{"x":1}}\n'
    arrival = Arrival(NOON, "log", EventIds(lambda: 0.0), LIMITS)
    (event,) = vacuumed(line)[0].decoded(arrival).events.to_dicts()
    assert event["attr.source"] == "cart"
    assert event["sequence"] == 9007199254740993
    assert event["context.x"] == 1
    assert event["source"] == "log"


def test_integers_past_64_bits_stay_exact():
    rows, _ = taken(b'{"_e":1,"event":"a","n":123456789012345678901234567890}\n')
    assert rows[0][1]["n"] == "123456789012345678901234567890"


LINES = st.lists(
    st.sampled_from(
        [
            b'{"_e":1,"event":"a","n":1}\n',
            b'{"n":2.5,"event":"b", "_e": 1}\r\n',
            b'{"_e":1,\n',
            b"out\n",
            b'{"level":"info","msg":"x"}\n',
            b"level=info msg=y\n",
            b"\xff\x00\x1b]0;x\x07\n",
            b"\n",
        ]
    ),
    max_size=20,
).map(b"".join)


@given(LINES, st.lists(st.integers(0, 300), max_size=8), st.booleans())
def test_in_whatever_pieces_it_comes_the_events_are_the_same(output, cuts, logs):
    cuts = [min(cut, len(output)) for cut in cuts]
    whole, pieces = vacuumed(output, logs=logs), vacuumed(output, *cuts, logs=logs)
    for each in ("numbers", "refusals"):
        found = [[x for raw in raws for x in getattr(raw, each)] for raws in (whole, pieces)]
        assert found[0] == found[1]
    frames = [
        pl.concat(
            [raw.frame for raw in raws if raw.frame.height] or [pl.DataFrame()],
            how="diagonal_relaxed",
        )
        for raws in (whole, pieces)
    ]
    assert frames[0].to_dicts() == frames[1].select(frames[0].columns).to_dicts()


@given(st.binary(max_size=400), st.booleans())
def test_whatever_a_program_prints_nothing_is_raised(output, logs):
    vacuumed(output, logs=logs)
    taken(b'{"_e":1,' + output, logs=logs)
