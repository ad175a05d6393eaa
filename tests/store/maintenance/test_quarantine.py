import errno
import json
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from store.analytics.query_json import answer_json
from store.analytics.rollups.building import rollup_of
from store.analytics.trends import Trends
from store.event_store import EventStore
from store.maintenance.quarantine import Quarantine, first_of
from store.parts.check import check
from store.parts.disk import Disk
from store.parts.inspect import inspect
from store.parts.part import Cover
from store.parts.rollup_file import publish
from store.timespan import TimeSpan


def spoil(part, at=40):
    """One bit of a part's rows flips, behind the back of everyone."""
    content = bytearray(part.path.read_bytes())
    content[at] ^= 1
    part.path.write_bytes(content)


def visible(folder):
    return sorted(path.name for path in folder.events.rglob("*.parquet"))


@pytest.mark.parametrize("ruin", [lambda _: b"", lambda data: data[:-9], lambda data: b"\0" * 999])
def test_a_part_that_cannot_be_read_is_moved_with_the_reason(folder, put, round_of, ids, ruin):
    put(0, "w", 0, "a")
    bad = put(0, "w", 1, "b c")
    bad.path.write_bytes(ruin(bad.path.read_bytes()))
    round_of()
    assert visible(folder) == ["0-w-0.parquet"]
    moved = folder.quarantine / "_date=2026-11-22" / "0-w-1.parquet"
    assert moved.is_file()
    note = json.loads(moved.with_name("0-w-1.parquet.json").read_bytes())
    assert note["path"] == "events/_date=2026-11-22/0-w-1.parquet"
    assert "cut off or empty" in note["fault"]
    assert ids() == ["a"]


def test_bytes_that_changed_under_a_sound_footer_are_found_in_the_background(
    folder, put, round_of, ids
):
    put(0, "w", 0, "a")
    bad = put(0, "w", 1, "b c")
    spoil(bad)
    round_of()
    assert visible(folder) == ["0-w-0.parquet"]
    (found,) = check(folder).quarantine
    assert (found.fault, found.rows) == ("the checksum of its rows is wrong", 2)
    assert ids() == ["a"]


def test_what_is_not_surely_broken_stays(folder, put, round_of, monkeypatch):
    part = put(0, "w", 0, "a")
    with monkeypatch.context() as newer:
        newer.setattr("store.parts.footer.FORMAT", 2)
        put(0, "w", 1, "b")
    pl.DataFrame({"a": [1]}).write_parquet(part.path.with_name("0-x-1.parquet"))
    part.path.with_name("0-w-7.parquet").write_bytes(part.path.read_bytes())
    part.path.with_name("0-w-8.parquet").mkdir()
    part.path.with_name("mine.parquet").write_bytes(b"")
    before = visible(folder)
    round_of()
    assert visible(folder) == before
    assert not folder.quarantine.exists()
    assert len(check(folder).faults) == 5


def test_a_disk_that_fails_for_a_moment_makes_no_part_broken(folder, put, round_of, monkeypatch):
    put(0, "w", 0, "a")

    def fail(*_):
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as failing:
        failing.setattr("store.parts.verify.verify_bytes", fail)
        assert "i/o error" in round_of(Quarantine()).faults[0]
    assert visible(folder) == ["0-w-0.parquet"]
    assert round_of(Quarantine()).faults == ()


class HealingDisk(Disk):
    """Shows the right bytes when it is read past the cache."""

    def __init__(self, part):
        self.part, self.sound, self.asked = part, part.path.read_bytes(), 0

    def forget_cached(self, path):
        self.asked += 1
        if self.asked == 2:
            self.part.path.write_bytes(self.sound)


def test_a_part_is_read_twice_before_it_is_moved(folder, put, round_of):
    part = put(0, "w", 0, "a")
    disk = HealingDisk(part)
    spoil(part)
    report = round_of(disk=disk)
    assert disk.asked == 2
    assert "it was read without a fault" in " ".join(report.as_json()["done"])
    assert visible(folder) == ["0-w-0.parquet"]


def test_each_part_is_verified_once_and_a_lost_note_is_no_harm(folder, put, round_of):
    for number in range(3):
        put(0, "w", number)
    assert "verify 3 parts" in round_of(Quarantine()).done[0][1].text
    assert round_of(Quarantine()).done == ()
    put(0, "w", 3)
    assert "verify 1 parts" in round_of(Quarantine()).done[0][1].text
    (folder.root / "maintenance.json").unlink()
    assert "verify 4 parts" in round_of(Quarantine()).done[0][1].text


def test_a_round_reads_a_bounded_number_of_bytes_and_one_part_at_least(put):
    parts = [put(0, "w", number) for number in range(4)]
    size = parts[0].size_bytes
    assert first_of(parts, 2 * size) == (parts[0], parts[1])
    assert first_of(parts, 1) == (parts[0],)
    assert first_of([]) == ()


def test_a_part_that_breaks_again_after_it_was_restored_keeps_both(folder, put, round_of):
    part = put(0, "w", 0, "a")
    for _ in range(2):
        part.path.write_bytes(b"")
        round_of()
    moved = [each.path.name for each in check(folder).quarantine]
    assert moved == ["0-w-0.2.parquet", "0-w-0.parquet"]


def test_when_a_cover_breaks_its_sources_count_again(folder, put, round_of, ids):
    put(0, "w", 0, "a")
    put(0, "w", 1, "b")
    cover = put(1, "m", 0, "a b", covers=[Cover("w", 0, 1)])
    spoil(cover)
    round_of()
    assert visible(folder) == ["0-w-0.parquet", "0-w-1.parquet"]
    assert ids() == ["a", "b"]


def test_answers_say_that_something_is_missing(folder, put, round_of, clock, catalog):
    put(0, "w", 0, "a")
    bad = put(0, "w", 1, "b")
    store = EventStore(folder.root, now=clock)
    assert store.run(Trends()).unreadable_parts == 0
    bad.path.write_bytes(b"")
    skipped = EventStore(folder.root, now=clock).run(Trends())
    round_of()
    moved = store.run(Trends())
    for answer in (skipped, moved):
        assert answer.unreadable_parts == answer_json(answer)["unreadable_parts"] == 1
    elsewhere = moved.query.with_span(moved.span.shifted(timedelta(days=3)))
    assert store.run(elsewhere).unreadable_parts == 0
    assert inspect(catalog.snapshot()).as_json()["quarantine"][0]["rows"] is None


@pytest.mark.parametrize("ruin", [lambda _: b"", lambda data: data[:90] + b"?!" + data[92:]])
def test_a_broken_rollup_that_was_all_that_is_left_is_moved_and_said(
    folder, put, round_of, clock, ruin
):
    part = put(0, "w", 0, "a b")
    how, tables = rollup_of(part)
    rollup = publish(folder, replace(part, rolled=how), tables)
    part.path.unlink()
    store = EventStore(folder.root, now=clock)
    asked = Trends(span=TimeSpan(part.span.start, part.span.start + timedelta(days=1)))
    assert store.run(asked).events_scanned == 2
    rollup.path.write_bytes(ruin(rollup.path.read_bytes()))
    round_of()
    answer = store.run(asked)
    assert (answer.events_scanned, answer.unreadable_parts) == (0, 1)
    (found,) = check(folder).quarantine
    assert found.path.relative_to(folder.quarantine).parts[0] == "rollups"
    assert check(folder).ok


def test_a_broken_rollup_beside_its_part_costs_nothing(folder, put, clock):
    part = put(0, "w", 0, "a b")
    how, tables = rollup_of(part)
    publish(folder, replace(part, rolled=how), tables).path.write_bytes(b"")
    answer = EventStore(folder.root, now=clock).run(Trends())
    assert (answer.events_scanned, answer.unreadable_parts) == (2, 0)
    assert [each.path.parts[-3] for each in check(folder).faults] == ["rollups"]
