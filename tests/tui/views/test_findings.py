from datetime import UTC, datetime, timedelta

import pytest

from store.analytics.shapes import Answer, Row, Table
from store.timespan import TimeSpan
from tui.glyphs import FULL
from tui.views.findings import findings_of, marks_of

NOW = datetime(2026, 11, 22, 14, 3, 29, tzinfo=UTC)
SPAN = TimeSpan(NOW - timedelta(minutes=15), NOW)


def told(*rows):
    return Answer("changes", None, NOW, SPAN, Table((), [Row(key, values) for key, values in rows]))


def finding(kind, factor=None, **values):
    row = ({"event_name": "x"}, {"kind": kind, "factor": factor, "since": NOW, **values})
    return findings_of(told(row), zone=UTC, glyphs=FULL)[0]


@pytest.mark.parametrize(
    ("kind", "factor", "change"),
    [
        ("new", None, "✦ new"),
        ("gone", None, "✧ gone"),
        ("count", 9.12, "▲ ×9.1"),
        ("count", 1.53, "▲ +53 %"),
        ("count", 0.88, "▼ −12 %"),
        ("errors", 4.0, "▲ ×4.0 errors"),
    ],
)
def test_a_change_is_a_sign_and_a_size(kind, factor, change):
    assert finding(kind, factor).change == change


def test_what_got_slower_says_so():
    assert finding("p95", 1.4).subject == "p95 x"
    assert finding("p95", 1.4).role == "warning"
    assert finding("p95", 0.5).role == "dim"


def test_when_it_began_is_told_in_words():
    assert finding("new").when == "at 14:03"
    assert finding("count", 3).when == "since 14:03"
    assert finding("gone").when == "last at 14:03"
    assert finding("count", 3, since=None).when == ""


def test_the_version_the_fault_and_the_user_come_first():
    attributes = [
        {"attribute": "region", "value": "eu", "share": 1.0},
        {"attribute": "user_id", "value": "ada", "count": 1, "of": 3912},
        {"attribute": "message", "value": "EACCES", "share": 0.94},
        {"attribute": "service_version", "value": "2.4.0", "share": 1.0},
        {"attribute": "path", "value": "/", "share": 0.6},
    ]
    details = finding("new", attributes=attributes).details
    assert [(d.attribute, d.share) for d in details] == [
        ("service_version", "100 %"),
        ("message", "94 %"),
        ("user_id", "1 of 3,912"),
        ("region", "100 %"),
    ]


def test_a_version_first_seen_within_the_span_is_a_mark():
    def release(minutes, version):
        key = {"service_name": "api", "service_version": version}
        return key, {"first_seen": NOW - timedelta(minutes=minutes)}

    marks = marks_of(told(release(20, "1"), release(5, "2")))
    assert [(mark.text, mark.instant) for mark in marks] == [("api 2", NOW - timedelta(minutes=5))]
