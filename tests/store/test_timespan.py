from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import UsageError
from store.timespan import (
    ROUND_WIDTHS,
    TimeSpan,
    ceil,
    duration_text,
    floor,
    from_unix,
    iso,
    parse_duration,
    parse_instant,
    round_width,
)

NOW = datetime(2026, 11, 22, 14, 3, 27, tzinfo=UTC)
instants = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_span_holds_its_start_and_not_its_end():
    span = TimeSpan(NOW, NOW + timedelta(hours=1))
    assert span.contains(span.start)
    assert not span.contains(span.end)


def test_neighbouring_spans_share_no_instant():
    span = TimeSpan(NOW, NOW + timedelta(hours=1))
    assert not span.overlaps(span.previous())
    assert span.previous().end == span.start


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(UsageError, match="before it starts"):
        TimeSpan(NOW, NOW - timedelta(seconds=1))


@given(instants, st.sampled_from(ROUND_WIDTHS))
def test_floor_and_ceil_enclose_the_instant_on_the_grid(instant, width):
    low, high = floor(instant, width), ceil(instant, width)
    assert low <= instant <= high
    assert high - low in (timedelta(), width)
    assert floor(low, width) == low


@given(instants)
def test_iso_text_reads_back_as_the_same_instant(instant):
    assert parse_instant(iso(instant), now=NOW) == instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", NOW),
        ("-15m", NOW - timedelta(minutes=15)),
        ("-2d", NOW - timedelta(days=2)),
        ("today", datetime(2026, 11, 22, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-22T14:03:27Z", NOW),
        ("2026-11-22 14:03:27", NOW),
        ("2026-11-22T15:03:27+01:00", NOW),
        ("1795356207", NOW),
        ("1795356207000", NOW),
        ("1795356207000000", NOW),
        ("1795356207000000000", NOW),
        ("1795356207.5", NOW + timedelta(milliseconds=500)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_instants_are_read_in_every_accepted_form(text, expected):
    assert parse_instant(text, now=NOW) == expected


def test_what_has_no_zone_follows_the_given_one():
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_instant("2026-07-01T12:00", now=NOW, zone=berlin).hour == 10
    assert parse_instant("today", now=NOW, zone=berlin) == datetime(2026, 11, 21, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "12/31", "tomorrowish", "-15", "-m", "1e400", "9" * 40, "NaN"]
)
def test_what_is_no_time_is_refused_with_what_to_write(text):
    if text == "-15":
        assert parse_instant(text, now=NOW) == from_unix(-15)
        return
    with pytest.raises(UsageError, match="write ISO 8601"):
        parse_instant(text, now=NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("2w", timedelta(days=14)),
        (" 7D ", timedelta(days=7)),
    ],
)
def test_durations_are_read_as_people_write_them(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "7", "d", "1y", "1h x", "-5m"])
def test_what_is_no_duration_is_refused_with_what_to_write(text):
    with pytest.raises(UsageError, match="write 250ms"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["60000w", "9" * 30 + "d", "9" * 500 + "w", "999999999d 1h"])
def test_a_duration_that_leaves_the_calendar_is_refused(text):
    with pytest.raises(UsageError, match=r"thousand years|write 250ms"):
        parse_duration(text)
    with pytest.raises(UsageError):
        parse_instant(f"-{text}", now=NOW)
    assert parse_instant("-50000w", now=NOW).year == 1068


@given(st.integers(0, 10**12).map(lambda us: timedelta(microseconds=us)))
def test_duration_text_reads_back_as_the_same_duration(length):
    assert parse_duration(duration_text(length)) == length


def test_the_round_width_gives_at_least_the_wanted_points():
    assert round_width(timedelta(minutes=15)) == timedelta(seconds=15)
    assert round_width(timedelta(hours=24)) == timedelta(minutes=15)
    for days in (1, 3, 9, 40, 400):
        length = timedelta(days=days)
        assert length / round_width(length) >= 60
