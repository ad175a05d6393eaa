"""Masking by name, at any depth, and nothing else."""

import json
import tempfile
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.collector.processors.mask import MASKED, Mask, secret_rule
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.schema import OVERFLOW
from store.tally import Tally
from tests.decoding import RECEIVED, decode, ndjson

SECRET = "hunter2-c0ffee"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("password", "password"),
        ("metadata.password", "password"),
        ("metadata.token", "token"),
        ("DB_PASSWORD", "password"),
        ("newPasswd", "password"),
        ("http.request.header.Authorization", "authorization"),
        ("proxy-authorization", "authorization"),
        ("Set-Cookie", "cookie"),
        ("headers.cookie.session", "cookie"),
        ("apiKey", "api_key"),
        ("api-key", "api_key"),
        ("x_api_key", "api_key"),
        ("X-Api-Key", "api_key"),
        ("user.credentials.name", "credential"),
        ("private_key", "private_key"),
        ("sessionToken", "token"),
        ("refresh_token", "token"),
        ("client_secret", "secret"),
        ("aws_secret_access_key", "secret"),
        ("attr.password", "password"),
    ],
)
def test_secret_names_are_known_in_any_spelling(name, rule):
    assert secret_rule(name) == rule


@pytest.mark.parametrize(
    "name",
    [
        *("token_count", "tokens", "input_tokens", "prompt_tokens", "gen_ai.usage.output_tokens"),
        *("gen_ai.token.type", "token.count", "session_id", "key", "keyboard", "primary_key"),
        *("secretary", "passenger", "cookie_consent", "PWD", "author", "authorized", "path"),
    ],
)
def test_innocent_names_stay(name):
    assert secret_rule(name) is None


def test_a_secret_of_any_kind_is_replaced_and_counted():
    events = pl.DataFrame({"pin.password": [1, None, 3], "token": ["a", "b", None], "n": [1, 2, 3]})
    done = Mask()(events)
    assert done.events["pin.password"].to_list() == [MASKED, None, MASKED]
    assert done.events["n"].to_list() == [1, 2, 3]
    assert done.reasons == {"masked.password": 2, "masked.token": 2}


def test_whether_there_is_a_password_is_no_secret():
    events = pl.DataFrame({"has_password": [True, False]})
    assert Mask()(events).events["has_password"].to_list() == [True, False]


@pytest.mark.parametrize("column", ["calls", OVERFLOW, "message"])
def test_json_text_is_masked_inside(column):
    inner = {"args": json.dumps({"api_key": SECRET, "n": 2**70})}
    text = json.dumps([{"name": "login", "Password": SECRET, "token_count": 5}, inner])
    text = json.dumps({"a.password": SECRET, "b": [inner]}) if column == OVERFLOW else text
    done = Mask()(pl.DataFrame({column: [text, "[INFO] token: here", None]}))
    assert SECRET not in str(done.events[column].to_list())
    assert str(2**70) in done.events[column][0]
    assert done.events[column][1] == "[INFO] token: here"
    assert done.reasons["masked.password"] == done.reasons["masked.api_key"] == 1


def test_json_that_was_cut_is_masked_as_a_whole():
    done = Mask()(pl.DataFrame({"calls": ['[{"n":1,"password":"' + SECRET]}))
    assert done.events["calls"].to_list() == [MASKED]
    assert done.reasons == {"masked.password": 1}


def test_innocent_events_pass_untouched():
    events = pl.DataFrame({"tokens": [5], "list": ['[{"token_count": 1}]'], "message": ["{"]})
    assert Mask()(events).events is events or Mask()(events).events.equals(events)


SECRET_NAMES = st.sampled_from(
    ["password", "Token", "api-key", "x_api_key", "Set-Cookie", "authorization", "clientSecret"]
)
NAMES = st.sampled_from(
    ["a", "metadata", "n", "list", "message", "user_id", "tokens", "event_type"]
)
PLAIN = st.one_of(
    st.none(), st.integers(), st.text(max_size=5), st.lists(st.booleans(), max_size=2)
)


def _below(inner):
    """Objects, lists and texts of JSON that hold what is below them somewhere."""
    return st.one_of(
        st.builds(lambda name, value, other: {"z": other, name: value}, NAMES, inner, PLAIN),
        st.builds(lambda value, other: [other, value], inner, PLAIN),
        st.builds(json.dumps, inner),
        st.builds(lambda value: f" {json.dumps(value, indent=1)}", inner),
    )


HELD = st.one_of(st.just(SECRET), st.just({"x": [SECRET]}), st.just([SECRET, {"y": SECRET}]))
PLANTED = st.builds(lambda name, held: {name: held}, SECRET_NAMES, HELD)
EVENTS = st.builds(
    lambda name, value, pad: {name: value, "event_name": "x"} | pad,
    NAMES.filter(lambda name: name != "event_type"),
    st.recursive(PLANTED, _below, max_leaves=4),
    st.sampled_from([{}, {}, {}, {"pad": "p" * 40_000}, {f"k{n}": n for n in range(600)}]),
)


@given(st.lists(EVENTS, min_size=1, max_size=3))
@settings(max_examples=15, deadline=None)
def test_a_planted_secret_is_in_no_byte_of_a_part(events):
    masked = Mask()(decode(ndjson(*events)).events).events
    assert masked.height == len(events)
    with tempfile.TemporaryDirectory() as root:
        folder = StoreFolder.open(Path(root), create=True)
        parts = PartWriter(folder, now=lambda: RECEIVED).commit(masked, Tally())
        for part in parts:
            assert SECRET.encode() not in part.path.read_bytes()
            assert SECRET not in str(pq.read_table(part.path).to_pylist())


def test_a_name_with_a_nul_is_looked_into_like_any_other():
    events = decode(ndjson({"event_name": "a", "x\0y": '{"password": "' + SECRET + '"}'})).events
    assert SECRET not in str(Mask()(events).events["x\0y"].to_list())


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"password": SECRET, "n": [1, {"token": SECRET}]}),
        json.dumps([{"Api_Key": SECRET}]),
        json.dumps(json.dumps({"cookie": SECRET})),
        '\u2003{"a":{"PASSWORD" :"x"}}',
        '{"password":"cut o',
        "{no JSON}",
        "[1]",
        "plain",
        "",
        None,
    ],
)
def test_a_few_texts_are_masked_as_many_are(text):
    few, many = (
        Mask()(pl.DataFrame({"attr": pl.Series([text] * count, dtype=pl.String)}))
        for count in (1, 100)
    )
    assert few.events["attr"].to_list() * 100 == many.events["attr"].to_list()
    assert {rule: count * 100 for rule, count in few.reasons.items()} == dict(many.reasons)
