"""Times in all the forms that programs write."""

import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.normalise.times import instants
from store.schema import INSTANT
from store.timespan import EPOCH, iso

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
SECONDS = 1_795_348_800


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00.250Z",
        "2026-11-22T12:00:00.25z",
        "2026-11-22t12:00:00.250000123Z",
        "2026-11-22T12:00:00,250Z",
        "2026-11-22 12:00:00.250",
        "2026-11-22 12:00:00.250 UTC",
        "2026-11-22 14:00:00.250 +0200",
        "2026-11-22T07:00:00.250-05:00",
        "2026-11-22T17:30:00.250+0530",
        "20261122T120000.250Z",
        "2026-W47-7T12:00:00.250Z",
        " 2026-11-22T12:00:00.250Z ",
        f"{SECONDS}.25",
        f"{SECONDS}250",
        f"{SECONDS}250000",
        f"{SECONDS}250000999",
        f"{SECONDS}.25e0",
    ],
)
@pytest.mark.parametrize("company", [[], ["2026-11-22T12:00:00+01"], ["1"], ["never"]])
def test_each_form_is_read_alone_and_in_a_mixed_column(text, company):
    assert instants(pl.Series("t", [text, *company, None]), UTC)[0] == NOON


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00.250000123Z",
        "2026-11-22T12:00:00.250000123",
        "2026-11-22 12:00:00.25",
        "2026-11-22",
        "2026-11-22T12:00Z",
        "2026-10-25T02:30:00",
        "2026-03-29 02:30:00",
        f"{SECONDS}",
        f"{SECONDS}250000999",
        "9" * 25,
        "2026-13-01T00:00:00",
        "never",
        "",
    ],
)
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_a_few_are_read_as_many_are(text, zone):
    alone = instants(pl.Series("t", [text]), zone)
    assert alone.to_list() * 100 == instants(pl.Series("t", [text] * 100), zone).to_list()


@given(st.lists(st.integers(0, 2**63 - 1) | st.floats(0, 2**62), min_size=1, max_size=3))
@example([3.1796610931948047e18])
def test_numbers_of_one_unit_are_read_as_in_company(numbers):
    for kind in (int, float):
        values = pl.Series("t", list(map(kind, numbers)), strict=False)
        mixed = pl.concat([values, pl.Series("t", [kind(-1), kind(10**13), None])])
        assert instants(values, UTC).to_list() == instants(mixed, UTC).to_list()[: len(values)]


@pytest.mark.parametrize("odd", [math.nan, math.inf, None])
def test_a_float_that_is_none_leaves_the_others_theirs(odd):
    assert instants(pl.Series("t", [SECONDS + 0.25, odd]), UTC).to_list() == [NOON, None]


@pytest.mark.parametrize(
    "number",
    [SECONDS + 0.25, SECONDS * 1000 + 250, (SECONDS * 1000 + 250) * 1000, (SECONDS * 4 + 1) * 25e7],
)
def test_unix_numbers_are_told_apart_by_their_size(number):
    assert instants(pl.Series("t", [number, None]), UTC).to_list() == [NOON, None]


def test_a_float_is_rounded_to_the_microsecond_and_not_cut():
    read = instants(pl.Series("t", [1_700_000_000.1]), UTC)
    assert read[0].microsecond == 100_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "never",
        "12/31/2026",
        "2026-02-30T00:00:00Z",
        "2026-11-22T25:00:00Z",
        "1e30",
        "99999-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        *("9" * 24, "-" * 3, "٣", "2026-11-22T12:00:00+99:00", "nan", "inf", "0x10"),
    ],
)
def test_what_is_no_time_is_null(text):
    assert instants(pl.Series("t", [text]), UTC).to_list() == [None]


@pytest.mark.parametrize("number", [1e30, -1e30, float("nan"), float("inf"), 2**63 - 1, -(2**62)])
def test_numbers_that_no_date_can_say_are_null_or_dates(number):
    read = instants(pl.Series("t", [number]), UTC)
    assert read.dtype == INSTANT
    assert read[0] is None or 1 <= read[0].year <= 9999


@pytest.mark.parametrize("zone", [ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=1))])
def test_what_has_no_zone_is_in_the_zone_given(zone):
    read = instants(pl.Series("t", ["2026-01-01 13:00", "2026-01-01T12:00Z"]), zone)
    assert read[0] == read[1]
    assert instants(pl.Series("t", ["2026-01-01 13:00"]), zone)[0] == read[0]


def test_an_hour_that_came_twice_is_the_first_and_one_that_never_came_is_later():
    berlin = ZoneInfo("Europe/Berlin")
    twice = instants(pl.Series("t", ["2026-10-25T02:30:00"]), berlin)
    never = instants(pl.Series("t", ["2026-03-29T02:30:00"]), berlin)
    assert iso(twice[0]) == "2026-10-25T00:30:00Z"
    assert iso(never[0]) == "2026-03-29T01:30:00Z"


def test_dates_and_datetimes_of_files_are_taken_as_they_are():
    naive = pl.Series("t", [NOON.replace(tzinfo=None)])
    for unit in ("ms", "us", "ns"):
        assert instants(naive.cast(pl.Datetime(unit)), UTC)[0] == NOON
        zoned = naive.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
        assert instants(zoned.cast(pl.Datetime(unit, "Asia/Tokyo")), UTC)[0] == NOON
    assert instants(pl.Series("t", [NOON.date()]), UTC)[0] == NOON.replace(hour=0, microsecond=0)


@given(st.integers(-62_135_510_400, 253_402_127_999), st.integers(0, 999_999))
def test_what_we_print_we_read(seconds, micros):
    moment = EPOCH + timedelta(seconds=seconds, microseconds=micros)
    assert instants(pl.Series("t", [iso(moment)]), UTC)[0] == moment
