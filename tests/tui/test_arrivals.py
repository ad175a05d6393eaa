"""Which parts are new since one last looked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.parts.catalog import Snapshot
from store.parts.part import Cover, Part
from store.timespan import TimeSpan
from tui.arrivals import Arrival, Arrivals

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def part(
    sequence: int,
    *,
    level: int = 0,
    covers: tuple[Cover, ...] = (),
    rows: int = 1,
    removed: int = 0,
    received: datetime = NOON,
) -> Part:
    return Part(
        path=Path(f"{level}-w-{sequence}.parquet"),
        date="2026-11-22",
        level=level,
        writer="w",
        sequence=sequence,
        rows=rows,
        size_bytes=1,
        span=TimeSpan(NOON, NOON),
        newest_received=received,
        columns={},
        covers=covers,
        removed=removed,
    )


def snapshot(*parts: Part, covered: tuple[Part, ...] = ()) -> Snapshot:
    return Snapshot("", parts, covered=covered)


def numbers(arrivals) -> list[int]:
    return [arrival.part.sequence for arrival in arrivals]


MERGED = part(9, level=1, covers=(Cover("w", 1, 4),), rows=3)


def test_what_was_there_is_not_new_and_what_came_is_new_once():
    arrivals = Arrivals(snapshot(part(1), part(2)))
    assert numbers(arrivals.new(snapshot(part(1), part(2), part(3)))) == [3]
    assert numbers(arrivals.new(snapshot(part(1), part(2), part(3)))) == []


def test_a_merge_of_known_parts_is_nothing_new():
    """Number 3 was never there: the cover bridges it."""
    arrivals = Arrivals(snapshot(part(1), part(2), part(4)))
    sources = (part(1), part(2), part(4))
    assert numbers(arrivals.new(snapshot(part(5), MERGED, covered=sources))) == [5]
    assert numbers(arrivals.new(snapshot(part(5), MERGED))) == []


def test_a_commit_that_was_merged_at_once_is_shown_by_itself():
    arrivals = Arrivals(snapshot(part(1), part(2)))
    sources = (part(1), part(2), part(4))
    came = arrivals.new(snapshot(MERGED, covered=sources))
    assert [(each.part.key, each.after) for each in came] == [(part(4).key, None)]
    assert arrivals.new(snapshot(MERGED)) == []


def test_who_looked_too_seldom_is_given_what_was_received_since():
    arrivals = Arrivals(snapshot(part(1), part(2)))
    assert arrivals.new(snapshot(MERGED)) == [Arrival(MERGED, NOON)]
    assert arrivals.new(snapshot(MERGED)) == []


def test_duplicates_that_a_merge_took_out_are_nothing_new():
    arrivals = Arrivals(snapshot(part(1), part(2), part(4)))
    fewer = part(9, level=1, covers=(Cover("w", 1, 4),), rows=1, removed=2)
    assert arrivals.new(snapshot(fewer)) == []
    again = part(10, level=2, covers=(Cover("w", 1, 5), Cover("w", 9, 9)), rows=2, removed=2)
    assert numbers(arrivals.new(snapshot(again, covered=(fewer, part(5))))) == [5]
    assert arrivals.new(snapshot(again)) == []


def test_what_was_received_before_is_known():
    later = part(2, received=NOON + timedelta(seconds=1))
    arrivals = Arrivals(snapshot(part(1), later), since=NOON + timedelta(seconds=1))
    assert numbers(arrivals.new(snapshot(part(1), later))) == [2]
