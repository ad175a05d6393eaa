"""Bodies that are decoded together become what they become one by one."""

import json

from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from store.event import EventIds
from store.normalise import Arrival, decode_json, decode_json_together
from store.settings import Limits
from tests.decoding import RECEIVED, ndjson
from tests.store.normalise.test_any_input import NAMES, VALUES

ANY = [*("text", "9", "error", ""), *(3, 2**53 + 1, -1), *(1.5, 1e19), *(True, None)]
# Bodies of the same few names and kinds, so that many meet, among others of any.
ALIKE = st.fixed_dictionaries(
    {"event_name": st.sampled_from(["a", "b", ""])},
    optional={
        "event_time": st.sampled_from(["2026-11-22", "2026-11-22T01:02:03Z", "1732262400", "x"]),
        "event_type": st.sampled_from(["error", "page"]),
        "severity": st.sampled_from(["warn", "nope", "error4"]),
        "level": st.sampled_from(["info", "fatal"]),
        "duration_ms": st.sampled_from([0.5, 1e308, 2.0]),
        "value": st.sampled_from([1, 2**53 + 1]),
        "user_id": st.sampled_from(["ada", ""]),
        "install_id": st.sampled_from(["d1", "d2"]),
        "a": st.sampled_from(ANY),
        "password": st.just("p"),
        "long": st.sampled_from(["x" * 40_000, "y"]),
    },
)
ODD = st.dictionaries(NAMES, VALUES, max_size=4)
BODIES = st.lists(
    st.lists(ALIKE, min_size=1, max_size=4) | st.lists(ALIKE | ODD, max_size=3),
    min_size=1,
    max_size=4,
)


def arrival(**how):
    return Arrival(RECEIVED, "native", EventIds(RECEIVED.timestamp), Limits(), **how)


def same(together, bodies, lines, **how):
    for body, own, found in zip(bodies, lines, together, strict=True):
        alone = decode_json(body, arrival(**how), lines=own)
        assert list(found.refusals) == list(alone.refusals)
        assert_frame_equal(*(each.events.drop("event_id", strict=False) for each in (found, alone)))


@given(BODIES, st.booleans(), st.data())
def test_each_body_becomes_the_same(events, strict, data):
    bodies = [
        ndjson(*some) if data.draw(st.booleans()) else json.dumps(some).encode() for some in events
    ]
    bodies = [data.draw(st.sampled_from([body] * 9 + [body[:-2]])) for body in bodies]
    lines = [data.draw(st.booleans()) for _ in bodies]
    together = decode_json_together(bodies, arrival(strict=strict), lines=lines)
    same(together, bodies, lines, strict=strict)


def test_those_of_the_same_columns_share_a_frame():
    bodies = [ndjson({"event_name": "x", "n": n}, {"event_name": "y", "n": 1}) for n in range(3)]
    together = decode_json_together(bodies, arrival(), lines=[True] * 3)
    assert together[0].shared is not None
    assert len({id(each.shared) for each in together}) == 1
    assert together[0].shared.heights == [2, 2, 2]
    same(together, bodies, [True] * 3)


def test_others_do_not():
    bodies = [ndjson({"event_name": "x", "n": value}) for value in (1, "1", 1.0)]
    together = decode_json_together(bodies, arrival(), lines=[True] * 3)
    assert [each.events["n"].item() for each in together] == [1, "1", 1.0]
    assert all(each.shared is None for each in together)


def test_what_is_refused_in_one_is_no_other_ones():
    bodies = [ndjson({"event_name": name}) for name in ("x", "n" * 300, "y")]
    together = decode_json_together(bodies, arrival(), lines=[True] * 3)
    assert [each.events.height for each in together] == [1, 0, 1]
    assert [[r.place for r in each.refusals] for each in together] == [[], ["line 1"], []]
