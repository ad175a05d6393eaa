"""Questions in SQL on the command line."""

import csv
import io
import json

import pytest


def test_rows_are_a_table_for_people_and_csv_and_json_for_scripts(eventdeck, stored):
    stored(plan=["pro", "free", "pro"], duration_ms=[1.5, None, 2.0])
    text = "SELECT plan, count(*) AS n FROM events GROUP BY plan ORDER BY n DESC"
    assert eventdeck("sql", text).out == "plan  n\npro   2\nfree  1\n"
    assert eventdeck("sql", text, "--csv").out == "plan,n\npro,2\nfree,1\n"
    found = json.loads(eventdeck("sql", text, "--json").out)
    assert found == {
        "sql": text,
        "span": None,
        "columns": [{"name": "plan", "type": "String"}, {"name": "n", "type": "Int64"}],
        "rows": [{"plan": "pro", "n": 2}, {"plan": "free", "n": 1}],
    }


def test_values_of_all_types_are_written(eventdeck, stored):
    stored(plan=["pro"], duration_ms=[1.0])
    text = (
        "SELECT event_time, duration_ms, 1.5 AS d, DATE '2026-01-01' AS day, true AS b, NULL AS x, "
        "INTERVAL '90 minutes' AS i FROM events"
    )
    assert eventdeck("sql", text, "--csv").out.splitlines()[1] == (
        "2025-11-22T12:00:00Z,1,1.5,2026-01-01,true,,1:30:00"
    )
    row = json.loads(eventdeck("sql", text, "--json").out)["rows"][0]
    assert row == {
        "event_time": "2025-11-22T12:00:00Z",
        "duration_ms": 1.0,
        "d": 1.5,
        "b": True,
        "x": None,
        "day": "2026-01-01",
        "i": "1:30:00",
    }


@pytest.mark.parametrize("how", [(), ("--csv",), ("--json",)])
def test_text_of_events_is_shown_and_never_obeyed(eventdeck, stored, how):
    stored(message=["\x1b[31mred\x9b0m\u202e\r\n", "[/b]"], **{"a\x1bb": [1, 2]})
    done = eventdeck("sql", "SELECT message, 'x' AS \"\x1b]0;t\x07\" FROM events ORDER BY 1", *how)
    assert done.code == 0
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & {*done.out}


def test_no_cell_of_csv_is_a_formula(eventdeck, stored):
    stored(message=["=1+1", "@x", "'=y", "-1", "plain"])
    done = eventdeck("sql", 'SELECT message AS "=m", -1 AS n FROM events', "--csv")
    rows = [*csv.reader(io.StringIO(done.out))]
    assert rows[0] == ["'=m", "n"]
    assert [cell for cell, _ in rows[1:]] == ["'=1+1", "'@x", "''=y", "'-1", "plain"]
    assert {number for _, number in rows[1:]} == {"-1"}


def test_the_span_and_the_filter_choose(eventdeck, stored):
    stored(plan=["pro", "free", "pro"])
    asked = ("sql", "SELECT plan FROM events", "--csv")
    assert eventdeck(*asked, "--since", "2025-11-22T12:00:01Z").out == "plan\nfree\npro\n"
    assert eventdeck(*asked, "--where", "plan=free").out == "plan\nfree\n"
    span = json.loads(eventdeck(*asked[:2], "--json", "--since", "2025-11-22").out)["span"]
    assert span["start"] == "2025-11-22T00:00:00Z"


def test_people_get_the_first_thousand_rows(eventdeck, stored):
    stored(n=list(range(1_200)))
    done = eventdeck("sql", "SELECT n FROM events")
    assert len(done.out.splitlines()) == 1_001
    assert "these are the first 1,000 rows" in done.err
    assert len(eventdeck("sql", "SELECT n FROM events", "--csv").out.splitlines()) == 1_201


def test_a_statement_comes_from_standard_input(eventdeck, stored, monkeypatch):
    stored(n=[1])
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT n\nFROM events\n"))
    assert eventdeck("sql", "-").out == "n\n1\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "SELECT plam FROM events",
            "eventdeck: sql: character 8: there is no column 'plam'; did you mean plan?",
        ),
        ("DROP TABLE events", "DROP is no question"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv opens a file"),
        ("SELECT n FROM", "something is missing at the end"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_2(eventdeck, stored, text, says):
    stored(plan=["pro"])
    done = eventdeck("sql", text)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
