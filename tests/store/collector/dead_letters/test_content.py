"""What is kept of something that was rejected, and that secrets never are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.collector.dead_letters.content import kept, kept_fault
from store.collector.dead_letters.places import finder

SECRET = "hunter2-" + "x9" * 8


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b'{"n": 1, "password": "p"}', '{"n":1,"password":"[masked]"}'),
        (b'{"api_key": "p", "dsn": "p", "a": [{"authToken": "p"}]}', None),
        (b'{"event_name": "a", "n": 1.5, "x"', '{"event_name": …, "n": …, …'),
        (b'{"a": "open', '{"a": …'),
        (b'{"password": "p"', None),
        (b'{"p\\u0061ssword": "p"', None),
        (b'"just text"', None),
        (b"[1, 2]", None),
        (b"plain", None),
        (b"\x0a\xff\x00", None),
        (b'{"a": "\xff"}', None),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, '{"a":' * 819 + "{"),
    ],
)
def test_values_stay_only_beside_names_that_can_be_trusted(content, wanted):
    found = kept(content)
    if content.startswith(b'{"api_key"'):
        assert json.loads(found) == {
            "api_key": "[masked]",
            "dsn": "[masked]",
            "a": [{"authToken": "[masked]"}],
        }
    else:
        assert (found[:100] if found else None) == (wanted[:100] if wanted else None)


def test_it_is_cut():
    assert len(kept(json.dumps({"a": "x" * 100_000}).encode())) == 4096
    assert len(kept(b'{"a": 1, ' * 100_000)) <= 4096


def test_a_fault_that_may_quote_a_secret_is_not_repeated():
    assert kept_fault("it is not JSON at character 3") == "it is not JSON at character 3"
    assert kept_fault("a key has 300 characters") == "a key has 300 characters"
    assert SECRET not in kept_fault(f'event_time is \'{{"password": "{SECRET}"}}\'')


NAMES = st.sampled_from(
    ["password", "apiKey", "X-Api-Key", "DB_PASSWORD", "authToken", "cookie", "client_secret"]
)
INNOCENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def with_a_secret(draw):
    """An object somewhere in which a secret stands under its name, however deep."""
    value = {draw(NAMES): draw(st.sampled_from([SECRET, [SECRET], {"v": SECRET}, {"l": [SECRET]}]))}
    for _ in range(draw(st.integers(0, 3))):
        beside = draw(st.dictionaries(st.text(max_size=6), INNOCENT, max_size=2))
        name = draw(st.text(max_size=6))
        value = {**beside, name: draw(st.sampled_from([value, [value], json.dumps(value)]))}
    return value


@given(with_a_secret(), st.sampled_from([None, 1, 3]), st.data())
def test_a_secret_under_its_name_is_never_kept(value, indent, data):
    body = json.dumps(value, indent=indent).encode()
    assert SECRET not in (kept(body) or "")
    cut = data.draw(st.integers(1, len(body)))
    for part in (body[:cut], body[:cut] + b"}", b"\xff" + body, b"x" + body, body + b","):
        assert SECRET not in (kept(part) or "")


@given(with_a_secret(), st.integers(1, 4))
def test_lines_of_an_object_that_was_printed_for_people_give_no_secret_away(value, indent):
    body = json.dumps([value], indent=indent).encode()
    for line in body.split(b"\n"):
        assert SECRET not in (kept(line) or "")


@given(with_a_secret(), st.binary(max_size=5), st.data())
def test_a_broken_object_gives_no_secret_away(value, damage, data):
    body = json.dumps(value).encode()
    start = body.index(SECRET.encode())
    at = data.draw(st.integers(start, len(body)))
    assert SECRET not in (kept(body[:at] + damage + body[at:]) or "")


BODY = b'{"a":1}\n{"a":2}\n\nbroken'


@pytest.mark.parametrize(
    ("body", "place", "wanted"),
    [
        (BODY, "line 2", b'{"a":2}'),
        (BODY, "line 4", b"broken"),
        (BODY, "line 9", b""),
        (BODY, "line 2 and later", b'{"a":2}'),
        (b"7\tx\n12\ty\n", "stderr line 12", b"y"),
        (b"7\tx\n12\ty\n", "line 7", b"x"),
        (b"7\tx\n12\ty\n", "line 2", b""),
        (b"7\tx\n12\ty\n", "app.log:7", b"x"),
        (b'[{"a":1},{"a":2}]', "event 2", b'{"a":2}'),
        (b'{"a":1}', "event 1", b'{"a":1}'),
        (b'{"a":1}', "event 2", b""),
        (b'{"batch":[{"a":1},{"a":2}]}', "batch[1]", b'{"a":2}'),
        (b'{"batch":[{"a":1}]}', "batch[1]", b""),
        (b'[{"a":1},{"a":2}]', "event[1]", b'{"a":2}'),
        (b'{"a":1}', "event[0]", b'{"a":1}'),
        (b"[broken", "event 1", b""),
        (b'{"a":1', "body", b'{"a":1'),
        (b"x", "log record 3", b""),
        (b"", "line 1", b""),
    ],
)
def test_a_place_is_found_in_its_body(body, place, wanted):
    assert finder(body)(place) == wanted


@given(st.binary(max_size=60), st.text(max_size=20))
def test_no_body_and_no_place_raises(body, place):
    finder(body)(place)
    kept(body)
