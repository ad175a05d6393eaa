"""Which parts are new since one last looked."""

from datetime import UTC, datetime
from pathlib import Path

from store.parts.part import Cover, Part
from store.timespan import TimeSpan
from tui.arrivals import Arrivals

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def part(sequence: int, *, level: int = 0, covers: tuple[Cover, ...] = ()) -> Part:
    return Part(
        path=Path(f"{level}-w-{sequence}.parquet"),
        date="2026-11-22",
        level=level,
        writer="w",
        sequence=sequence,
        rows=1,
        size_bytes=1,
        span=TimeSpan(NOON, NOON),
        newest_received=NOON,
        columns={},
        covers=covers,
    )


def numbers(parts) -> list[int]:
    return [each.sequence for each in parts]


def test_what_was_there_is_not_new_and_what_came_is_new_once():
    arrivals = Arrivals([part(1), part(2)])
    assert numbers(arrivals.new([part(1), part(2), part(3)])) == [3]
    assert numbers(arrivals.new([part(1), part(2), part(3)])) == []


def test_a_merge_of_known_parts_is_nothing_new():
    arrivals = Arrivals([part(1), part(2), part(3)])
    merged = part(4, level=1, covers=(Cover("w", 1, 3),))
    assert numbers(arrivals.new([merged, part(5)])) == [5]


def test_a_merge_that_brings_something_new_is_shown():
    arrivals = Arrivals([part(1)])
    merged = part(4, level=1, covers=(Cover("w", 1, 3),))
    assert numbers(arrivals.new([merged])) == [4]
    assert numbers(arrivals.new([merged, part(4)])) == [4]
