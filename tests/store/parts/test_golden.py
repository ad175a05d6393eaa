"""A store that format 1 wrote on 2026-11-22. It is never written again: what it says must hold for
every later version, and a change that breaks it needs a new number and a new folder beside it.
"""

from pathlib import Path

import pyarrow.dataset as ds
import pytest

from store.parts.catalog import Catalog
from store.parts.check import check
from store.parts.layout import StoreFolder
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
