"""Files at fault among the parts: what each is taken for, and that the rest goes on answering."""

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from store.analytics.trends import Trends
from store.errors import StoreError
from store.event_store import EventStore
from store.parts.catalog import Catalog
from store.parts.check import check
from store.parts.faults import Kind
from store.parts.verify import seal_fault
from store.parts.writer import encoded
from store.tally import Tally
from store.timespan import TimeSpan


@pytest.fixture
def sealed(folder, writer, events):
    """sealed(lambda frame: ..., rows=7): a part whose frame was changed before it was sealed, and
    whose footer says what it likes.
    """

    def make(change=lambda frame: frame, **said):
        (part,) = writer.commit(events(20_000, x=[1] * 20_000), Tally())
        frame = change(pl.read_parquet(part.path, hive_partitioning=False))
        columns = said.pop("columns", dict(frame.schema))
        part.path.write_bytes(encoded(frame, replace(part, columns=columns, **said)))
        return part

    return make


def kinds(folder):
    return {each.kind for each in Catalog(folder).snapshot().skipped}


def answered(folder, noon):
    """How many events an answer over everything is made of."""
    store = EventStore(folder.root, now=lambda: noon + timedelta(hours=1))
    return store.run(Trends()).events_scanned


def test_lost_or_changed_bytes_anywhere_are_taken_for_broken(folder, writer, events):
    (part,) = writer.commit(events(3, plan=["pro", None, "free"]), Tally())
    sound = part.path.read_bytes()
    spoilt = [sound[:length] for length in range(0, len(sound), 7)]
    for at in range(len(sound)):
        bit = 1 << at % 8
        spoilt.append(sound[:at] + bytes([sound[at] ^ bit]) + sound[at + 1 :])
    spoilt += [sound[:at] + bytes(64) + sound[at + 64 :] for at in range(4, len(sound) - 64, 64)]
    for content in spoilt:
        part.path.write_bytes(content)
        assert seal_fault(part).kind is Kind.BROKEN


def test_a_parquet_file_of_another_program_is_foreign(folder, put, noon):
    part = put(folder, 0, "w", 0)
    pl.DataFrame({"a": [1, 2]}).write_parquet(part.path.with_name("0-x-1.parquet"))
    assert kinds(folder) == {Kind.FOREIGN}
    assert answered(folder, noon) == 1
    assert check(folder).as_json()["faults"][0]["kind"] == "foreign"


def test_a_copy_and_a_file_of_another_name_are_foreign(folder, put):
    part = put(folder, 0, "w", 0)
    part.path.with_name("0-w-7.parquet").write_bytes(part.path.read_bytes())
    part.path.with_name("mine.parquet").write_bytes(b"")
    assert kinds(folder) == {Kind.FOREIGN}


def test_what_could_not_be_opened_is_tried_again_although_it_looks_the_same(
    folder, put, monkeypatch
):
    part = put(folder, 0, "w", 0)
    catalog = Catalog(folder)
    monkeypatch.setattr("store.parts.catalog.read_part", failing(errno.EIO))
    assert [each.kind for each in catalog.snapshot().skipped] == [Kind.UNOPENED]
    monkeypatch.undo()
    assert catalog.snapshot().parts == (part,)


def test_the_generation_tells_when_a_part_can_be_opened_again(folder, put, monkeypatch):
    part = put(folder, 0, "w", 0)
    catalog = Catalog(folder)
    with monkeypatch.context() as failing_disk:
        failing_disk.setattr("store.parts.catalog.read_part", failing(errno.EIO))
        failing_disk.setattr("store.parts.catalog._can_be_read", lambda _path: False)
        assert catalog.snapshot().parts == ()
        before = catalog.generation()
        assert before == catalog.snapshot().generation == catalog.generation()
    after = catalog.generation()
    assert after != before
    assert catalog.snapshot().parts == (part,)
    assert catalog.generation() == catalog.snapshot().generation == Catalog(folder).generation()


def test_a_process_without_room_for_open_files_blames_no_part(folder, put, monkeypatch):
    put(folder, 0, "w", 0)
    monkeypatch.setattr("store.parts.catalog.read_part", failing(errno.EMFILE))
    with pytest.raises(StoreError, match="too many open files"):
        Catalog(folder).snapshot()


def failing(number):
    def fail(*_):
        raise OSError(number, "Too many open files" if number == errno.EMFILE else "I/O error")

    return fail


def test_a_folder_that_cannot_be_listed_costs_its_own_date_alone(folder, put, noon):
    put(folder, 0, "w", 0)
    (folder.events / "_date=2026-11-21").write_bytes(b"a file, no folder")
    snapshot = Catalog(folder).snapshot()
    assert len(snapshot.parts) == 1
    assert [(each.path.name, each.kind) for each in snapshot.skipped] == [
        ("_date=2026-11-21", Kind.UNOPENED)
    ]
    assert answered(folder, noon) == 1
    assert not check(folder).ok


def test_a_store_whose_events_are_gone_is_not_sound(folder):
    folder.events.rmdir()
    report = check(folder)
    assert not report.ok
    assert "missing" in report.faults[0].fault


TOMORROW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "said", "fault"),
    [
        (lambda frame: frame.drop("event_name"), {}, "required column"),
        (lambda frame: frame.with_columns(pl.col("event_time").dt.timestamp()), {}, "event_time"),
        (lambda frame: frame, {"rows": -1}, "no sense"),
        (lambda frame: frame.drop("x"), {"columns": None}, "rows or columns"),
        (lambda frame: frame.with_columns(x=pl.lit("text")), {"columns": None}, "rows or columns"),
        (lambda frame: frame.head(19_999), {}, "rows or columns"),
        (lambda frame: frame.reverse(), {}, "not in order"),
        (lambda frame: frame.with_columns(pl.lit(None, pl.String).alias("event_name")), {}, "lack"),
        (lambda frame: frame.with_columns(pl.lit(TOMORROW).alias("event_time")), {}, "the time"),
    ],
)
def test_a_part_that_was_written_wrongly_is_told_and_the_rest_answers(
    folder, sealed, put, noon, change, said, fault
):
    put(folder, 0, "z", 0)
    sound = sealed()
    if "columns" in said:
        said = {"columns": sound.columns}
    wrong = sealed(change, **said)
    report = check(folder)
    assert [(each.path, each.kind) for each in report.faults] == [(wrong.path, Kind.FOREIGN)]
    assert fault in report.faults[0].fault
    assert report.events == 20_001
    assert answered(folder, noon) >= 20_001


def test_events_of_another_date_than_their_folder_are_told(folder, sealed):
    part = sealed(lambda frame: frame.with_columns(pl.lit(TOMORROW).alias("event_time")))
    whole = replace(part.span, end=TOMORROW + timedelta(days=1))
    wrong = sealed(
        lambda frame: frame.with_columns(pl.lit(TOMORROW).alias("event_time")), span=whole
    )
    assert "another date" in {each.path: each.fault for each in check(folder).faults}[wrong.path]


def test_events_out_of_time_are_counted_and_kept(folder, writer, events, noon):
    writer.commit(events(5), Tally())
    writer.commit(events(3, first=10, start=noon + timedelta(days=90)), Tally())
    # Two hours around the bound: half of them too far ahead.
    edge = noon + timedelta(days=2, minutes=-30)
    writer.commit(events(6, first=20, start=edge, step=timedelta(minutes=10)), Tally())
    writer.commit(events(1, first=30, start=datetime(1970, 1, 1, tzinfo=UTC)), Tally())
    report = check(folder, now=lambda: noon)
    assert (report.ok, report.events, report.out_of_time) == (True, 15, 3 + 3 + 1)
    store = EventStore(folder.root, now=lambda: noon)
    assert store.out_of_time() == 7
    assert store.span() == TimeSpan(noon, noon + timedelta(days=2))
    assert store.events().collect().height == 15
