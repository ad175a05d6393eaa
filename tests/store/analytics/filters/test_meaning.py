"""What filters find, against a slow reading of the same rules in plain Python."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import schema
from store.analytics.filters import Filter, parse_filter
from store.analytics.filters.nodes import EXISTS, Bare, Every, Negated, Node, Some, Term

AT = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
COMPARE = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def found(event: Mapping[str, Any], node: Node) -> bool:
    """The rules of the filter, one event at a time."""
    match node:
        case Every(parts):
            return all(found(event, part) for part in parts)
        case Some(parts):
            return any(found(event, part) for part in parts)
        case Negated(part):
            return not found(event, part)
        case Bare(text):
            texts = [value for value in event.values() if isinstance(value, str)]
            return any(text.lower() in value.lower() for value in texts)
        case Term(field, operator, values):
            return matches(event.get(field), operator, values)


def matches(value: Any, operator: str, wanted: tuple[str, ...]) -> bool:
    if operator == EXISTS:
        return value is not None
    if operator == "!=":
        return not matches(value, "=", wanted)
    if value is None:
        return operator == "=" and "" in wanted
    if operator == "=":
        return any(equal(value, text) for text in wanted)
    if operator == "~":
        return wanted[0].lower() in written(value).lower()
    compare, bound = COMPARE[operator], number(wanted[0])
    if bound is None:
        return compare(written(value), wanted[0])
    own = number(value) if isinstance(value, str) else value
    return own is not None and not isinstance(own, bool) and compare(own, bound)


def equal(value: Any, wanted: str) -> bool:
    if not isinstance(value, str | bool) and number(wanted) is not None:
        return value == number(wanted)
    spellings = {wanted}
    if wanted.lower() in ("true", "false"):
        spellings.add(wanted.lower())
    elif (meant := number(wanted)) is not None:
        spellings.add(written(meant))
    return written(value) in spellings


def number(text: str) -> float | int | None:
    if not NUMBER.fullmatch(text):
        return None
    value = int(text) if text.lstrip("+-").isdecimal() else float(text)
    return value if math.isfinite(value) else None


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, float):
        return str(pl.Series([value]).cast(pl.String).item())
    return str(value)


WHOLE = (0, 1, -1, 5, 10, 200, 2**53 - 1, 2**63 - 1, -(2**63))
TEXTS = (
    "",
    "1",
    "5.0",
    "10",
    "pro",
    "Pro",
    "true",
    "Éclair",
    "éclair",
    "a b",
    "1e1",
    "nan",
    "x" * 9,
)
columns = {
    "whole": st.sampled_from(WHOLE),
    "real": st.sampled_from((0.0, 0.1, 1.0, 5.0, -1.5, 1e300, 10.0)),
    "flag": st.booleans(),
    "text": st.sampled_from(TEXTS),
    "Text": st.sampled_from(TEXTS),
    "mixed": st.sampled_from((*WHOLE[:6], 0.1, 2.5, True, *TEXTS)),
}
KINDS = {"whole": pl.Int64, "real": pl.Float64, "flag": pl.Boolean}
events = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in columns.items()}),
    max_size=12,
)
wanted = st.sampled_from(
    (*TEXTS, "0", "-1", "0.1", "5", "1.0", "200", "TRUE", "false", "9223372036854775807", "1e400")
) | st.sampled_from(("99999999999999999999", "-1e30", "1.5", "ÉCLAIR", "b", "ä"))
fields = st.sampled_from((*columns, "gone"))
leaves = (
    st.builds(
        Term,
        fields,
        st.sampled_from(("=", "!=")),
        st.lists(wanted, min_size=1, max_size=3).map(tuple),
    )
    | st.builds(Term, fields, st.sampled_from(tuple(COMPARE)), st.tuples(wanted))
    | st.builds(Term, fields, st.just("~"), st.tuples(wanted))
    | st.builds(Term, fields, st.just(EXISTS))
    | st.builds(Bare, wanted.filter(bool))
)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Every(tuple(parts)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda parts: Some(tuple(parts)))
        | inner.map(Negated)
    ),
    max_leaves=5,
)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows as a scan gives them: a column of mixed types is text."""
    text = [None if row["mixed"] is None else written(row["mixed"]) for row in rows]
    typed = {
        n: pl.Series(n, [r[n] for r in rows], dtype=KINDS.get(n, pl.String))
        for n in columns
        if n != "mixed"
    }
    return pl.DataFrame({**typed, "mixed": pl.Series("mixed", text, dtype=pl.String)})


def picked(stored: pl.DataFrame, wanted: Filter) -> list[bool]:
    return stored.select(keep=wanted.expr(stored.schema))["keep"].to_list() if stored.width else []


@given(events, trees)
def test_a_filter_finds_what_the_slow_reading_finds(rows: list[dict[str, Any]], root: Node):
    stored = frame(rows)
    seen = [
        {**row, "mixed": None if row["mixed"] is None else written(row["mixed"])} for row in rows
    ]
    kept = stored.with_row_index().filter(Filter(root).expr(stored.schema))["index"].to_list()
    assert kept == [index for index, row in enumerate(seen) if found(row, root)]


@given(st.sampled_from((*WHOLE[:6], 0.1, 2.5, -1.5)), trees)
def test_a_number_is_found_alike_in_every_column_type_that_holds_it(value: float, root: Node):
    """A scan widens by what else is there; that must not change what a filter finds."""
    if any(isinstance(leaf, Bare) for leaf in leaves_of(root)):
        return
    kinds = [pl.Float64, pl.String] + (
        [pl.Int64, pl.Int16] if isinstance(value, int) and abs(value) < 2**15 else []
    )
    answers = set()
    for kind in kinds:
        own = written(value) if kind == pl.String else value
        stored = pl.DataFrame({"mixed": pl.Series([own], dtype=kind)})
        answers.add(stored.filter(Filter(root).expr(stored.schema)).height)
    assert len(answers) == 1


def leaves_of(node: Node) -> list[Node]:
    match node:
        case Every(parts) | Some(parts):
            return [leaf for part in parts for leaf in leaves_of(part)]
        case Negated(part):
            return leaves_of(part)
    return [node]


@given(trees)
def test_it_reads_only_the_columns_it_says(root: Node):
    stored = frame([dict.fromkeys(columns)])
    needed = Filter(root).columns(stored.schema)
    assert set(Filter(root).expr(stored.schema).meta.root_names()) <= needed


STORED = pl.DataFrame(
    {
        "event_id": ["bad0", "1", "2", "3"],
        "event_time": pl.Series([AT] * 4, dtype=schema.INSTANT),
        "severity": pl.Series([9, 14, 17, None], dtype=pl.UInt8),
        "message": ["fine", "EACCES: permission denied", "timeout", None],
        "duration_ms": [5.0, 1500.0, math.nan, None],
        "attr.Value": ["a", None, "c", "d"],
        "nothing": pl.Series([None] * 4, dtype=pl.Null),
    }
)


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("severity>=warning", [1, 2]),
        ("severity>warning", [2]),
        ("severity=warn", [1]),
        ("severity=warn2", [1]),
        ("severity=13", []),
        ("severity<=warning", [0, 1]),
        ("severity<warning", [0]),
        ("severity!=error", [0, 1, 3]),
        ('severity=""', [3]),
        ("severity=*", [0, 1, 2]),
        ("severity_class=error,info", [0, 2]),
        ("severity~warn", [1]),
        ("duration_ms>1s", [1]),
        ("duration_ms=NaN", [2]),
        ("-duration_ms>1s", [0, 2, 3]),
        ("message~DENIED", [1]),
        ("message=~^time", [2]),
        ("message=~(?i)^TIME", [2]),
        ("-message=*", [3]),
        ("message=''", [3]),
        ("bad", []),
        ("bad0", [0]),
        ("PERMISSION", [1]),
        ("attr.Value=a,d", [0, 3]),
        ("event_time=2026-11-22T14:00:00Z", [0, 1, 2, 3]),
        ("event_time>2026-11-22T14:00:00Z", []),
        ("event_time>=1795356000", [0, 1, 2, 3]),
        ("event_time=1795356000001", []),
        ("nothing=*", []),
        ("nothing=''", [0, 1, 2, 3]),
        ("nothing!=x", [0, 1, 2, 3]),
        ("gone>5 or severity=info", [0]),
        ("", [0, 1, 2, 3]),
        ({"$not": {}}, []),
    ],
)
def test_what_a_filter_finds(where: Any, rows: list[int]):
    kept = STORED.with_row_index().filter(parse_filter(where).expr(STORED.schema))
    assert kept["index"].to_list() == rows


def test_whole_numbers_above_2_to_the_53_are_told_apart():
    stored = pl.DataFrame({"n": [2**53, 2**53 + 1], "t": [str(2**53), str(2**53 + 1)]})
    for where in (f"n>{2**53}", f"n={2**53 + 1}", f"t>{2**53}", f"t={2**53 + 1}"):
        assert picked(stored, parse_filter(where)) == [False, True], where


def test_a_thousand_terms_are_no_trouble():
    stored = pl.DataFrame({"n": [5, 5_000]})
    for joined in (" or ", " "):
        text = joined.join(
            f"n={number}" if joined.strip() else f"-n={number}" for number in range(1_000)
        )
        assert picked(stored, parse_filter(text)) == (
            [True, False] if joined.strip() else [False, True]
        )
