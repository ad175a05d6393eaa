"""Breakdowns on the command line: several attributes at once, for people, as CSV and as JSON."""

import csv
import io
import json

import pytest

SPAN = ("--since", "2025-11-22T12:00", "--until", "2025-11-22T12:04")


@pytest.fixture
def shop(stored):
    who, plans, regions = ["ada", "bob", "eve"], ["pro", None, "pro"], ["eu", "us", "us"]
    stored(user_id=who, subject_hash=[1, 2, 3], plan=plans, region=regions)


def test_a_breakdown_that_means_nothing_is_refused_with_what_to_do_instead(eventdeck, shop):
    from store.analytics import ANALYSES

    types = [known.load().query_type for known in ANALYSES]
    refusing = {each.analysis: each for each in types if not each.breaks_down}
    assert {"releases", "changes"} <= refusing.keys()
    for name, query_type in refusing.items():
        done = eventdeck("query", name, "--by", "plan")
        assert (done.code, done.out) == (2, "")
        assert f"{name} is not broken down" in done.err
        assert query_type.instead_of_by in done.err


def test_every_other_analysis_takes_several_attributes_at_once(eventdeck, shop):
    from store.analytics import ANALYSES

    by = ("--by", "plan", "--by", "region", "--limit", "1")
    for analysis in (known.load() for known in ANALYSES):
        steps = "steps" in analysis.query_type.__dataclass_fields__
        asked = (*(("--step", "*") if steps else ()), *by)
        for form in ((), ("--csv",), ("--json",)) if analysis.query_type.breaks_down else ():
            done = eventdeck("query", analysis.name, *SPAN, *asked, *form)
            assert (done.code, done.err) == (0, ""), (analysis.name, form, done)


def test_a_breakdown_of_nobody_is_an_answer(eventdeck, shop):
    for name in ("funnel", "funnel-trend"):
        done = eventdeck("query", name, *SPAN, "--step", "visit", "--by", "plan", "--csv")
        assert done.code == 0, (name, done.err)


def test_sessions_are_a_row_for_each_value_and_all_of_them_in_json(eventdeck, shop):
    words = ("query", "sessions", *SPAN, "--by", "plan")
    rows = list(csv.DictReader(io.StringIO(eventdeck(*words, "--csv").out)))
    assert [(row["plan"], row["sessions"], row["bounced"]) for row in rows] == [
        ("pro", "2", "2"),
        ("", "1", "1"),
    ]
    told = json.loads(eventdeck(*words, "--json").out)["result"]
    assert [row["key"] for row in told["rows"]] == [{"plan": "pro"}, {"plan": ""}, {"plan": "pro"}]
    shown = eventdeck(*words).out
    assert "(none)" in shown
    assert "events per session" in shown
    assert eventdeck(*words, "--fail-if", "sessions>1").code == 1


def test_what_is_folded_is_named_for_people(eventdeck, shop):
    done = eventdeck("query", "drop-off", *SPAN, "--by", "plan", "--by", "region", "--limit", "1")
    assert [line.split() for line in done.out.splitlines()] == [
        ["plan", "region", "event_name", "count", "share"],
        ["(none)", "us", "visit", "1", "1"],
        ["(others)", "(others)", "visit", "2", "1"],
    ]


def test_rows_that_share_a_key_are_not_those_of_the_span_before(eventdeck, shop):
    words = ("--by", "plan", "--compare", "previous", "--csv")
    assert "previous" not in eventdeck("query", "transitions", *SPAN, *words).out
    assert "previous_sessions" in eventdeck("query", "sessions", *SPAN, *words).out


def test_a_value_that_reads_as_the_word_for_others_or_none_is_in_quotes(eventdeck, stored):
    plans = ["(others)", "(others)", "(none)", None, "pro"]
    stored(user_id=list("abcde"), subject_hash=[1, 2, 3, 4, 5], plan=plans)
    asked = ("top", *SPAN, "--by", "plan")
    lines = eventdeck("query", *asked).out.splitlines()[1:]
    assert {line.split()[0] for line in lines} == {'"(others)"', '"(none)"', "(none)", "pro"}
    lines = eventdeck("query", *asked, "--limit", "1").out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ['"(others)"', "(others)"]
    told = csv.DictReader(io.StringIO(eventdeck("query", *asked, "--limit", "1", "--csv").out))
    assert [(row["plan"], row["folded"]) for row in told] == [("(others)", "false"), ("", "true")]


def test_the_last_things_that_are_not_shown_have_a_word(eventdeck, stored):
    stored(user_id=list("abc"), subject_hash=[1, 2, 3], event_name=["pay", "pay", "visit"])
    lines = eventdeck("query", "drop-off", *SPAN, "--limit", "1").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["pay", "(others)"]
