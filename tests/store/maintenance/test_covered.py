import pytest

from store.maintenance.covered import is_due
from store.parts.part import Cover


def names(folder):
    return sorted(path.name for path in folder.events.rglob("*.parquet"))


@pytest.fixture
def merged(put):
    put(0, "w", 0, "a")
    put(0, "w", 1, "b")
    return put(1, "m", 0, "a b", covers=[Cover("w", 0, 1)])


def test_covered_parts_stay_for_a_minute_and_then_go(folder, merged, ticks, round_of, ids):
    round_of()
    ticks.pass_seconds(59.9)
    assert round_of().as_json()["files_removed"] == 0
    ticks.pass_seconds(0.1)
    assert round_of().as_json()["files_removed"] == 2
    assert names(folder) == ["1-m-0.parquet"]
    assert ids() == ["a", "b"]


def test_a_wall_clock_that_jumps_changes_nothing(folder, merged, clock, round_of):
    round_of()
    clock.now = clock.now.replace(year=2036)
    assert round_of().as_json()["files_removed"] == 0
    clock.now = clock.now.replace(year=2016)
    assert round_of().as_json()["files_removed"] == 0


def test_after_a_restart_of_the_system_no_reader_is_left(merged, ticks, round_of):
    round_of()
    ticks.seconds = 1.0
    assert round_of().as_json()["files_removed"] == 2


def test_a_lost_note_makes_them_stay_for_another_minute(folder, merged, ticks, round_of):
    round_of()
    ticks.pass_seconds(100)
    (folder.root / "maintenance.json").unlink()
    assert round_of().as_json()["files_removed"] == 0


def test_sources_stay_while_their_cover_cannot_be_read(folder, merged, ticks, round_of):
    round_of()
    ticks.pass_seconds(60)
    spoiled = bytearray(merged.path.read_bytes())
    spoiled[40] ^= 1
    merged.path.write_bytes(spoiled)
    report = round_of()
    assert "checksum of its rows" in report.faults[0]
    assert len(names(folder)) == 3


@pytest.mark.parametrize(
    ("since", "ticks", "due"),
    [(None, 99, False), (40, 99, False), (39, 99, True), (100, 99, True)],
)
def test_when_a_covered_part_may_go(since, ticks, due):
    assert is_due(since, ticks) is due
