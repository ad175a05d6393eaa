"""Spans on the command line."""

from argparse import Namespace
from datetime import UTC, datetime, timedelta

import pytest

from store.errors import UsageError
from store.timespan import TimeSpan
from tui.commands.times import span_of, zone_of

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(since=None, until=None, last=None, tz="UTC", stored=None):
    options = Namespace(since=since, until=until, last=last, tz=tz, tz_default="UTC")
    return span_of(options, now=NOW, stored=stored)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, None),
        ({"last": "1h"}, TimeSpan(NOW - HOUR, NOW)),
        ({"since": "-2h"}, TimeSpan(NOW - 2 * HOUR, NOW)),
        ({"since": "today"}, TimeSpan(MIDNIGHT, NOW)),
        ({"since": "yesterday", "until": "today"}, TimeSpan(MIDNIGHT - 24 * HOUR, MIDNIGHT)),
        ({"since": "today", "last": "1h"}, TimeSpan(MIDNIGHT, MIDNIGHT + HOUR)),
        ({"until": "today", "last": "1h"}, TimeSpan(MIDNIGHT - HOUR, MIDNIGHT)),
        ({"since": "2026-11-22T01:00", "tz": "Europe/Berlin"}, TimeSpan(MIDNIGHT, NOW)),
        ({"since": "1795305600"}, TimeSpan(MIDNIGHT, NOW)),
        ({"since": "1795305600000000000"}, TimeSpan(MIDNIGHT, NOW)),
        ({"until": "now"}, TimeSpan(NOW, NOW)),
        (
            {"until": "now", "stored": TimeSpan(MIDNIGHT, MIDNIGHT + HOUR)},
            TimeSpan(MIDNIGHT, NOW),
        ),
    ],
)
def test_what_the_options_mean_together(given, wanted):
    assert span(**given) == wanted


@pytest.mark.parametrize(
    "given",
    [
        {"since": "today", "until": "now", "last": "1h"},
        {"since": "now", "until": "today"},
        {"last": "0s"},
        {"last": "soon"},
        {"since": "soon"},
        {"last": "99999999w"},
        {"since": "-99999999d"},
        {"until": "0100-01-01", "last": "50000w"},
        {"since": "9990-01-01", "last": "50000w"},
        {"since": "today", "tz": "../etc/passwd"},
    ],
)
def test_a_span_that_makes_no_sense_is_refused(given):
    with pytest.raises(UsageError):
        span(**given)


def test_zones_have_names():
    assert zone_of("utc") is UTC
    assert NOW.astimezone(zone_of("Asia/Kolkata")).utcoffset() == timedelta(hours=5.5)
    assert zone_of("local") is not None
