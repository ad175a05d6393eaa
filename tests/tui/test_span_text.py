from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from store.errors import UsageError
from store.timespan import TimeSpan
from tui.span_text import read_span

NOW = datetime(2026, 11, 22, 14, 3, 29, tzinfo=UTC)
ZURICH = ZoneInfo("Europe/Zurich")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15m", timedelta(minutes=15)),
        ("last 2h", timedelta(hours=2)),
        ("the last 1h30m", timedelta(minutes=90)),
        (" LAST 7D ", timedelta(days=7)),
    ],
)
def test_a_length_follows_now(text, length):
    assert read_span(text, now=NOW) == length


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("yesterday 14:00 to 15:00", "2026-11-21T14:00", "2026-11-21T15:00"),
        ("yesterday 14:00 to today 9:30", "2026-11-21T14:00", "2026-11-22T09:30"),
        ("yesterday", "2026-11-21", "2026-11-22"),
        ("today", "2026-11-22", "2026-11-22T14:03:29"),
        ("2026-11-20", "2026-11-20", "2026-11-21"),
        ("2026-11-20 to 2026-11-21", "2026-11-20", "2026-11-22"),
        ("9:30", "2026-11-22T09:30", "2026-11-22T14:03:29"),
        ("since yesterday 23:00", "2026-11-21T23:00", "2026-11-22T14:03:29"),
        ("13:50:10 - 13:55", "2026-11-22T13:50:10", "2026-11-22T13:55"),
        ("2026-11-22T13:00:00Z..2026-11-22T13:30:00Z", "2026-11-22T13:00", "2026-11-22T13:30"),
        ("-2h to -1h", "2026-11-22T12:03:29", "2026-11-22T13:03:29"),
        ("-1h to now", "2026-11-22T13:03:29", "2026-11-22T14:03:29"),
    ],
)
def test_a_span_is_read_as_people_write_it(text, start, end):
    assert read_span(text, now=NOW) == TimeSpan(at(start), at(end))


def test_a_time_without_a_zone_is_of_the_shown_one():
    span = read_span("14:00 to 15:00", now=NOW, zone=ZURICH)
    assert span == TimeSpan(at("2026-11-22T13:00"), at("2026-11-22T14:00"))


@pytest.mark.parametrize(
    "text", ["", "soon", "15:00 to 14:00", "2026-13-01", "25:99", "0s", "14:00 to", "to 14:00"]
)
def test_what_is_no_span_is_said_with_what_would_be(text):
    with pytest.raises(UsageError, match="write 15m"):
        read_span(text, now=NOW)
