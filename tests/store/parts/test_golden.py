"""A store that format 1 wrote on 2026-11-22. It is never written again: what it says must hold for
every later version, and a change that breaks it needs a new number and a new folder beside it.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from store.analytics.percentiles import Percentiles
from store.analytics.query_json import answer_json
from store.analytics.top import Top
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.parts.catalog import Catalog
from store.parts.check import check
from store.parts.layout import StoreFolder
from store.parts.part import Cover
from store.parts.scan import column_types, scan
from store.tally import Tally

GOLDEN = Path(__file__).parent / "golden_v1"
NAMES = ["event_id", "severity", "is_dev", "plan", "n", "u", "ratio", "ok", "deep", "m"]


@pytest.fixture
def golden():
    return StoreFolder.open(GOLDEN)


def test_format_1_is_read_for_ever(golden):
    snapshot = Catalog(golden).snapshot()
    assert snapshot.skipped == ()
    found = scan(snapshot.parts, NAMES, None).collect().sort("event_id")
    assert found.select(NAMES).rows() == [
        ("e0", 17, True, "pro", "9007199254740993", 2**64 - 1, 0.5, None, None, None),
        ("e1", None, None, "free", "-1", None, None, False, None, None),
        ("e2", None, None, None, "0.25", None, None, None, None, None),
        ("e3", None, None, None, "2", None, None, None, None, None),
        ("e4", None, None, None, None, None, None, None, "x", "1"),
        ("e5", None, None, None, None, None, None, None, None, "true"),
        ("e6", None, None, None, None, None, None, None, None, None),
    ]


def test_format_1_says_about_its_parts_what_it_said(golden):
    snapshot = Catalog(golden).snapshot()
    assert [(part.key, part.imported) for part in snapshot.parts] == [
        ("_date=2026-11-22/0-golden-0", False),
        ("_date=2026-11-22/0-golden-1", True),
        ("_date=2026-11-22/0-golden-3", False),
        ("_date=2026-11-22/1-merger-0", False),
        ("_date=2026-11-23/0-golden-2", True),
    ]
    assert [part.key for part in snapshot.covered] == ["_date=2026-11-22/0-golden-4"]
    assert snapshot.parts[0].wide == {"n", "u"}
    assert Tally.total(part.tally for part in snapshot.parts) == Tally(
        {"stored": 7, "rejected": 1}, {"native": 3}, {"masked.token": 1}
    )
    assert {"deep", "m"} <= column_types(snapshot.parts).keys()


def test_format_1_passes_its_check(golden):
    report = check(golden)
    assert report.ok
    assert report.events == report.unique_event_ids == 7


def test_other_tools_read_a_store_as_hive_partitions(golden):
    files = [str(part.path) for part in Catalog(golden).snapshot().parts]
    table = ds.dataset(files, format="parquet", partitioning="hive").to_table(["event_id", "_date"])
    assert set(table.column("_date").to_pylist()) == {"2026-11-22", "2026-11-23"}
    assert table.num_rows == 7


MERGED = GOLDEN.with_name("golden_v1_merged")
"""Written the same day: 34 commits that a maintainer merged, one id in two of them, and a late
event after it. `width` is an integer, a float and a text.
"""


def answered(root, query):
    store = EventStore(root, now=lambda: datetime(2026, 11, 24, tzinfo=UTC))
    return answer_json(store.run(query))["result"]


def test_a_merged_part_of_format_1_is_read_for_ever():
    snapshot = Catalog(StoreFolder.open(MERGED)).snapshot()
    merged, late = snapshot.parts
    assert (merged.level, merged.rows, merged.removed) == (1, 101, 1)
    assert merged.covers == (Cover("golden", 0, 33),)
    assert not snapshot.skipped
    assert check(StoreFolder.open(MERGED)).ok
    assert Tally.total(part.tally for part in snapshot.parts).fates == {
        "stored": 102,
        "duplicate": 1,
    }
    widths = scan([merged, late], ["event_id", "width", "list"], None).collect().sort("event_id")
    assert [widths.row(at)[:3] for at in (0, 5, 60, -1)] == [
        ("e000", "0", '["a",1]'),
        ("e005", "5", '["a",1]'),
        ("e061", "61.5", None),
        ("late", "wide", None),
    ]


def test_format_1_gives_the_answers_that_it_gave():
    hour, at = timedelta(hours=1), ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"]
    points = {"buy": (21, 14), "visit": (20, 14), "pay": (19, 14)}
    assert answered(MERGED, Trends(interval=hour, by=("event_name",))) == {
        "interval_seconds": 3600.0,
        "series": [
            {"key": {"event_name": name}, "points": [[at[0], first], [at[1], second]]}
            for name, (first, second) in points.items()
        ],
    }
    ranks = {"p50": 47, "p75": 72, "p90": 89, "p95": 94, "p99": 96}
    assert answered(MERGED, Percentiles(exact=True))["rows"] == [
        {"key": {}, "count": 101, "mean": 45.65346534653465, "min": 0, **ranks, "max": 96}
    ]
    assert [(row["key"], row["value"]) for row in answered(GOLDEN, Top(by=("plan",)))["rows"]] == [
        ({"plan": ""}, 5),
        ({"plan": "free"}, 1),
        ({"plan": "pro"}, 1),
    ]
