"""The fixed fields: what fits, what is kept beside, what is made."""

from datetime import timedelta

import pytest
import xxhash

from tests.decoding import RECEIVED, decode, ndjson, one


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("user_id", 42, "42"),
        ("user_id", 2**70, str(2**70)),
        ("service_version", 2, "2"),
        ("duration_ms", 12, 12.0),
        ("user_bucket", 65_535, 65_535),
        ("is_dev", True, True),
        ("sample_rate", 1, 1.0),
        ("value", -1e300, -1e300),
        ("value", 2**53, 2.0**53),
    ],
)
def test_what_fits_a_fixed_field_is_there(name, value, kept):
    assert one(**{name: value})[name] == kept


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("user_id", 1.5, 1.5),
        ("user_id", True, True),
        ("user_id", ["ada"], '["ada"]'),
        ("message", {}, "{}"),
        ("duration_ms", "fast", "fast"),
        ("duration_ms", "12", "12"),
        ("duration_ms", True, True),
        ("value", 2**53 + 1, 2**53 + 1),
        ("value", 2**70, str(2**70)),
        ("user_bucket", 65_536, 65_536),
        ("user_bucket", -1, -1),
        ("user_bucket", 1.5, 1.5),
        ("is_dev", "yes", "yes"),
        ("sample_rate", 0.5, 0.5),
        ("sample_rate", 0, 0),
        ("severity", 99, 99),
        ("severity", 9.5, 9.5),
        ("severity", True, True),
        ("event_id", 1.5, 1.5),
        ("event_type", False, False),
        ("received_time", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("source", "google", "google"),
        ("subject_hash", 5, 5),
        ("Duration_Ms", 5, 5),
        ("EVENT_NAME", "y", "y"),
        ("out_of_time", True, True),
        ("original_bytes", 7, 7),
        ("_part", 7, 7),
        ("_date", "x", "x"),
        ("_overflow", "x", "x"),
        ("", "x", "x"),
    ],
)
def test_what_does_not_is_kept_beside_as_it_was(name, value, kept):
    event = one(**{name: value})
    assert event[f"attr.{name}"] == kept
    assert event.get(name) != value or name == "event_name"


def test_each_row_is_judged_by_itself():
    values = [1, "fast", None, 2.5, True, 2**53 + 1]
    decoded = decode(ndjson(*({"event_name": "x", "duration_ms": value} for value in values)))
    assert decoded.events["duration_ms"].to_list() == [1.0, None, None, 2.5, None, None]
    kept = decoded.events["attr.duration_ms"].to_list()
    assert kept == [None, "fast", None, None, "true", str(2**53 + 1)]


def test_a_name_that_is_taken_gets_one_more_prefix():
    event = one(
        **{"duration_ms": "fast", "attr.duration_ms": "mine", "SOURCE": 1, "attr.SOURCE": 2}
    )
    assert event["attr.duration_ms"] == "mine"
    assert event["attr.attr.duration_ms"] == "fast"
    assert (event["attr.SOURCE"], event["attr.attr.SOURCE"]) == (2, 1)


@pytest.mark.parametrize(
    ("given", "number", "text"),
    [
        ({"severity": "error"}, 17, "error"),
        ({"severity": "WARN"}, 13, "WARN"),
        ({"severity": 17}, 17, "error"),
        ({"severity": 18.0}, 18, "error"),
        ({"severity": "17"}, 17, "17"),
        ({"severity": "odd"}, None, "odd"),
        ({"severity": 13, "severity_text": "Warnung"}, 13, "Warnung"),
        ({"severity_text": "fatal"}, 21, "fatal"),
        ({"level": "debug"}, 5, "debug"),
        ({"level": 30}, None, None),
        ({"event_type": "error"}, 17, "error"),
        ({"event_type": "error", "severity": "info"}, 9, "info"),
        ({"event_type": "anything"}, None, None),
    ],
)
def test_severities_have_a_number_and_a_text(given, number, text):
    event = one(**given)
    assert (event.get("severity"), event.get("severity_text")) == (number, text)


def test_a_level_stays_an_attribute():
    assert one(level="debug")["level"] == "debug"


def test_the_subject_is_the_user_else_the_install():
    bodies = [{"user_id": "ada", "install_id": "i"}, {"user_id": "", "install_id": "i"}, {}]
    decoded = decode(ndjson(*({"event_name": "x"} | body for body in bodies)))
    ada, install = (xxhash.xxh3_64_intdigest(name.encode()) for name in ("ada", "i"))
    assert decoded.events["subject_hash"].to_list() == [ada, install, None]


def test_the_hash_of_a_subject_never_changes():
    assert one(user_id="ada")["subject_hash"] == 7_574_285_342_802_214_959


@pytest.mark.parametrize(
    ("moment", "flag"),
    [
        (RECEIVED, None),
        (RECEIVED + timedelta(days=2), None),
        (RECEIVED + timedelta(days=2, seconds=1), True),
        (RECEIVED.replace(year=1990), None),
        (RECEIVED.replace(year=1989), True),
        (RECEIVED.replace(year=1), True),
        (RECEIVED.replace(year=9999), True),
    ],
)
def test_a_time_that_cannot_be_is_kept_and_flagged(moment, flag):
    event = one(event_time=moment.isoformat())
    assert event["event_time"] == moment
    assert event.get("out_of_time") is flag


def test_ids_are_filled_in_ascending_and_given_ones_stay():
    decoded = decode(
        ndjson(*({"event_name": "x", "event_id": i} for i in [None, "b", "", 7, None]))
    )
    made = decoded.events["event_id"].to_list()
    assert (made[1], made[3]) == ("b", "7")
    assert made[0] < made[2] < made[4]


def test_an_id_of_a_year_that_no_date_has_gives_no_time():
    event = one(event_id="ffffffff-ffff-7fff-bfff-ffffffffffff")
    assert event["event_time"] == RECEIVED
