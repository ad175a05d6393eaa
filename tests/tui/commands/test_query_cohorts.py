"""Cohorts and their like on the command line: words for intervals, and slips of the pen."""

import json

import pytest


@pytest.fixture
def visits(stored):
    stored(
        event_name=["signup", "open", "open", "export"],
        user_id=["ada", "ada", "bob", "bob"],
        subject_hash=[1, 1, 2, 2],
        plan=["pro", "free", "pro", None],
    )


def result(done):
    assert done.code == 0, done.err
    return json.loads(done.out)["result"]


@pytest.mark.parametrize("interval", ["day", "week", "month", "1d", "3h"])
def test_retention_takes_words_and_durations_for_an_interval(eventdeck, visits, interval, tmp_path):
    words = ("retention", "--interval", interval, "--periods", "2", "--json")
    found = eventdeck("query", *words)
    (cohort,) = result(found)["cohorts"]
    assert cohort["retained"] == [2, 0, 0]
    assert cohort["complete"] == 3
    again = tmp_path / "again.json"
    again.write_text(json.dumps(json.loads(found.out)["query"]))
    assert result(eventdeck("query", "retention", "--query", again, "--json")) == result(found)


def test_a_table_for_people_and_for_spreadsheets_has_a_column_a_period(eventdeck, visits):
    words = ("retention", "--start-event", "signup", "--return-event", "open", "--periods", "1")
    assert eventdeck("query", *words, "--csv").out.splitlines() == [
        "start,size,complete,after_1",
        "2025-11-22T00:00:00Z,1,2,0",
        "mean,1,,0",
    ]
    assert "after_1" in eventdeck("query", *words).out
    assert eventdeck("query", *words, "--fail-if", "after_1<0.5").code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("retention", "--start-event", "sigup"), "no event is named sigup; did you mean signup?"),
        (("lifecycle", "--event", "opn"), "no event is named opn; did you mean open?"),
        (("stickiness", "--event", "opn"), "no event is named opn; did you mean open?"),
        (("adoption", "--feature", "exprt"), "no event is named exprt; did you mean export?"),
    ],
)
def test_a_name_that_nobody_sent_is_told_with_the_nearest(eventdeck, visits, words, says):
    done = eventdeck("query", *words)
    assert done.code == 0
    assert says in done.err


def test_a_name_that_was_sent_is_not_told_though_nobody_came_back(eventdeck, visits):
    done = eventdeck("query", "retention", "--start-event", "export", "--return-event", "signup")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("retention", "--periods", "0"), "periods: 0"),
        (("retention", "--interval", "fortnight"), "duration"),
        (("retention", "--by", "plann"), "did you mean plan"),
        (("retention", "--start-event", "a where plann=1"), "did you mean plan"),
        (("adoption", "--feature", "plann=pro"), "did you mean plan"),
        (("adoption", "--by", "plann"), "did you mean plan"),
        (("changes", "--by", "plan"), "not broken down"),
        (("compare", "--against", "plan=="), "filter"),
        (("anomalies", "--measure", "sum:plan"), "not numbers"),
        (("lifecycle", "--interval", "0s"), "interval"),
    ],
)
def test_a_question_that_makes_no_sense_is_a_sentence(eventdeck, visits, words, says):
    done = eventdeck("query", *words)
    assert (done.code, done.out) == (2, ""), done
    assert says in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "analysis",
    [
        *("retention", "lifecycle", "stickiness", "adoption", "reach", "components"),
        *("performance", "compare", "anomalies"),
    ],
)
def test_each_has_a_table_csv_and_json_with_and_without_events(eventdeck, stored, analysis):
    for _ in range(2):
        for form in ((), ("--csv",), ("--json",)):
            done = eventdeck("query", analysis, *form)
            assert (done.code, done.err) == (0, ""), done
        stored(event_name=["a", "b"], component=["x", "y"], user_id=["ada", None])
