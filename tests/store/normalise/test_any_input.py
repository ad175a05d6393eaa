"""Whatever a sender sends: an event or a refusal for each, in the columns' own types."""

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from store.collector.processors.mask import Mask
from store.schema import FIXED, REQUIRED
from tests.decoding import decode

NAMES = st.sampled_from(
    [
        *(*FIXED, "level", "LEVEL", "a", "A", "a.b", "attr.a", "attr.duration_ms", "password"),
        *("_overflow", "_part", "_date", "", "original_bytes", "out_of_time", "x" * 256, "\0"),
    ]
)
NUMBERS = [0, 1, -1, 17, 25, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30]
FLOATS = [0.0, 1.5, 1e308, 1e19, -1e19, 5e-324]
TEXTS = ["", "a", "error", "fatal4", "nope", "\0", "\ud800", "\u202e", "x" * 300, "x" * 40_000]
TIMES = ["2026-11-22", "2026-02-29", "1732262400", "9" * 20, "0001-01-01T00:00:00+14:00", "24:00"]
NESTED = [[], {}, [1, {"p": None}], {"a": 1}, {"b": {"c": []}}, '{"password":"x"}', "[1", "[]"]
VALUES = st.sampled_from([None, True, False, *NUMBERS, *FLOATS, *TEXTS, *TIMES, *NESTED])
EVENT = st.dictionaries(NAMES, VALUES, max_size=8)
NAMED = EVENT.map(lambda event: event | {"event_name": "e"})
KINDS = {pl.String, pl.Int64, pl.UInt64, pl.Float64, pl.Boolean}


@given(st.lists(EVENT | NAMED, min_size=1, max_size=30), st.booleans(), st.booleans())
def test_each_event_is_taken_or_refused(events, as_array, strict):
    body = json.dumps(events) if as_array else "\n".join(map(json.dumps, events))
    decoded = decode(body, strict=strict)
    assert decoded.events.height + len(decoded.refusals) == len(events)
    masked = Mask()(decoded.events).events
    for column in masked.get_columns():
        assert column.null_count() < len(column)
        assert column.dtype in ({FIXED[column.name]} if column.name in FIXED else KINDS)
    for name in (*REQUIRED, "received_time", "source") if masked.height else ():
        assert masked[name].null_count() == 0


@given(st.binary(max_size=60), st.booleans(), st.sampled_from([b"", b"[", b'{"event_name":']))
def test_any_bytes_are_refused_or_taken_and_never_a_fault(body, lines, start):
    decoded = decode(start + body, lines=lines)
    nothing = b"".join((start + body).split()) == b"[]"
    assert decoded.refusals or decoded.events.height or nothing
