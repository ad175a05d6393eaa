from datetime import UTC, date, datetime, timedelta

import polars as pl
import pyarrow.parquet as pq
import pytest

from store.errors import StoreError, UsageError
from store.parts.catalog import Catalog
from store.parts.encoding import ROW_GROUP_ROWS
from store.parts.scan import scan
from store.parts.writer import PartWriter
from store.schema import OVERFLOW
from store.tally import Tally
from store.timespan import TimeSpan


def test_a_commit_is_one_part_for_each_utc_date(writer, events, noon):
    parts = writer.commit(events(3, start=noon, step=timedelta(hours=10)), Tally())
    assert [(part.date, part.rows) for part in parts] == [("2026-11-22", 2), ("2026-11-23", 1)]
    assert [part.key for part in parts] == ["_date=2026-11-22/0-w-0", "_date=2026-11-23/0-w-1"]


def test_the_catalog_reads_back_what_the_writer_said(writer, catalog, events):
    written = (
        *writer.commit(events(3, plan=["pro", None, "free"], n=[1, 2, 2**60]), Tally()),
        *writer.commit(events(1), Tally({"stored": 1}, {"native": 1}, {"masked.token": 2})),
        *writer.commit(pl.DataFrame(), Tally({"rejected": 2})),
        *writer.commit(events(2), Tally(), imported=True),
    )
    assert catalog.snapshot().parts == written
    assert written[0].wide == {"n"}


def test_a_part_is_sorted_by_time_and_then_id(writer, events, noon):
    times = [noon + timedelta(seconds=s) for s in (2, 1, 2, 0)]
    shuffled = events(4).with_columns(
        pl.Series("event_time", times, dtype=pl.Datetime("us", "UTC")),
        pl.Series("event_id", ["b", "c", "a", "d"]),
    )
    (part,) = writer.commit(shuffled, Tally())
    assert pl.read_parquet(part.path)["event_id"].to_list() == ["d", "c", "a", "b"]
    assert part.span == TimeSpan(noon, noon + timedelta(seconds=2, microseconds=1))


def test_a_tally_without_events_is_a_part_without_rows_in_todays_folder(writer, catalog):
    (part,) = writer.commit(pl.DataFrame(), Tally({"rejected": 3}))
    assert (part.date, part.rows) == ("2026-11-22", 0)
    assert catalog.snapshot().parts[0].tally.fates == {"rejected": 3}
    assert writer.commit(pl.DataFrame(), Tally()) == ()


def test_each_part_of_a_commit_counts_its_own_rows_as_stored(writer, events):
    tally = Tally({"stored": 3, "rejected": 1}, {"native": 4})
    early, late = writer.commit(events(3, step=timedelta(hours=10)), tally)
    assert early.tally.fates == {"stored": 2}
    assert late.tally.fates == {"stored": 1, "rejected": 1}
    assert early.tally + late.tally == tally


def test_newest_received_is_the_latest_arrival_or_now(writer, events, noon):
    late = noon + timedelta(minutes=5)
    times = pl.Series([noon, late], dtype=pl.Datetime("us", "UTC"))
    assert writer.commit(events(2, received_time=times), Tally())[0].newest_received == late
    assert writer.commit(events(2), Tally())[0].newest_received == noon


def test_a_named_writer_goes_on_after_its_highest_number(folder, writer, events, noon):
    writer.commit(events(1), Tally())
    writer.commit(events(1), Tally())
    again = PartWriter(folder, now=lambda: noon, writer="w")
    assert again.commit(events(1), Tally())[0].sequence == 2


def test_two_writers_of_one_name_never_replace_each_others_parts(folder, events, noon, catalog):
    first, second = (PartWriter(folder, now=lambda: noon, writer="w") for _ in range(2))
    (part,) = first.commit(events(1), Tally())
    with pytest.raises(StoreError, match="another process writes under the name w"):
        second.commit(events(1, first=1), Tally())
    assert catalog.snapshot().parts == (part,)
    assert folder.staged() == []


def test_writers_without_a_name_never_share_one(folder, noon):
    assert len({PartWriter(folder, now=lambda: noon).writer for _ in range(20)}) == 20


@pytest.mark.parametrize("name", ["", "A", "a-b", "../x", "ä", "a" * 33])
def test_a_writers_name_is_digits_and_small_letters(folder, noon, name):
    with pytest.raises(UsageError, match="writer"):
        PartWriter(folder, now=lambda: noon, writer=name)


def test_any_parquet_tool_reads_a_part_with_its_page_checksums(writer, events):
    frame = events(5, plan=["pro", "free", None, "pro", "é\0"], n=range(5), ok=[True] * 5)
    (part,) = writer.commit(frame, Tally())
    table = pq.ParquetFile(part.path, page_checksum_verification=True).read()
    assert table.column("plan").to_pylist() == ["pro", "free", None, "pro", "é\0"]
    assert pl.from_arrow(table).select(frame.columns).equals(frame)


def test_row_groups_are_small_enough_to_skip_most_of_a_large_part(writer, events):
    (part,) = writer.commit(events(3 * ROW_GROUP_ROWS, step=timedelta(milliseconds=1)), Tally())
    assert pq.read_metadata(part.path).num_row_groups == 3


def test_columns_without_a_value_are_not_stored(writer, events):
    (part,) = writer.commit(events(2, plan=[None, None], user_id=["ada", None]), Tally())
    assert list(part.columns) == ["event_id", "event_time", "event_type", "event_name", "user_id"]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (pl.Series([1, None], dtype=pl.Int8), pl.Series([1, None], dtype=pl.Int64)),
        (pl.Series([2**64 - 1, 1], dtype=pl.UInt64), pl.Series([2**64 - 1, 1], dtype=pl.UInt64)),
        (pl.Series([2**64 - 1, 1], dtype=pl.Int128), pl.Series([2**64 - 1, 1], dtype=pl.UInt64)),
        (pl.Series([2**64, -1], dtype=pl.Int128), pl.Series([str(2**64), "-1"])),
        (pl.Series([1.5, None], dtype=pl.Float32), pl.Series([1.5, None])),
        (pl.Series(["a", None], dtype=pl.Categorical), pl.Series(["a", None])),
        (pl.Series([[1, 2], None]), pl.Series(["[1,2]", None])),
        (pl.Series([{"a": 1}, {"a": None}]), pl.Series(['{"a":1}', '{"a":null}'])),
        (pl.Series([b"a\xff", None]), pl.Series(["a\\xff", None])),
        (pl.Series([date(2026, 1, 2), None]), pl.Series(["2026-01-02", None])),
    ],
)
def test_attributes_of_other_types_are_stored_as_the_nearest_of_five(writer, events, given, stored):
    (part,) = writer.commit(events(2, x=given), Tally())
    found = scan([part], ["x"], None).collect()["x"]
    assert found.to_list() == stored.to_list()
    assert found.dtype == stored.dtype


def test_names_that_scans_and_hive_folders_use_step_aside(writer, events):
    inside = {OVERFLOW: ['{"_row": 1, "_part": 2}']}
    (part,) = writer.commit(events(1, _part=["p"], _date=["d"], _row=["r"]), Tally())
    (folded,) = writer.commit(events(1, **inside), Tally())
    assert {"attr._part", "attr._date", "attr._row"} <= part.columns.keys()
    assert set(folded.overflow) == {"attr._row", "attr._part"}


def test_folders_and_files_are_for_this_user_alone(writer, folder, events):
    (part,) = writer.commit(events(1), Tally())
    assert part.path.stat().st_mode & 0o777 == 0o600
    for path in (folder.root, folder.events, part.path.parent):
        assert path.stat().st_mode & 0o777 == 0o700


def test_the_far_ends_of_time_have_a_part_each(writer, catalog, events):
    first = datetime(1, 1, 1, tzinfo=UTC)
    last = datetime.max.replace(tzinfo=UTC)
    times = pl.Series([first, last], dtype=pl.Datetime("us", "UTC"))
    frame = events(2).with_columns(times.alias("event_time"))
    assert [part.date for part in writer.commit(frame, Tally())] == ["0001-01-01", "9999-12-31"]
    assert Catalog(catalog._folder).snapshot().parts[0].span.start == first
