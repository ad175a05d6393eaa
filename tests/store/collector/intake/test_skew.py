"""Times of senders with a wrong clock."""

from datetime import timedelta

import pytest

from store.collector.intake.skew import SKEW, Skew
from store.timespan import iso
from tests.decoding import RECEIVED

HOUR = timedelta(hours=1)


def corrected(sent_at, made):
    return Skew(sent_at, RECEIVED).corrected({"event_time": made})


def test_a_clock_that_is_an_hour_behind_is_set_right():
    made = RECEIVED - HOUR - timedelta(seconds=5)
    assert corrected(iso(RECEIVED - HOUR), iso(made)) == {
        "event_time": iso(made + HOUR),
        SKEW: 3600.0,
    }


def test_a_clock_of_1970_is_set_right():
    assert corrected(70, 10)["event_time"][:16] == iso(RECEIVED - timedelta(minutes=1))[:16]


@pytest.mark.parametrize(
    "sent_at",
    [
        None,
        "soon",
        {},
        [1],
        True,
        iso(RECEIVED),
        iso(RECEIVED - timedelta(seconds=29)),
        "9" * 400,
    ],
)
def test_without_a_time_of_sending_that_is_off_nothing_is_changed(sent_at):
    event = {"event_time": iso(RECEIVED - HOUR)}
    assert Skew(sent_at, RECEIVED).corrected(event) is event


@pytest.mark.parametrize(
    "made",
    [iso(RECEIVED - timedelta(days=30)), iso(RECEIVED), None, "never", "0001-01-01T00:00:00Z"],
)
def test_an_event_that_was_not_made_in_the_week_before_keeps_its_time(made):
    """It is imported history, or its time is no time."""
    assert corrected(iso(RECEIVED - HOUR), made) == {"event_time": made}


def test_what_is_sent_again_gets_the_same_time_again():
    """Each sending has its own delay; the id is the same only on the same day."""
    sendings = (timedelta(seconds=seconds) for seconds in (0, 3.5, 12))
    times = {
        Skew(iso(RECEIVED - HOUR), RECEIVED + late).corrected({"event_time": iso(RECEIVED - HOUR)})[
            "event_time"
        ]
        for late in sendings
    }
    assert len(times) == 1
