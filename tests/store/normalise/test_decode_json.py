"""Bodies to events: what comes through, what is filled in, what is refused."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.normalise.flatten import flat
from store.settings import Limits
from tests.decoding import RECEIVED, decode, ndjson, one, refused


def test_only_a_name_is_needed():
    event = one()
    assert event["event_time"] == event["received_time"] == RECEIVED
    assert event["event_type"] == "log"
    assert event["source"] == "native"
    assert event["event_id"][14] == "7"


def test_a_uuid7_gives_its_time():
    event = one(event_id="019e0d4c-5c00-7000-8000-000000000000")
    assert event["event_time"] == datetime.fromtimestamp(0x019E0D4C5C00 / 1000, UTC)


@pytest.mark.parametrize(
    "body",
    [
        '{"event_name":"a"}\n{"event_name":"b"}',
        '\ufeff{"event_name":"a"}\r\n\r\n{"event_name":"b"}\r\n\n',
        '[{"event_name":"a"},{"event_name":"b"}]',
        ' \n [\n{"event_name":"a"},\n{"event_name":"b"}\n]\n',
    ],
)
def test_lines_and_arrays_are_the_same_events(body):
    decoded = decode(body)
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert not decoded.refusals


def test_one_object_may_be_printed_over_many_lines():
    decoded = decode(json.dumps({"event_name": "a", "plan": {"name": "pro"}}, indent=2))
    assert decoded.events["plan.name"].to_list() == ["pro"]
    assert not decoded.refusals


def test_kinds_stay_kinds():
    event = one(n=9007199254740993, f=0.1, b=True, t="text", big=2**64 - 1)
    assert (event["n"], event["f"], event["b"], event["t"]) == (9007199254740993, 0.1, True, "text")
    assert event["big"] == 2**64 - 1


@pytest.mark.parametrize(
    ("values", "kept", "kind"),
    [
        ([1, 2.5], [1.0, 2.5], pl.Float64),
        ([9007199254740993, 2.5], ["9007199254740993", "2.5"], pl.String),
        ([1, "1", 2.0, True, None], ["1", "1", "2", "true", None], pl.String),
        ([2**64, 1], ["18446744073709551616", "1"], pl.String),
        ([-(2**63) - 1, 1.5], ["-9223372036854775809", "1.5"], pl.String),
        ([2**63, -1], ["9223372036854775808", "-1"], pl.String),
        ([1e300, 1], [1e300, 1.0], pl.Float64),
        ([[1, {"a": 2**70}], 5], [f'[1,{{"a":{2**70}}}]', "5"], pl.String),
        ([True, False], [True, False], pl.Boolean),
    ],
)
def test_a_value_that_changes_type_is_not_damaged(values, kept, kind):
    decoded = decode(ndjson(*({"event_name": "x", "v": value} for value in values)))
    assert decoded.events["v"].to_list() == kept
    assert decoded.events["v"].dtype == kind


def test_the_good_lines_of_a_bad_batch_are_taken():
    body = b'{"event_name":"a"}\n{"event_name":\n3\nnull\n[]\n"x"\n{"event_name":"b"}\n{}\n'
    decoded = decode(body)
    assert decoded.events["event_name"].to_list() == ["a", "b"]
    assert refused(body) == [
        ("line 2", "bad_json"),
        *((f"line {n}", "not_an_object") for n in (3, 4, 5, 6)),
        ("line 8", "no_name"),
    ]


@pytest.mark.parametrize(
    ("body", "place", "reason"),
    [
        (b"", "body", "empty"),
        (b" \n\r\n", "body", "empty"),
        (b"hello", "line 1", "bad_json"),
        (b'{"event_name":"a"', "line 1", "bad_json"),
        (b'{"event_name":NaN}', "line 1", "bad_json"),
        (b'{"event_name":1e999}', "line 1", "bad_json"),
        (b'{"event_name":"a\nb"}', "line 1", "bad_json"),
        (b'{"event_name":"\xff"}', "line 1", "bad_encoding"),
        ('{"event_name":"a"}'.encode("utf-16"), "body", "bad_encoding"),
        ('{"event_name":"a"}'.encode("utf-16-be"), "body", "bad_encoding"),
        (b"[" * 2000, "event 1", "too_deep"),
        (b'{"event_name":"a","x":' + b"[" * 2000 + b"]" * 2000 + b"}", "line 1", "too_deep"),
        (b'{"event_name":null}', "line 1", "no_name"),
        (b'{"event_name":""}', "line 1", "no_name"),
        (b'{"event_name":["a"]}', "line 1", "no_name"),
        (b'{"event_name":1.5}', "line 1", "no_name"),
        (b'{"event_name":"a","event_time":"12/31"}', "line 1", "bad_time"),
        (b'{"event_name":"a","event_time":true}', "line 1", "bad_time"),
        (b'{"event_name":"a","event_time":1e30}', "line 1", "bad_time"),
        (b'{"event_name":"a","event_time":"2026-02-30T00:00:00Z"}', "line 1", "bad_time"),
        (b'{"event_name":"' + b"a" * 257 + b'"}', "line 1", "name_too_long"),
        (b'{"event_name":"a","' + b"k" * 257 + b'":1}', "line 1", "name_too_long"),
        (b"true", "line 1", "not_an_object"),
        (b"[[]]", "event 1", "not_an_object"),
    ],
)
def test_each_fault_has_its_place_and_reason(body, place, reason):
    decoded = decode(body)
    assert decoded.events.height == 0
    assert (decoded.refusals[0].place, decoded.refusals[0].reason) == (place, reason)


def test_a_refusal_says_nothing_of_the_content():
    (refusal,) = decode(b'{"event_name":"a","password":"hunter2",}').refusals
    assert "hunter2" not in refusal.fault


@pytest.mark.parametrize(
    ("body", "names", "places"),
    [
        (b'[{"event_name":"a"},{"event_name":"b"', ["a"], ["event 2"]),
        (b'[{"event_name":"a"},{"event_name":"b"}', ["a", "b"], ["event 3"]),
        (b'[{"event_name":"a"},{"n":NaN},{"event_name":"b"}]', ["a", "b"], ["event 2"]),
        (b'[{"event_name":"a,]}"},3,{"event_name":"b"},]', ["a,]}", "b"], ["event 4", "event 2"]),
        (b'[{"event_name":"a"}] tail', ["a"], ["event 2"]),
    ],
)
def test_the_sound_elements_of_a_broken_array_are_taken(body, names, places):
    decoded = decode(body)
    assert decoded.events["event_name"].to_list() == names
    assert [refusal.place for refusal in decoded.refusals] == places


def test_half_a_character_becomes_a_visible_mark():
    decoded = decode(b'{"event_name":"a\\ud83d"}\n{"event_name":"b\\ud83d\\ude00\\u0000"}\n')
    assert decoded.events["event_name"].to_list() == ["a\ufffd", "b\U0001f600\x00"]


def test_lines_past_the_limit_are_refused_by_themselves():
    limits = Limits(line_bytes_max=100)
    body = ndjson({"event_name": "a"}, {"event_name": "b", "x": "y" * 100}, {"event_name": "c"})
    assert decode(body, limits=limits).events["event_name"].to_list() == ["a", "c"]
    assert refused(body, limits=limits) == [("line 2", "too_large")]


def test_objects_become_dots_and_lists_json_text():
    event = one(a={"b": {"c": 1}, "d": []}, e=[1, {"f": None}], g={})
    assert event["a.b.c"] == 1
    assert (event["a.d"], event["e"], event["g"]) == ("[]", '[1,{"f":null}]', "{}")


def test_two_values_that_meet_in_one_name_are_both_kept():
    event = one(**{"a.b": 1, "a": {"b": 2}})
    assert (event["a.b"], event["attr.a.b"]) == (1, 2)


def test_depth_and_number_of_keys_are_bounded():
    deep: dict = {}
    for _ in range(33):
        deep = {"a": deep}
    assert refused({"event_name": "x", "v": deep}) == [("line 1", "too_deep")]
    lists: list = []
    for _ in range(32):
        lists = [lists]
    assert refused({"event_name": "x", "v": lists}) == [("line 1", "too_deep")]
    assert refused({"event_name": "x"} | {f"k{n}": n for n in range(2000)}) == [
        ("line 1", "too_many_keys")
    ]


def test_rare_names_past_500_share_one_json_column():
    events = [{"event_name": "x", "common": 1, f"k{n}": n} for n in range(600)]
    decoded = decode(ndjson(*events))
    rows = decoded.events.to_dicts()
    for n, row in enumerate(rows):
        assert {f"k{n}": n} == (
            {f"k{n}": row[f"k{n}"]}
            if row.get(f"k{n}") is not None
            else json.loads(row["_overflow"])
        )
    assert decoded.events.width < 520


def test_large_bodies_are_read_in_blocks_with_true_line_numbers():
    lines = [json.dumps({"event_name": "x", "n": n, "pad": "p" * 100}) for n in range(20_000)]
    lines[15_000] = "broken"
    decoded = decode("\n".join(lines))
    assert decoded.events["n"].to_list() == [n for n in range(20_000) if n != 15_000]
    assert refused("\n".join(lines)) == [("line 15001", "bad_json")]


def test_ten_thousand_refusals_on_they_share_a_text():
    refusals = decode(b"x\n" * 10_005).refusals
    assert len(refusals) == 10_005
    assert refusals[9_999].place == "line 10000"
    assert refusals[10_004] is refusals[10_000]
    assert refusals[10_000].place == "line 10001 and later"


def test_a_large_event_keeps_its_short_values_and_says_its_size():
    event = one(short="s" * 100, long="ü" * 30_000, longer="x" * 40_000)
    assert event["short"] == "s" * 100
    assert event["original_bytes"] > 100_000
    assert 32 * 1024 - 8 < sum(len(str(v).encode()) for v in event.values()) < 33 * 1024
    assert set(event["long"]) == {"ü"}


def test_a_large_body_of_which_nothing_can_be_taken_is_refused_event_by_event():
    assert len(refused([{"n": "x" * 100}] * 1_000)) == 1_000


def test_strict_wants_all_four():
    full = {
        "event_id": "1",
        "event_time": "2026-11-22T08:00:00Z",
        "event_type": "log",
        "event_name": "a",
    }
    body = ndjson(full, *({k: v for k, v in full.items() if k != name} for name in full))
    assert decode(body, strict=True).events.height == 1
    assert refused(body, strict=True) == [
        ("line 2", "no_id"),
        ("line 3", "no_time"),
        ("line 4", "no_type"),
        ("line 5", "no_name"),
    ]
    assert decode(body).events.height == 4


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)


KEYS = st.sampled_from(["a", "b", "a.b", "user_id", ""])
NESTED = st.recursive(
    SCALARS, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2)
)


@given(st.lists(st.dictionaries(KEYS, NESTED, max_size=3), min_size=1, max_size=6), st.booleans())
def test_objects_are_made_flat_alike_whether_they_are_alike_or_not(attributes, alike):
    sent = [{"event_name": "x"} | each for each in attributes[: 1 if alike else None]]
    sent *= 4 if alike else 1
    rows = decode(ndjson(*sent)).events.to_dicts()
    for event, row in zip(sent, rows, strict=True):
        for name, value in flat(event, 32, exact=True).items():
            kept = [row.get(name), row.get(f"attr.{name}"), row.get(f"attr.attr.{name}")]
            assert any(_same(each, value) for each in kept), (name, value, row)


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), SCALARS), min_size=1, max_size=6))
def test_whatever_is_sent_comes_back_as_it_was(attributes):
    decoded = decode(ndjson(*({"event_name": "x"} | each for each in attributes)))
    rows = decoded.events.to_dicts()
    for sent, row in zip(attributes, rows, strict=True):
        for name, value in sent.items():
            assert _same(row.get(name), value), (name, value, row.get(name))


def _same(kept: object, sent: object) -> bool:
    if isinstance(kept, str) and not isinstance(sent, str) and sent is not None:
        return json.loads(kept) == sent
    return kept == sent


def test_events_of_many_shapes_are_told_apart_as_those_of_one():
    sent = [
        {"event_name": f"e{n % 30}", f"a{n % 30}": n, f"b{n % 30}": [0.5, "x", True, 1][n % 4]}
        | ({"duration_ms": n} if n % 7 else {"duration_ms": "fast", "": n})
        for n in range(900)
    ]
    decoded = decode(ndjson(*sent))
    for event, row in zip(sent, decoded.events.to_dicts(), strict=True):
        assert row["event_name"] == event["event_name"]
        assert row["duration_ms"] == (None if "" in event else float(event["duration_ms"]))
        assert row["attr.duration_ms"] == ("fast" if "" in event else None)
        assert row["attr."] == event.get("")
        for name in event.keys() - {"event_name", "duration_ms", ""}:
            assert _same(row[name], event[name])
        others = {name for name in row if name[0] in "ab" and name[1:].isdigit()} - event.keys()
        assert {row[name] for name in others} == {None}


def test_a_flood_of_names_is_no_flood_of_columns():
    decoded = decode(ndjson(*({"event_name": "x", f"k{n}": n, f"l{n}": 2**70} for n in range(600))))
    assert decoded.events.width < 520
    last = json.loads(decoded.events["_overflow"][599])
    assert last == {"k599": 599, "l599": str(2**70)}


def test_text_and_an_integer_of_any_size_meet_in_text():
    body = b'[{"event_name":"a","x":"t"},{"event_name":"b","x":1%s}]' % (b"0" * 300)
    assert decode(body).events["x"].to_list() == ["t", "1" + "0" * 300]
