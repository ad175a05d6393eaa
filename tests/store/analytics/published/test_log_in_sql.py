"""A real-looking log of a shop through a store, held against SQL that DuckDB runs over the same
events: written from what the numbers mean, not from how they are made here.
"""

from datetime import UTC, timedelta

import pytest

from store.analytics.funnel.analysis import Funnel
from store.analytics.lifecycle import Lifecycle
from store.analytics.paths.drop_off import DropOff
from store.analytics.paths.transitions import Transitions
from store.analytics.percentiles import Percentiles
from store.analytics.query_json import answer_json
from store.analytics.retention import Retention
from store.analytics.sessions.analysis import Sessions
from store.analytics.stickiness import Stickiness
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.timespan import parse_instant
from tests.store.analytics.published.log_of_a_shop import BEGIN, SPAN, in_sql, rows, stored

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
VISITS = """
    WITH gaps AS (
        SELECT *, ts - lag(ts) OVER (PARTITION BY who ORDER BY ts) AS gap FROM log
    ),
    visits AS (
        SELECT *, sum(CASE WHEN gap IS NULL OR gap > INTERVAL 30 MINUTE THEN 1 ELSE 0 END)
            OVER (PARTITION BY who ORDER BY ts) AS visit
        FROM gaps
    )
"""


@pytest.fixture(scope="module")
def log():
    return rows()


@pytest.fixture(scope="module")
def store(log, tmp_path_factory):
    return stored(tmp_path_factory.mktemp("shop"), log)


@pytest.fixture(scope="module")
def sql(log):
    connection = in_sql(log)
    yield lambda text: connection.execute(text).fetchall()
    connection.close()


@pytest.fixture
def told(store):
    return lambda query: answer_json(store.run(query))["result"]


def instant(text):
    return parse_instant(text, now=BEGIN).replace(tzinfo=None)


def test_the_log_is_worth_it(log, sql):
    assert len(log) > 5_000
    ((people, names),) = sql("SELECT count(DISTINCT who), count(DISTINCT name) FROM log")
    assert (people > 590, names) == (True, 6)
    ((sharp,),) = sql(VISITS + "SELECT count(*) FROM visits WHERE gap = INTERVAL 30 MINUTE")
    assert sharp > 100


FUNNEL = """
    WITH begun AS (SELECT who, ts AS t1, {plan} AS plan FROM log WHERE name = 'open'),
    looked AS (
        SELECT b.*, (SELECT min(ts) FROM log l WHERE l.who = b.who AND name = 'look'
            AND ts > t1 AND ts <= t1 + INTERVAL {window}) AS t2
        FROM begun b
    ),
    carted AS (
        SELECT l2.*, (SELECT min(ts) FROM log l WHERE l.who = l2.who AND name = 'cart'
            AND ts > t2 AND ts <= t1 + INTERVAL {window}) AS t3
        FROM looked l2
    ),
    paid AS (
        SELECT c.*, (SELECT min(ts) FROM log l WHERE l.who = c.who AND name = 'pay'
            AND ts > t3 AND ts <= t1 + INTERVAL {window}) AS t4
        FROM carted c
    ),
    leveled AS (
        SELECT *, (t4 IS NOT NULL)::INT + (t3 IS NOT NULL)::INT + (t2 IS NOT NULL)::INT + 1 AS level,
            coalesce(t4, t3, t2, t1) AS arrived
        FROM paid
    ),
    best AS (
        SELECT * FROM leveled
        QUALIFY row_number() OVER (PARTITION BY who ORDER BY level DESC, arrived, t1 DESC) = 1
    )
    SELECT {plan_out} count(*), count(t2), count(t3), count(t4),
        median(epoch_us(t2) - epoch_us(t1)) / 1e6, avg(epoch_us(t2) - epoch_us(t1)) / 1e6,
        median(epoch_us(t4) - epoch_us(t3)) / 1e6, avg(epoch_us(t4) - epoch_us(t3)) / 1e6
    FROM best {group}
"""
STEPS = ("open", "look", "cart", "pay")


def summed(steps):
    times = [(s["median_seconds"], s["mean_seconds"]) for s in (steps[1], steps[3])]
    return [*(step["count"] for step in steps), *times[0], *times[1]]


@pytest.mark.parametrize(
    ("window", "text"), [(HOUR, "1 HOUR"), (timedelta(minutes=30), "30 MINUTE"), (DAY, "1 DAY")]
)
def test_a_funnel_of_four_steps(told, sql, window, text):
    ((*expected,),) = sql(FUNNEL.format(window=text, plan="plan", plan_out="", group=""))
    found = told(Funnel(steps=STEPS, window=window, span=SPAN))["steps"]
    assert summed(found) == pytest.approx(expected)
    assert expected[3] > 10


def test_a_funnel_by_plan(told, sql):
    text = FUNNEL.format(
        window="1 DAY", plan="coalesce(plan, '')", plan_out="plan, ", group="GROUP BY plan"
    )
    expected = {plan: numbers for plan, *numbers in sql(text)}
    found = told(Funnel(steps=STEPS, window=DAY, span=SPAN, by=("plan",)))["breakdown"]
    assert {group["key"]["plan"]: summed(group["steps"]) for group in found} == {
        plan: pytest.approx(numbers) for plan, numbers in expected.items()
    }


@pytest.mark.parametrize("mode", ["first-time", "recurring"])
@pytest.mark.parametrize("on", ["exactly", "on-or-after"])
def test_retention_by_days(told, sql, mode, on):
    starts = {
        "first-time": "SELECT who, min(ts)::DATE AS day FROM log WHERE name = 'open' GROUP BY who",
        "recurring": "SELECT DISTINCT who, ts::DATE AS day FROM log WHERE name = 'open'",
    }
    back = "later.day - start.day = k.k" if on == "exactly" else "later.day - start.day >= k.k"
    found = sql(
        f"""
        WITH start AS ({starts[mode]}),
        later AS (SELECT DISTINCT who, ts::DATE AS day FROM log WHERE name = 'look'),
        k AS (SELECT unnest(range(1, 8)) AS k)
        SELECT start.day, k.k, count(DISTINCT start.who), count(DISTINCT later.who)
        FROM start CROSS JOIN k LEFT JOIN later ON later.who = start.who AND {back}
        GROUP BY ALL ORDER BY ALL
        """
    )
    expected = {}
    for day, k, size, count in found:
        expected.setdefault(str(day), [size])[k:] = [count]
    query = Retention(
        start_event="open", return_event="look", mode=mode, on=on, periods=7, span=SPAN
    )
    cohorts = told(query)["cohorts"]
    assert {c["start"][:10]: c["retained"] for c in cohorts if c["size"]} == expected


def test_sessions(told, sql):
    ((*expected,),) = sql(
        VISITS
        + """
        , each AS (
            SELECT who, visit, count(*) AS events, epoch_us(max(ts)) - epoch_us(min(ts)) AS length
            FROM visits GROUP BY ALL
        )
        SELECT count(*), avg(length) / 1e6, median(length) FILTER (events > 1) / 1e6,
            avg(events), count(*) FILTER (events = 1)
        FROM each
        """
    )
    summary = told(Sessions(span=SPAN, limit=5))["summary"]
    names = ("sessions", "mean_seconds", "median_seconds", "events_per_session", "bounced")
    assert [summary[name] for name in names] == pytest.approx(expected)


def test_each_session(told, sql):
    expected = sql(
        VISITS
        + "SELECT min(ts), max(ts), who, count(*) FROM visits GROUP BY who, visit ORDER BY ALL"
    )
    found = told(Sessions(span=SPAN, limit=10_000))["rows"]
    assert expected == sorted(
        (instant(row["start"]), instant(row["end"]), row["user_id"], row["events"]) for row in found
    )


def test_transitions_and_drop_off(told, sql):
    nodes = (
        VISITS
        + """
        , marked AS (
            SELECT *, lag(name) OVER w IS DISTINCT FROM name AS is_new FROM visits
            WINDOW w AS (PARTITION BY who, visit ORDER BY ts)
        ),
        walked AS (
            SELECT who, visit, name, ts,
                lag(name) OVER w AS before, lead(name) OVER w AS after
            FROM marked WHERE is_new WINDOW w AS (PARTITION BY who, visit ORDER BY ts)
        )
        """
    )
    expected = sql(
        nodes
        + """
        SELECT name, coalesce(after, 'path_end'), count(*), count(DISTINCT who)
        FROM walked GROUP BY ALL
        UNION ALL
        SELECT 'path_start', name, count(*), count(DISTINCT who)
        FROM walked WHERE before IS NULL GROUP BY ALL
        """
    )
    rows = told(Transitions(span=SPAN, limit=999))["rows"]
    found = {(row["from"], row["to"], row["count"], row["users"]) for row in rows}
    assert found == set(expected)
    lasts = sql(nodes + "SELECT name, count(*) FROM walked WHERE after IS NULL GROUP BY ALL")
    rows = told(DropOff(span=SPAN, limit=99))["rows"]
    assert {(row["event_name"], row["count"]) for row in rows} == set(lasts)


def test_percentiles_of_each_name(told, sql):
    shares = (0.5, 0.75, 0.9, 0.95, 0.99)
    cells = ", ".join(f"quantile_cont(took, {share})" for share in shares)
    expected = {
        name: numbers
        for name, *numbers in sql(
            f"SELECT name, count(took), avg(took), min(took), max(took), {cells} "
            "FROM log WHERE took IS NOT NULL GROUP BY name"
        )
    }
    rows = told(Percentiles(span=SPAN, by=("event_name",), exact=True))["rows"]
    names = ("count", "mean", "min", "max", "p50", "p75", "p90", "p95", "p99")
    found = {row["key"]["event_name"]: [row[name] for name in names] for row in rows}
    assert {name: found[name] for name in expected} == {
        name: pytest.approx(numbers) for name, numbers in expected.items()
    }
    near = told(Percentiles(span=SPAN, by=("event_name",)))["rows"]
    for row in near:
        if row["key"]["event_name"] in expected:
            wanted = expected[row["key"]["event_name"]][4:]
            assert [row[name] for name in names[4:]] == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize(
    ("measure", "cell"),
    [
        ("count", "count(*)"),
        ("users", "count(DISTINCT who)"),
        ("sum:duration_ms", "coalesce(sum(took), 0)"),
        ("mean:duration_ms", "avg(took)"),
        ("max:duration_ms", "max(took)"),
    ],
)
def test_trends_by_days(told, sql, measure, cell):
    expected = dict(sql(f"SELECT ts::DATE, {cell} FROM log GROUP BY ALL"))
    (series,) = told(Trends(measures=(measure,), interval=DAY, span=SPAN))["series"]
    found = {instant(time).date(): value for time, value in series["points"]}
    assert found == {day: pytest.approx(value) for day, value in expected.items()}


def test_days_of_another_zone(told, sql):
    expected = sql(
        """
        SELECT (ts AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')::DATE AS day, count(*)
        FROM log GROUP BY ALL ORDER BY ALL
        """
    )
    query = Trends(interval=DAY, span=SPAN, tz="America/New_York")
    (series,) = told(query)["series"]
    # New York's midnight is at 5 UTC, and from the 8th of March at 4.
    found = [
        ((instant(time) - 4 * HOUR).date(), value)
        if instant(time).replace(tzinfo=UTC) > BEGIN + 6 * DAY
        else ((instant(time) - 5 * HOUR).date(), value)
        for time, value in series["points"]
    ]
    assert found == [(day, count) for day, count in expected]


def test_top_names_and_people(told, sql):
    for measure, cell in (("count", "count(*)"), ("users", "count(DISTINCT who)")):
        expected = dict(sql(f"SELECT name, {cell} FROM log GROUP BY name"))
        found = told(Top(measure=measure, by=("event_name",), limit=99, span=SPAN))["rows"]
        assert {row["key"]["event_name"]: row["value"] for row in found} == expected


def test_lifecycle_by_weeks(told, sql):
    expected = sql(
        """
        WITH active AS (
            SELECT DISTINCT who, date_diff('day', DATE '2026-03-02', ts::DATE) // 7 AS week FROM log
        ),
        placed AS (
            SELECT *, lag(week) OVER w AS before, lead(week) OVER w AS after FROM active
            WINDOW w AS (PARTITION BY who ORDER BY week)
        ),
        dormant AS (
            SELECT week + 1 AS week, count(*) AS gone FROM placed
            WHERE after IS DISTINCT FROM week + 1 GROUP BY ALL
        )
        SELECT p.week, count(*) FILTER (before IS NULL), count(*) FILTER (before = p.week - 1),
            count(*) FILTER (before < p.week - 1), -coalesce(any_value(gone), 0)
        FROM placed p LEFT JOIN dormant d ON d.week = p.week GROUP BY p.week ORDER BY p.week
        """
    )
    points = told(Lifecycle(interval=7 * DAY, span=SPAN))["points"]
    names = ("new", "returning", "resurrecting", "dormant")
    assert [(ts, *(p[name] for name in names)) for ts, p in enumerate(points)] == expected


def test_stickiness_by_days(told, sql):
    expected = sql(
        "SELECT days, count(*) FROM "
        "(SELECT who, count(DISTINCT ts::DATE) AS days FROM log GROUP BY who) GROUP BY days"
    )
    rows = told(Stickiness(interval=DAY, span=SPAN))["rows"]
    assert {(row["intervals"], row["users"]) for row in rows if row["users"]} == set(expected)
