from datetime import datetime, timedelta, timezone

import polars as pl
import pytest

from store.schema import (
    FIXED,
    INSTANT,
    REQUIRED,
    as_text,
    instant,
    severity_class,
    severity_number,
    widened,
)


def test_the_required_columns_come_first():
    assert tuple(FIXED)[:4] == REQUIRED


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("error", 17),
        ("ERROR", 17),
        ("WARN", 13),
        ("warn2", 14),
        ("info4", 12),
        ("fatal", 21),
        ("17", 17),
        ("24", 24),
        ("25", None),
        ("0", None),
        ("loud", None),
        ("", None),
        ("error5", None),
    ],
)
def test_severities_are_read_by_name_and_by_number(text, number):
    assert severity_number(text) == number


def test_each_number_belongs_to_its_class_and_null_to_none():
    numbers = pl.DataFrame({"severity": [1, 4, 5, 9, 13, 16, 17, 21, 24, None, 0]})
    assert numbers.select(severity_class()).to_series().to_list() == (
        ["trace", "trace", "debug", "info", "warning", "warning", "error", "fatal", "fatal"]
        + [None] * 2
    )


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ([], pl.Null()),
        ([pl.Null(), pl.Int64()], pl.Int64()),
        ([pl.Int64(), pl.Float64()], pl.Float64()),
        ([pl.Int64(), pl.Boolean()], pl.String()),
        ([pl.Float64(), pl.String()], pl.String()),
        ([pl.Int64(), pl.UInt64()], pl.Int128()),
    ],
)
def test_types_meet_in_the_narrowest_that_holds_all(types, expected):
    assert widened(types) == expected


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 1.5, -0.0, None, 1e300], ["1", "1.5", "0", None, "1e+300"]),
        ([1, -2, None], ["1", "-2", None]),
        ([True, False, None], ["true", "false", None]),
        (["1.0", "é", None], ["1.0", "é", None]),
    ],
)
def test_values_read_as_text_without_a_needless_fraction(values, texts):
    frame = pl.DataFrame({"x": values})
    assert frame.select(as_text("x", frame.schema["x"]))["x"].to_list() == texts


@pytest.mark.parametrize("hours", [0, 5.75, -8])
def test_an_instant_in_an_expression_is_that_instant(hours):
    zone = timezone(timedelta(hours=hours))
    for moment in (datetime(1, 1, 2, tzinfo=zone), datetime(2026, 11, 22, 12, 0, 0, 7, zone)):
        found = pl.select(instant(moment)).to_series()
        assert (found.dtype, found.item()) == (INSTANT, moment)
