"""What the filter bar offers at the cursor."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.analytics.filters import completion, parse_filter
from store.errors import UsageError

TYPES = {
    "event_name": pl.String(),
    "severity": pl.UInt8(),
    "service_name": pl.String(),
    "service_version": pl.String(),
    "duration_ms": pl.Float64(),
    "is_dev": pl.Boolean(),
    "a b": pl.String(),
}
VALUES = {"service_name": ["api", "web shop", "worker"], "event_name": ["tool_error", "signup"]}


def offered(text: str, types: dict = TYPES) -> tuple:
    """The options at the `|` in the text."""
    cursor = text.index("|")
    found = completion(text.replace("|", ""), cursor, types, lambda name: VALUES.get(name, []))
    return found.kind, *found.options


def test_an_empty_bar_offers_the_fields():
    assert offered("|") == (
        "field", "event_name", "severity", "service_name", "service_version", "duration_ms",
        "is_dev", '"a b"', "severity_class",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("serv|", ("field", "service_name", "service_version")),
        ("NAME|", ("field", "event_name", "service_name")),
        ("severity>=error -(serv|", ("field", "service_name", "service_version")),
        ("severity|", ("operator", "severity>=", "severity=", "severity!=", "severity<=", "severity>", "severity<", "severity_class")),
        ("event_name|", ("operator", "event_name=", "event_name!=", "event_name~", "event_name=~", "event_name=*")),
        ("severity>=e|", ("value", "error", "debug", "trace")),
        ("severity >= w|", ("value", "warning")),
        ("is_dev=|", ("value", "true", "false")),
        ("service_name=|", ("value", "api", '"web shop"', "worker")),
        ("service_name=api,w|", ("value", '"web shop"', "worker")),
        ('service_name="web s|', ("value", '"web shop"')),
        ("(service_name=w|ork) x", ("value", '"web shop"', "worker")),
        ("nothing=|", ("value",)),
        ("service_name=api |sev", ("field", "event_name", "severity", "service_name", "service_version", "duration_ms", "is_dev", '"a b"', "severity_class")),
    ],
)  # fmt: skip
def test_what_is_offered_at_the_cursor(text: str, options: tuple):
    assert offered(text) == options


def test_an_option_replaces_the_word_under_the_cursor():
    found = completion("x=1 (service_name=wo) y=2", 19, TYPES, lambda name: VALUES.get(name, []))
    assert found.applied("x=1 (service_name=wo) y=2", "worker") == (
        "x=1 (service_name=worker) y=2",
        24,
    )


@given(st.text(alphabet="ab =~>!,()\"'-\\severity", max_size=16), st.integers(0, 16))
def test_every_option_can_be_applied(text: str, cursor: int):
    cursor = min(cursor, len(text))
    found = completion(text, cursor, TYPES, lambda _: ["plain", 'sp ace"d'])
    assert 0 <= found.start <= cursor <= found.end <= len(text)
    for option in found.options:
        changed, after = found.applied(text, option)
        assert changed[found.start : after] == option


@given(st.sampled_from(("", "a=1 ", "(a=1 or ", "-", "a=1,2 -(")), st.sampled_from(tuple(TYPES)))
def test_taking_what_is_offered_makes_a_filter(before: str, field: str):
    text = before + field[:2]
    for _ in range(3):
        found = completion(text, len(text), TYPES, lambda _: ["v 1"])
        if not found.options:
            break
        text, _cursor = found.applied(text, found.options[0])
    try:
        parse_filter(text + ")" * before.count("("))
    except UsageError as error:  # numbers have no values to offer
        assert "value is missing" in error.fault  # noqa: PT017
