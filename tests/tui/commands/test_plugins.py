"""Analyses from outside, on the command line; the one that the README shows first of all."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.analytics.plugins import known_analyses
from store.analytics.registry import ANALYSES
from store.testing import events_of, store_of
from store.timespan import TimeSpan
from tests.readme import plugin_example

MIDNIGHT = datetime(2025, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    return plugin_example(tmp_path_factory.mktemp("plugin"))


def test_the_example_of_the_readme_is_short(hours):
    assert len(hours.read_text().splitlines()) <= 30


def test_the_example_of_the_readme_answers_in_every_form(eventdeck, stored, hours):
    stored(user_id=["ada", "bob", "ada"])
    plugin = ("query", "hours", "--plugin", hours)
    assert json.loads(eventdeck(*plugin, "--json").out)["result"] == {
        "rows": [{"hour": "12", "events": 3}]
    }
    assert eventdeck(*plugin, "--csv", "--where", "user_id=ada").out == "hour,events\n12,2\n"
    assert eventdeck("query", f"--plugin={hours}", "hours").code == 0
    assert "hours" in eventdeck("query", "--plugin", hours, "--help").out
    assert eventdeck(*plugin, "--help").code == 0


@settings(deadline=None, max_examples=25)
@given(
    minutes=st.lists(st.lists(st.integers(0, 2879), max_size=5), max_size=6),
    first=st.integers(0, 2879),
    length=st.integers(1, 2880),
)
def test_the_example_counts_what_is_in_the_span_however_it_is_split(
    tmp_path_factory, hours, minutes, first, length
):
    times = [[MIDNIGHT + timedelta(minutes=at) for at in part] for part in minutes if part]
    parts = [
        events_of({"event_id": f"{n}-{m}", "event_time": time} for m, time in enumerate(part))
        for n, part in enumerate(times)
    ]
    analysis = known_analyses([str(hours)])[-1]
    store = store_of(tmp_path_factory.mktemp("s") / "s", *parts, analyses=(analysis,))
    start = MIDNIGHT + timedelta(minutes=first)
    span = TimeSpan(start, start + timedelta(minutes=length))
    inside = [time.hour for part in times for time in part if span.start <= time < span.end]
    rows = store.run(analysis.query_type(span=span)).result.rows
    assert {int(row.key["hour"]): row.values["events"] for row in rows} == {
        hour: inside.count(hour) for hour in inside
    }


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = 1", "it has no ANALYSES; write ANALYSES = (YourAnalysis(),)"),
        ("ANALYSES = ()", "it has no ANALYSES"),
        ("ANALYSES = (object(),)", "object has no name, query_type, as_json, version"),
        ("1/0", "it fails: ZeroDivisionError: division by zero"),
        ("def (", "it fails: SyntaxError"),
        (
            "from store.analytics.registry import ANALYSES",
            "there is an analysis 'trends' already; give it another name",
        ),
    ],
)
def test_a_plugin_that_is_none_is_told_in_a_sentence(eventdeck, tmp_path, code, says):
    file = tmp_path / "mine.py"
    file.write_text(code)
    done = eventdeck("query", "trends", "--plugin", file)
    assert (done.code, done.out) == (2, "")
    assert "mine.py" in done.err
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_missing_plugin_is_told_too(eventdeck):
    done = eventdeck("query", "trends", "--plugin", "/no/such.py")
    assert (done.code, done.out) == (2, "")
    assert "/no/such.py: no such file or directory" in done.err


def test_an_installed_package_declares_its_analyses(monkeypatch, tmp_path, hours):
    (tmp_path / "busy.py").write_text(hours.read_text())
    info = tmp_path / "busy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: busy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[eventdeck.analyses]\nhours = busy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert [each.name for each in known_analyses()] == [*(each.name for each in ANALYSES), "hours"]
