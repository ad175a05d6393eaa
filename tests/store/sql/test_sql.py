"""SQL over the events: what it answers, what it refuses, what it says about mistakes."""

from datetime import timedelta

import polars as pl
import pytest

from store.analytics.filters import parse_filter
from store.errors import UsageError
from store.event_store import EventStore
from store.sql import run_sql
from store.testing import NOON, events_of, store_of
from store.timespan import TimeSpan

ROWS = [
    {"event_name": "visit", "user_id": "ada", "n": 1, "http.status": 200},
    {"event_name": "visit", "user_id": "bob", "n": 2, "http.status": 500, "user": "x"},
    {"event_name": "db", "event_type": "span", "duration_ms": 12.5},
    {"event_name": "cpu", "event_type": "metric", "value": 0.5, "attr.Value": 1},
]


TABLES = ("events", "metrics", "spans", "logs")


@pytest.fixture
def store(tmp_path):
    return store_of(tmp_path, events_of(ROWS[:2]), events_of(ROWS[2:]))


def rows(store: EventStore, text: str, **how) -> list[tuple]:
    return [row for frame in run_sql(store, text, **how).frames for row in frame.rows()]


def test_the_tables_are_events_by_their_type(store):
    counts = {name: rows(store, f"SELECT count(*) FROM {name}") for name in TABLES}
    assert counts == {"events": [(4,)], "metrics": [(1,)], "spans": [(1,)], "logs": [(2,)]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "SELECT user_id, sum(n) FROM events WHERE n > 0 GROUP BY 1 ORDER BY 1",
            [("ada", 1), ("bob", 2)],
        ),
        ('SELECT "http.status" FROM logs ORDER BY event_time DESC LIMIT 1', [(500,)]),
        ("WITH v AS (SELECT n FROM events) SELECT max(n) FROM v", [(2,)]),
        ("SELECT e.n FROM logs e JOIN logs f ON e.n = f.n ORDER BY e.n;", [(1,), (2,)]),
        ("FROM spans SELECT duration_ms", [(12.5,)]),
        (
            "SELECT n FROM events WHERE event_time >= '2026-11-22T12:00:01Z' AND n IS NOT NULL",
            [(2,)],
        ),
        ("SELECT 'read_csv(''x'')' -- read_csv('x')", [("read_csv('x')",)]),
        ("(SELECT 1.5)", [(1.5,)]),
        ("SELECT n FROM events WHERE n = 17", []),
    ],
)
def test_questions_have_answers(store, text, found):
    assert rows(store, text) == found


def test_the_span_and_the_filter_choose(store):
    span = TimeSpan(NOON + timedelta(seconds=1), NOON + timedelta(seconds=2))
    assert rows(store, "SELECT user_id FROM logs", span=span) == [("bob",)]
    assert rows(store, "SELECT user_id FROM events", where=parse_filter("n<2")) == [("ada",)]
    assert rows(store, "SELECT count(*) FROM events", where=parse_filter("event_name=visit")) == [
        (2,)
    ]


def test_an_empty_store_answers_with_no_rows(tmp_path):
    empty = EventStore(tmp_path / "none")
    assert rows(empty, "SELECT count(*) FROM events") == [(0,)]
    assert rows(empty, "SELECT event_id, event_time FROM events") == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('{}')",
        "SELECT * FROM READ_CSV ('{}')",
        "SELECT * FROM \"read_csv\"('{}')",
        "SELECT * FROM `read_csv`('{}')",
        "SELECT * FROM read_csv/* */('{}')",
        "SELECT * FROM events JOIN read_csv('{}') c ON true",
        "WITH c AS (SELECT * FROM read_csv('{}')) SELECT * FROM c",
        "SELECT n FROM events WHERE n IN (SELECT a FROM read_csv('{}'))",
        "SELECT /* /* */ ' */ a FROM read_csv('{}') -- '",
        "SELECT E'\\' FROM x --' a FROM read_csv('{}')",
        "SELECT '{}' FROM read_parquet('{}')",
        "SELECT * FROM scan_parquet('{}')",
        "SELECT 1 UNION ALL SELECT a FROM read_csv('{}')",
        "EXPLAIN SELECT * FROM read_csv('{}')",
        "SELECT * FROM '{}'",
        'SELECT * FROM "{}"',
    ],
)
def test_no_statement_reads_another_file(store, tmp_path, text):
    (tmp_path / "secret.csv").write_text("a,b\n1,sesame\n")
    with pytest.raises(UsageError) as caught:
        rows(store, text.replace("{}", str(tmp_path / "secret.csv")))
    assert "sesame" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        *(
            "DROP TABLE events",
            "DELETE FROM events",
            "TRUNCATE TABLE events",
            "UPDATE events SET n=1",
        ),
        *("CREATE TABLE t AS SELECT * FROM events", "INSERT INTO events VALUES (1)", "SET x = 1"),
        *(
            "COPY events TO '/tmp/x.csv'",
            "ATTACH 'x' AS y",
            "LOAD x",
            "SELECT 1; DROP TABLE events",
        ),
        *(
            "SELECT * INTO t FROM events",
            "(DELETE FROM events)",
            "-- hi\nDROP TABLE events",
            "",
            " ; ",
        ),
    ],
)
def test_what_is_no_question_is_refused(store, text):
    with pytest.raises(UsageError):
        rows(store, text)
    assert rows(store, "SELECT count(*) FROM events") == [(4,)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "SELECT usr_id FROM events",
            "sql: character 8: there is no column 'usr_id'; did you mean user_id?",
        ),
        ("SELECT Value FROM events", "did you mean value?"),
        ("SELECT http_status FROM events", 'did you mean "http.status"?'),
        ("SELECT http.status FROM events", "there is no column 'http'; write \"http.status\""),
        (
            "SELECT e.usr_id FROM events e",
            "character 10: there is no column 'usr_id'; did you mean user_id?",
        ),
        ("SELECT user FROM events", 'user is a word of SQL; write "user" in quotes'),
        ("SELECT nothing_like_it FROM events", "eventdeck inspect lists the columns"),
        (
            "SELECT n\nFROM event",
            "line 2, character 6: there is no table 'event'; did you mean events?",
        ),
        ("SELECT n FROM x", "there is no table 'x'; there are events, metrics, spans, logs"),
        ("SELECT n FORM events", "character 15: expected: end of statement, found: events"),
        ("SELECT n FROM events WHERE", "character 27: something is missing at the end"),
        ("SELECT 'abc", "unterminated string literal"),
        ("SELECT median_of(n) FROM events", "character 8: there is no function median_of"),
        ("SELECT n + user_id FROM events", "bring both to one type"),
        ("SELECT n, n FROM events", "give one of them another name with AS"),
        ("SELECT n, count(*) FROM events", "should participate in the GROUP BY clause"),
        ("SELECT n FROM events WHERE event_time > now()", "compare with a text"),
        ("SELECT CAST(user_id AS INT) FROM events", "TRY_CAST gives null"),
        ("DROP TABLE events", "DROP is no question; events are only read here; write SELECT"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT * FROM read_csv('x')", "character 15: read_csv opens a file"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(store, text, says):
    with pytest.raises(UsageError) as caught:
        rows(store, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_polars_takes_for_patterns_do_no_harm(tmp_path):
    odd = [{"^.*$": 1, "*": 2, "n": 3}]
    store = store_of(tmp_path, events_of(odd))
    assert rows(store, "SELECT e.n FROM events e JOIN events f ON e.n = f.n") == [(3,)]
    assert rows(store, 'SELECT "attr.^.*$", "attr.*" FROM events') == [(1, 2)]


def test_only_the_columns_that_are_asked_for_are_read(tmp_path):
    wide = events_of([{f"k{n}": "x" * 50 for n in range(50)}] * 20)
    store = store_of(tmp_path, wide)
    plan = rows(store, "EXPLAIN SELECT k3 FROM events WHERE k7 = 'x'")
    text = "\n".join(str(row[0]) for row in plan)
    found = pl.SQLContext({"events": store.events().drop("_part")}).execute(
        "SELECT k3 FROM events WHERE k7 = 'x'"
    )
    assert "k3" in text
    assert "PROJECT 2/" in found.explain()


def test_many_rows_come_in_batches(tmp_path):
    many = events_of([{"n": 1}]).select(pl.all().repeat_by(50_000).explode())
    store = store_of(tmp_path, many.with_columns(event_id=pl.int_range(50_000).cast(pl.String)))
    heights = [frame.height for frame in run_sql(store, "SELECT n FROM events").frames]
    assert sum(heights) == 50_000
    assert max(heights) <= 20_000
