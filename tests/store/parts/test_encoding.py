"""How a commit's columns are encoded: quickly while there are few events, thoroughly else."""

from datetime import UTC, datetime

import polars as pl
import pyarrow.parquet as pq
import pytest

from store.parts.encoding import SMALL_PART_ROWS
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Tally

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def columns_of(tmp_path, rows):
    """By name, as Parquet describes them, of a part of so many events."""
    numbers = range(rows)
    events = pl.DataFrame(
        {
            "event_id": [f"{n:032x}" for n in numbers],
            "event_time": pl.Series([NOW] * rows, dtype=pl.Datetime("us", "UTC")),
            "event_type": ["log"] * rows,
            "event_name": ["x"] * rows,
            "message": [f"request {n} was answered" for n in numbers],
            "http.route": [f"/{n % 5}" for n in numbers],
            "nums": [n % 3 for n in numbers],
        }
    )
    folder = StoreFolder.open(tmp_path, create=True)
    (part,) = PartWriter(folder, now=lambda: NOW).commit(events, Tally({"stored": rows}))
    assert pl.read_parquet(part.path).equals(events)
    group = pq.read_metadata(part.path).row_group(0)
    found = (group.column(place) for place in range(group.num_columns))
    return {column.path_in_schema: column for column in found}


def has_dictionary(column):
    return any("DICTIONARY" in name for name in column.encodings)


@pytest.mark.parametrize("rows", [100, SMALL_PART_ROWS])
def test_names_have_a_dictionary_and_ids_have_none(tmp_path, rows):
    found = columns_of(tmp_path, rows)
    assert has_dictionary(found["event_type"])
    assert has_dictionary(found["http.route"])
    assert not has_dictionary(found["event_id"])


def test_of_few_events_what_does_not_repeat_is_plain_and_only_texts_are_compressed(tmp_path):
    found = columns_of(tmp_path, 100)
    assert not has_dictionary(found["message"])
    assert {name: column.compression for name, column in found.items()} == {
        **dict.fromkeys(found, "UNCOMPRESSED"),
        "message": "SNAPPY",
    }
    assert [name for name, column in found.items() if column.is_stats_set] == ["event_time"]


def test_of_many_all_is_compressed_and_numbers_have_statistics(tmp_path):
    found = columns_of(tmp_path, SMALL_PART_ROWS)
    assert {column.compression for column in found.values()} == {"ZSTD"}
    assert [name for name, column in found.items() if column.is_stats_set] == ["event_time", "nums"]
