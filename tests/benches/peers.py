"""The peers: DuckDB and chDB, asked in the SQL that is fastest for each.

`{events}` is all parts of the store. Where eventdeck estimates, so do they, by the function whose
promise is nearest.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.benches.questions import LARGE, STEPS, USER, Rows

_WINDOW: Final = 3_600_000_000
_GAP: Final = 1_800_000_000
_SEEN: Final = "event_name, service_name, duration_ms, path, status"
_STEPS: Final = ", ".join(f"'{step}'" for step in STEPS)
_IS_LARGE: Final = f"response_bytes >= {LARGE[0]} AND response_bytes < {LARGE[1]}"
# chDB is told the columns, so that it need not look at the files first.
_COLUMNS: Final = (
    "event_id String, event_time DateTime64(6, \\'UTC\\'), event_name String, "
    "severity Nullable(UInt8), service_name Nullable(String), user_id Nullable(String), "
    "subject_hash Nullable(UInt64), duration_ms Nullable(Float64), path Nullable(String), "
    "region Nullable(String), response_bytes Nullable(Int64), status Nullable(Int64)"
)


def duckdb(folder: Path, queries: Mapping[str, str] | None = None) -> Callable[[str], Rows]:
    """A connection that answers questions (or others) by their titles, over the parts of a store."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SELECT 1").fetchall()
    events = f"read_parquet('{folder}/events/*/*.parquet', union_by_name = true)"
    known = queries or DUCKDB
    return lambda title: connection.execute(known[title].replace("{events}", events)).fetchall()


def chdb(
    folder: Path, queries: Mapping[str, str] | None = None, columns: str = ""
) -> Callable[[str], Rows]:
    """The same with chDB; `columns` are those that the questions need beside the usual ones."""
    import chdb

    connection = chdb.connect(":memory:")
    connection.query("SELECT 1", "JSONCompactEachRow")
    events = f"file('{folder}/events/*/*.parquet', Parquet, '{_COLUMNS}{columns}')"

    def asked(title: str) -> Rows:
        sql = (queries or CHDB)[title].replace("{events}", events)
        settings = " SETTINGS output_format_json_quote_64bit_integers = 0"
        found = connection.query(sql + settings, "JSONCompactEachRow")
        return [tuple(json.loads(line)) for line in str(found).splitlines()]

    return asked


def _reached(step: int) -> str:
    """When the newest run that can go on with this step began."""
    return f"""CASE WHEN name = '{STEPS[step]}' THEN max(s{step - 1}) OVER so_far END AS r{step},
        CASE WHEN t - r{step} <= {_WINDOW} THEN r{step} END AS s{step}"""


_SO_FAR: Final = "WINDOW so_far AS (PARTITION BY who ORDER BY t ROWS UNBOUNDED PRECEDING)"
_PER_MINUTE: Final = "epoch_us(event_time) // 60000000 * 60"
DUCKDB: Final = {
    "count per minute": f"SELECT {_PER_MINUTE}, count(*) FROM {{events}} GROUP BY 1",
    "count per minute by name": (
        f"SELECT event_name, {_PER_MINUTE}, count(*) FROM {{events}} GROUP BY 1, 2"
    ),
    "error share by service": """
        SELECT service_name, count(*) FILTER (severity >= 17) / count(*) FROM {events} GROUP BY 1""",
    "percentiles by name, exact": """
        SELECT event_name, q[1], q[2], q[3] FROM (
            SELECT event_name, quantile_cont(duration_ms, [0.5, 0.95, 0.99]) AS q FROM {events}
            WHERE duration_ms IS NOT NULL GROUP BY 1)""",
    "percentiles by name, buckets": """
        SELECT event_name, q[1], q[2], q[3] FROM (
            SELECT event_name, approx_quantile(duration_ms, [0.5, 0.95, 0.99]) AS q FROM {events}
            WHERE duration_ms IS NOT NULL GROUP BY 1)""",
    "distinct users per hour": """
        SELECT epoch_us(event_time) // 3600000000 * 3600, approx_count_distinct(subject_hash)
        FROM {events} GROUP BY 1""",
    # The exact answer to hold our estimate against.
    "distinct users per hour, exact": """
        SELECT epoch_us(event_time) // 3600000000 * 3600, count(DISTINCT subject_hash)
        FROM {events} GROUP BY 1""",
    "top 20 of 113,000 paths": """
        SELECT path, count(*) FROM {events} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20""",
    "one user, newest 100": f"""
        SELECT epoch_us(event_time), {_SEEN} FROM {{events}} WHERE user_id = '{USER}'
        ORDER BY event_time DESC, event_id DESC LIMIT 100""",
    "range of an attribute, histogram": f"""
        SELECT epoch_us(event_time) // 600000000 * 600, count(*) FROM {{events}}
        WHERE {_IS_LARGE} GROUP BY 1""",
    "sum by two keys": """
        SELECT service_name, region, sum(duration_ms) FROM {events} GROUP BY 1, 2""",
    "sessions": f"""
        WITH ordered AS (
            SELECT epoch_us(event_time) AS t,
                t - lag(t) OVER (PARTITION BY subject_hash ORDER BY event_time) AS gap
            FROM {{events}} WHERE subject_hash IS NOT NULL)
        SELECT count(*) FILTER (gap IS NULL OR gap > {_GAP}),
            sum(gap) FILTER (gap <= {_GAP})::BIGINT, count(*) FROM ordered""",
    "funnel of four steps": f"""
        WITH e AS (
            SELECT subject_hash AS who, epoch_us(event_time) AS t, event_name AS name
            FROM {{events}} WHERE subject_hash IS NOT NULL AND event_name IN ({_STEPS})),
        a AS (SELECT *, CASE WHEN name = '{STEPS[0]}' THEN t END AS s0 FROM e),
        b AS (SELECT *, {_reached(1)} FROM a {_SO_FAR}),
        c AS (SELECT *, {_reached(2)} FROM b {_SO_FAR}),
        d AS (SELECT *, {_reached(3)} FROM c {_SO_FAR})
        SELECT unnest([count(DISTINCT who) FILTER (s0 IS NOT NULL),
            count(DISTINCT who) FILTER (s1 IS NOT NULL), count(DISTINCT who) FILTER (s2 IS NOT NULL),
            count(DISTINCT who) FILTER (s3 IS NOT NULL)]) FROM d""",
}
_MICROS: Final = "toUnixTimestamp64Micro(event_time)"
_REACHED: Final = ", ".join(f"event_name = '{step}'" for step in STEPS)
CHDB: Final = {
    "count per minute": f"""
        SELECT intDiv({_MICROS}, 60000000) * 60 AS t, count() FROM {{events}} GROUP BY t""",
    "count per minute by name": f"""
        SELECT event_name, intDiv({_MICROS}, 60000000) * 60 AS t, count() FROM {{events}}
        GROUP BY event_name, t""",
    "error share by service": """
        SELECT service_name, countIf(severity >= 17) / count() FROM {events} GROUP BY service_name""",
    "percentiles by name, exact": """
        SELECT event_name, q[1], q[2], q[3] FROM (
            SELECT event_name, quantilesExactInclusive(0.5, 0.95, 0.99)(duration_ms) AS q
            FROM {events} WHERE duration_ms IS NOT NULL GROUP BY event_name)""",
    "percentiles by name, buckets": """
        SELECT event_name, q[1], q[2], q[3] FROM (
            SELECT event_name, quantilesDD(0.01, 0.5, 0.95, 0.99)(duration_ms) AS q
            FROM {events} WHERE duration_ms IS NOT NULL GROUP BY event_name)""",
    "distinct users per hour": f"""
        SELECT intDiv({_MICROS}, 3600000000) * 3600 AS t, uniqCombined(subject_hash) FROM {{events}}
        GROUP BY t""",
    "top 20 of 113,000 paths": """
        SELECT path, count() AS n FROM {events} GROUP BY path ORDER BY n DESC, path LIMIT 20""",
    "one user, newest 100": f"""
        SELECT {_MICROS}, {_SEEN} FROM {{events}} WHERE user_id = '{USER}'
        ORDER BY event_time DESC, event_id DESC LIMIT 100""",
    "range of an attribute, histogram": f"""
        SELECT intDiv({_MICROS}, 600000000) * 600 AS t, count() FROM {{events}}
        WHERE {_IS_LARGE} GROUP BY t""",
    "sum by two keys": """
        SELECT service_name, region, sum(duration_ms) FROM {events} GROUP BY service_name, region""",
    # Arrays by user take less than half of the time of a window function.
    "sessions": f"""
        SELECT sum(1 + arrayCount(gap -> gap > {_GAP}, gaps)),
            sum(arraySum(gap -> if(gap > {_GAP}, 0, gap), gaps)), sum(length(gaps) + 1)
        FROM (
            SELECT arrayPopFront(arrayDifference(arraySort(groupArray({_MICROS})))) AS gaps
            FROM {{events}} WHERE subject_hash IS NOT NULL GROUP BY subject_hash)""",
    "funnel of four steps": f"""
        SELECT arrayJoin([countIf(level >= 1), countIf(level >= 2), countIf(level >= 3),
            countIf(level >= 4)])
        FROM (
            SELECT windowFunnel({_WINDOW})(toUInt64({_MICROS}), {_REACHED}) AS level
            FROM {{events}} WHERE subject_hash IS NOT NULL AND event_name IN ({_STEPS})
            GROUP BY subject_hash)""",
}
ENGINES: Final[dict[str, Any]] = {"duckdb": duckdb, "chdb": chdb}
