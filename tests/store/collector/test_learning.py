from dataclasses import dataclass
from datetime import timedelta

import polars as pl
import pytest

from store.collector import learning
from store.collector.learning import keys_of, recent
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.writer import PartWriter
from store.tally import Tally
from store.testing import FrozenClock, events_of


@dataclass(frozen=True)
class FakePart:
    key: str
    rows: int = 1
    newest_received: object = None


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def stored(tmp_path, clock):
    """Commits frames of so many events; the parts that there are then."""
    folder = StoreFolder.open(tmp_path / "store", create=True)
    writer = PartWriter(folder, now=clock)

    def commit(*sizes):
        for at, size in enumerate(sizes):
            names = (f"{at}-{number}" for number in range(size))
            clock.advance(timedelta(seconds=1))
            rows = [{"event_id": name, "event_time": clock()} for name in names]
            writer.commit(events_of(rows), Tally())
        return Catalog(folder).snapshot().parts

    return commit


def read(parts, **how):
    found = list(keys_of(parts, **how))
    return [(part.key, events["event_id"].to_list()) for part, events in found]


def test_only_the_last_day_s_parts_are_read_at_start(clock):
    def part(key, hours, rows):
        return FakePart(key, rows=rows, newest_received=clock() - timedelta(hours=hours))

    parts = [part("new", 0, 5), part("old", 25, 5), part("mid", 3, 5), part("early", 9, 5)]
    assert [p.key for p in recent(parts, clock(), ids_max=100)] == ["early", "mid", "new"]
    assert [p.key for p in recent(parts, clock(), ids_max=6)] == ["mid", "new"]
    assert recent([part("empty", 0, 0)], clock()) == []


@pytest.mark.parametrize("days", [-3650, -2, 2, 3650])
def test_a_clock_that_is_wrong_at_the_start_costs_no_ids(clock, days):
    parts = [FakePart("p", rows=5, newest_received=clock())]
    assert recent(parts, clock() + timedelta(days=days)) == parts


def test_ids_come_back_some_at_a_time_with_their_times(stored, clock, monkeypatch):
    monkeypatch.setattr(learning, "ROWS_AT_ONCE", 2)
    parts = stored(3, 1)
    assert [(key, len(names)) for key, names in read(parts)] == [
        (parts[0].key, 2),
        (parts[0].key, 1),
        (parts[1].key, 1),
    ]
    assert sorted(name for _, names in read(parts) for name in names) == [
        "0-0",
        "0-1",
        "0-2",
        "1-0",
    ]
    *_, (_, last) = keys_of(parts)
    assert last.schema["event_time"] == pl.Datetime("us", "UTC")
    assert last["event_time"].to_list() == [clock()]


def test_of_a_large_part_the_last_row_groups_are_enough(stored):
    size = learning.ROWS_AT_ONCE + 5  # row groups are as large
    (part,) = stored(size)
    found = pl.concat([events for _, events in keys_of([part], ids_max=5)])
    assert found.height == 5
    assert pl.concat([events for _, events in keys_of([part], ids_max=6)]).height == size


def test_a_part_that_cannot_be_read_costs_its_own_ids_alone(stored, caplog):
    first, second, third = stored(1, 1, 1)
    second.path.write_bytes(b"PAR1 nothing of the kind PAR1")
    third.path.unlink()
    assert read([first, second, third]) == [(first.key, ["0-0"])]
    assert [record.message.split(" ")[3] for record in caplog.records] == [second.key, third.key]
