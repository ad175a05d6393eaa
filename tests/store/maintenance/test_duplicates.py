"""An id that came into two parts of a date which no merge brings together stands once in the end."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.maintenance import duplicates
from store.maintenance.compaction import Compaction
from store.maintenance.duplicates import Duplicates
from store.maintenance.maintainer import Maintainer
from store.maintenance.repeated import repeated_rows
from store.parts.catalog import Catalog
from store.parts.layout import StoreFolder
from store.parts.scan import scan
from store.parts.verify import part_fault
from store.parts.writer import PartWriter
from store.schema import PART
from store.settings import CompactionSettings, Settings
from store.tally import Tally
from store.testing import NOON, FrozenClock, events_of

HOUR = timedelta(hours=1)
JOBS = (Compaction(), Duplicates())
HOURLY = CompactionSettings(large_day_bytes=1)


def commit(folder, rows, *, imported=False, received=NOON):
    events = events_of([{"event_time": NOON, "received_time": received, **row} for row in rows])
    writer = PartWriter(folder, now=lambda: NOON)
    return writer.commit(events, Tally({"stored": events.height}), imported=imported)


def maintained(folder, limits=HOURLY, jobs=JOBS, **how):
    settings = Settings(store=folder.root, compaction=limits)
    how = {"eager": True, "now": FrozenClock(NOON + timedelta(days=9)), **how}
    with Maintainer(folder, settings, **how) as maintainer:
        report = maintainer.round(jobs)
    assert report.faults == ()
    return [done.text for _, done in report.done]


def stored(folder):
    parts = Catalog(folder).snapshot().parts
    rows = scan(parts, ["event_id", "event_time", "n"], None).collect()
    return sorted(rows.select("event_id", "event_time", "n").rows())


@pytest.fixture
def folder(tmp_path):
    return StoreFolder.open(tmp_path / "s", create=True)


def test_an_id_in_two_hours_of_a_large_day_stays_where_it_came_first(folder):
    commit(folder, [{"event_id": "a", "n": 1}, {"event_id": "b", "n": 2}])
    later = [{"event_id": name, "event_time": NOON + 3 * HOUR, "n": 3} for name in "ac"]
    commit(folder, later)
    assert "1 duplicates removed" in maintained(folder)[-1]
    assert stored(folder) == [("a", NOON, 1), ("b", NOON, 2), ("c", NOON + 3 * HOUR, 3)]
    snapshot = Catalog(folder).snapshot()
    tally = Tally.total(part.tally for part in snapshot.parts)
    assert dict(tally.fates) == {"stored": 3, "duplicate": 1}
    assert sorted((part.level, part.rows, part.removed) for part in snapshot.parts) == [
        (0, 2, 0),
        (1, 1, 1),
    ]
    assert all(part_fault(part) is None for part in snapshot.parts)
    assert len(snapshot.covered) == 1


def test_what_was_imported_and_recorded_counts_once_and_may_leave_an_empty_part(folder):
    rows = [{"event_id": name, "n": 1} for name in "ab"]
    commit(folder, rows, received=NOON)
    commit(folder, [{**row, "n": 2} for row in rows], received=NOON + HOUR, imported=True)
    maintained(folder, CompactionSettings())
    assert stored(folder) == [("a", NOON, 1), ("b", NOON, 1)]
    parts = Catalog(folder).snapshot().parts
    assert sorted((part.imported, part.rows) for part in parts) == [(False, 2), (True, 0)]
    assert dict(Tally.total(part.tally for part in parts).fates) == {"stored": 2, "duplicate": 2}


def test_a_day_is_looked_through_once_until_it_has_other_parts(folder):
    for hour in range(3):
        commit(folder, [{"event_id": f"{hour}", "event_time": NOON + hour * HOUR, "n": hour}])
    assert len(maintained(folder)) == 1
    assert maintained(folder) == []
    commit(folder, [{"event_id": "0", "event_time": NOON + 2 * HOUR, "n": 9}])
    assert [text for text in maintained(folder) if "1 duplicates removed" in text]
    assert len(maintained(folder)) == 1
    assert maintained(folder) == []
    assert [row[2] for row in stored(folder)] == [0, 1, 2]


def test_a_day_that_is_still_coming_in_is_left_alone(folder):
    for hour in range(2):
        commit(folder, [{"event_id": "a", "event_time": NOON + hour * HOUR, "n": hour}])
    assert maintained(folder, eager=False, now=FrozenClock(NOON + 2 * HOUR)) == []
    assert len(stored(folder)) == 2


def test_a_spoiled_part_costs_no_other_part_an_event(folder):
    (first,) = commit(folder, [{"event_id": "a", "n": 1}])
    commit(folder, [{"event_id": "a", "event_time": NOON + HOUR, "n": 2}])
    spoiled = bytearray(first.path.read_bytes())
    spoiled[20] ^= 1
    step = duplicates.LookThrough(Catalog(folder).snapshot().parts)
    first.path.write_bytes(spoiled)
    with Maintainer(folder, Settings(store=folder.root), eager=True) as maintainer:
        report = maintainer.round((Compaction(), One(step)))
    assert report.faults
    assert len(list(folder.events.glob("*/*"))) == 2


class One(Duplicates):
    def __init__(self, step):
        self._step = step

    def plan(self, state):
        return [self._step]


rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_id": st.sampled_from("abcdefgh"),
            "event_time": st.integers(0, 5).map(lambda hour: NOON + hour * HOUR),
            "received_time": st.integers(0, 3).map(lambda hour: NOON + hour * HOUR),
            "n": st.integers(0, 99),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row["event_id"],  # as the door lets them through
)


@settings(max_examples=25, deadline=None)
@given(commits=st.lists(st.tuples(rows, st.booleans()), min_size=1, max_size=4))
def test_of_each_id_the_first_stays_whatever_came(tmp_path_factory, commits):
    folder = StoreFolder.open(tmp_path_factory.mktemp("d") / "s", create=True)
    for some, imported in commits:
        commit(folder, some, imported=imported)
    parts = Catalog(folder).snapshot().parts
    found = {part: sorted(rows) for part, rows in repeated_rows(parts, bucket_rows=5).items()}
    assert found == {part: sorted(rows) for part, rows in repeated_rows(parts).items()}
    every = [row for some, _ in commits for row in some]
    first = {}
    for row in every:
        key = (row["event_time"], row["event_id"], row["received_time"])
        first[row["event_id"]] = min(first.get(row["event_id"], key), key)
    maintained(folder)
    parts = Catalog(folder).snapshot().parts
    told = scan(parts, ["event_time", "event_id", "received_time"], None).drop(PART).collect()
    assert sorted(told.select("event_time", "event_id", "received_time").rows()) == sorted(
        first.values()
    )
    fates = dict(Tally.total(part.tally for part in parts).fates)
    assert fates.get("duplicate", 0) == len(every) - len(first) == sum(p.removed for p in parts)
