import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.parts.catalog import Catalog
from store.parts.check import check
from store.parts.duplicates import distinct_ids
from store.parts.inspect import inspect
from store.parts.layout import StoreFolder
from store.parts.part import Cover
from store.parts.verify import part_fault
from store.tally import Tally


def test_a_sound_store_is_ok(folder, writer, events):
    writer.commit(events(3, step=timedelta(hours=10)), Tally({"stored": 3}))
    writer.commit(pl.DataFrame(), Tally({"rejected": 2}))
    assert check(folder).as_json() == {
        "ok": True,
        "events": 3,
        "unique_event_ids": 3,
        "parts": 3,
        "unreadable": 0,
        "staged": 0,
        "quarantined": 0,
        "covered": 0,
        "out_of_time": 0,
        "quarantine": [],
        "faults": [],
        "duplicates": [],
    }


def test_an_empty_and_a_missing_store_are_ok(tmp_path):
    assert check(StoreFolder.open(tmp_path / "none")).ok
    assert check(StoreFolder.open(tmp_path / "new", create=True)).ok


def test_an_id_that_occurs_twice_in_a_date_is_named(folder, writer, events):
    writer.commit(events(3), Tally())
    writer.commit(events(2, first=2), Tally())
    writer.commit(events(1, first=2), Tally())
    report = check(folder)
    assert not report.ok
    assert (report.events, report.unique_event_ids) == (6, 4)
    assert report.as_json()["duplicates"] == [
        {"date": "2026-11-22", "event_id": "e000002", "times": 3}
    ]


def test_the_same_id_on_two_dates_is_two_events(folder, writer, events, noon):
    writer.commit(events(1), Tally())
    writer.commit(events(1, start=noon + timedelta(days=1)), Tally())
    assert check(folder).ok


@pytest.mark.parametrize("bucket_rows", [1, 7, 1000])
def test_duplicates_are_counted_alike_in_any_number_of_passes(writer, events, bucket_rows):
    parts = [*writer.commit(events(30), Tally()), *writer.commit(events(30, first=20), Tally())]
    found = distinct_ids(parts, shown_max=3, bucket_rows=bucket_rows)
    assert found.ids == 50
    assert [each.event_id for each in found.repeated] == ["e000020", "e000021", "e000022"]


def test_every_flipped_byte_of_a_part_is_found(folder, writer, events):
    (part,) = writer.commit(events(3, plan=["pro", None, "free"]), Tally())
    sound = part.path.read_bytes()
    assert part_fault(part) is None
    for at in range(len(sound)):
        part.path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        assert part_fault(part), f"byte {at} of {len(sound)}"


def test_every_truncation_of_a_part_is_found(folder, writer, catalog, events):
    (part,) = writer.commit(events(2), Tally())
    sound = part.path.read_bytes()
    for length in range(len(sound)):
        part.path.write_bytes(sound[:length])
        assert part_fault(part), f"{length} of {len(sound)} bytes"


def test_a_flipped_bit_in_the_rows_is_found_by_check_and_not_by_readers(folder, writer, events):
    (bad,) = writer.commit(events(100), Tally())
    writer.commit(events(1, first=200), Tally())
    data = bytearray(bad.path.read_bytes())
    data[300] ^= 1
    bad.path.write_bytes(data)
    report = check(folder)
    assert not report.ok
    assert (report.parts, report.events) == (2, 1)
    assert [(each.path, each.fault) for each in report.faults] == [
        (bad.path, "the checksum of its rows is wrong")
    ]


def test_what_readers_skip_is_a_fault_and_the_rest_is_read(folder, writer, events):
    (bad,) = writer.commit(events(1), Tally())
    writer.commit(events(1, first=1), Tally())
    bad.path.write_bytes(b"")
    report = check(folder)
    assert report.as_json()["unreadable"] == 1
    assert "cut off or empty" in report.as_json()["faults"][0]["fault"]
    assert report.events == 1


def test_staged_and_quarantined_files_are_counted_and_no_fault(folder, writer, events):
    writer.commit(events(1), Tally())
    (folder.staging / "0-x-1.parquet.staged").write_bytes(b"x")
    folder.quarantine.mkdir()
    (folder.quarantine / "0-x-0.parquet").write_bytes(b"x")
    report = check(folder)
    assert report.ok
    assert (report.staged, len(report.quarantine)) == (1, 1)


def test_covered_parts_are_read_and_not_counted(folder, put):
    source = put(folder, 0, "w", 0)
    put(folder, 1, "c", 0, covers=[Cover("w", 0, 0)])
    assert check(folder).events == 1
    source.path.write_bytes(source.path.read_bytes().replace(b"log", b"lag"))
    assert [each.path for each in check(folder).faults] == [source.path]


def test_a_part_that_was_written_wrongly_is_found(folder, put, monkeypatch):
    monkeypatch.setattr(
        "store.parts.footer.EPOCH",
        datetime(1970, 1, 2, tzinfo=UTC),
    )
    part = put(folder, 0, "w", 0)
    monkeypatch.undo()
    (wrong,) = (each for each in check(folder).faults)
    assert wrong.path == part.path
    assert "time" in wrong.fault


def test_progress_is_told_in_bytes(folder, writer, events):
    sizes = [
        part.size_bytes for n in range(3) for part in writer.commit(events(1, first=n), Tally())
    ]
    told = []
    check(folder, lambda done, total: told.append((done, total)))
    assert told == [(sum(sizes[: n + 1]), sum(sizes)) for n in range(3)]


def test_a_merge_during_the_check_is_no_fault(folder, put, monkeypatch):
    source = put(folder, 0, "w", 0)
    calls = []

    def merged_meanwhile(parts, **how):
        calls.append(list(parts))
        if len(calls) == 1:
            put(folder, 1, "c", 0, covers=[Cover("w", 0, 0)])
            source.path.unlink()
        return distinct_ids(calls[-1], **how)

    monkeypatch.setattr("store.parts.check.distinct_ids", merged_meanwhile)
    report = check(folder)
    assert report.ok
    assert (report.parts, report.events, len(calls)) == (1, 1, 2)


def test_inspect_gives_the_numbers_of_the_store(folder, writer, catalog, events, noon):
    writer.commit(events(3, event_name=["a", "b", "a"]), Tally({"stored": 3}))
    writer.commit(events(1, first=3, start=noon + timedelta(days=1), x=[1]), Tally({"stored": 1}))
    writer.commit(pl.DataFrame(), Tally({"rejected": 1}))
    found = inspect(catalog.snapshot()).as_json()
    assert json.loads(json.dumps(found)) == found
    assert (found["events"], found["parts"], found["event_names"]) == (4, 3, 3)
    assert found["first_event_time"] == "2026-11-22T12:00:00Z"
    assert found["last_event_time"] == "2026-11-23T12:00:00Z"
    assert found["tally"]["received"] == 5
    assert found["columns"]["x"] == "Int64"
    assert found["bytes"] == sum(path.stat().st_size for path in inspect(catalog.snapshot()).files)


def test_inspect_of_nothing_is_zeros(tmp_path):
    found = inspect(Catalog(StoreFolder.open(tmp_path / "s")).snapshot()).as_json()
    assert (found["events"], found["first_event_time"], found["event_names"]) == (0, None, 0)
